"""Licences by their SPDX identifiers, where the Hub's own word has one."""

from __future__ import annotations

import re
from collections.abc import Mapping

OWN = "LicenseRef-"  # how SPDX names a licence that is on no list

_NOBODY_SAYS = ("unknown", "")
_FOREIGN = re.compile(r"[^A-Za-z0-9.-]+")
_MOST_LETTERS = 80


def spdx(word: str | None, table: Mapping[str, str]) -> str | None:
    """The identifier of a licence as the Hub calls it; None where nobody says."""
    if word is None or word in _NOBODY_SAYS:
        return None
    if word.startswith(OWN):
        return word
    return table.get(word) or table.get(word.lower()) or own(word)


def own(name: str) -> str:
    """The identifier of a licence that only its author knows."""
    cleaned = _FOREIGN.sub("-", name.removeprefix(OWN)).strip("-")[:_MOST_LETTERS]
    return f"{OWN}{cleaned or 'unnamed'}"
