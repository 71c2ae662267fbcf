"""Lists in pages, with a cursor to the next and to the one before."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any, Final

_LARGEST: Final = 100


def page(items: Sequence[Any], query: Mapping[str, str], size: int) -> dict[str, Any]:
    """The page that a query asks for; ValueError for a cursor that no page gave."""
    size = max(1, min(int(query.get("limit", size)), _LARGEST))
    start = _position(query.get("cursor", ""))
    told: dict[str, Any] = {"items": list(items[start : start + size])}
    if start + size < len(items):
        told["nextCursor"] = _cursor(start + size)
    if start > 0:
        told["prevCursor"] = _cursor(max(0, start - size))
    return told


def _cursor(position: int) -> str:
    return base64.urlsafe_b64encode(f"at:{position}".encode()).decode()


def _position(cursor: str) -> int:
    if not cursor:
        return 0
    return max(0, int(base64.urlsafe_b64decode(cursor).decode().removeprefix("at:")))
