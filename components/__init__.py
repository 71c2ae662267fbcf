"""How a plan becomes Pulumi resources; `KINDS` is the one registry of placement kinds."""

from __future__ import annotations

from typing import Final

from components import local, openai
from components.endpoint import Kind

KINDS: Final[dict[str, Kind]] = {
    "local": local,
    "openai": openai,
}
