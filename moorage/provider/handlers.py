"""The resource types and the module that handles each."""

from __future__ import annotations

from typing import Final

from moorage.provider import api_key
from moorage.provider.handler import Handler

HANDLERS: Final[dict[str, Handler]] = {
    "moorage:index:ApiKey": api_key,
}
