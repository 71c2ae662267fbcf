"""A problem is a value: something wrong, its place, and what to do about it."""

from __future__ import annotations

from typing import NamedTuple

from msgspec import Struct


class Problem(Struct, frozen=True, kw_only=True, order=True):
    """One thing wrong in one file; `line` and `column` count from 1."""

    file: str
    line: int = 1
    column: int = 1
    rule: str  # a readable slug
    says: str
    hint: str = ""  # what to do; may be empty where `says` already tells
    severity: str = "error"  # error | warning; a warning does not refuse the spec

    def __str__(self) -> str:
        advice = f"; {self.hint}" if self.hint else ""
        grave = "" if self.severity == "error" else f" ({self.severity})"
        place = f"{self.file}:{self.line}:{self.column}"
        return f"{place} {self.rule}{grave}: {self.says}{advice}"


class Place(NamedTuple):
    """Where something stands in a file, counted from 1; processes exchange thousands of them."""

    line: int = 1
    column: int = 1
