"""The forms of a display; a module of its own, because parsing a command line needs only these."""

from __future__ import annotations

from typing import Final

FORMS: Final = ("auto", "live", "plain", "json")
