"""Which versions of an engine have something: `first`, `first..last`, or `any`; pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Final

ANY: Final = "any"

_NUMBER = re.compile(r"\d+")


def holds(span: str, version: str, *, versions: Sequence[str], read: Sequence[str]) -> bool | None:
    """Whether a version has what the span is of; None where nobody has looked.

    `versions` are those known, newest first, `read` those of which it was read. A version may lie
    between one that was read and did not have it and one that was read and did.
    """
    first, _, last = span.partition("..")
    if not first:
        return False
    asked = number(version)
    if not asked or first == ANY:
        return not last or not versions or number(versions[0]) <= number(last)
    if number(first) <= asked and (not last or asked <= number(last)):
        return True
    looked = [number(one) for one in read or versions]
    too_old = any(asked <= one < number(first) for one in looked)
    too_new = bool(last) and any(number(last) < one <= asked for one in looked)
    return False if too_old or too_new else None


def is_older(version: str, than: str) -> bool:
    """Whether one version came before another; of what is no version nobody knows."""
    asked = number(version)
    return bool(asked) and asked < number(than)


@cache
def number(version: str) -> tuple[int, ...]:
    """0.33.0 as numbers that compare; nothing for a word."""
    found = _NUMBER.findall(version)[:6] if version[:1].isdigit() else ()
    return tuple(map(int, found))
