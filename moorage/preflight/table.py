"""The table, for people and for machines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

from moorage.preflight.judge import PROBLEM, WARNING, Report, Row

_HEAD: Final = Row(asked="asked", there="there", verdict="", todo="what to do")


def text(report: Report) -> str:
    """One line for each row, in columns, and one that sums them up."""
    cells = [_cells(row) for row in (_HEAD, *report.rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ["  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) for row in cells]
    return "\n".join([*(line.rstrip() for line in lines), _sum(report.rows)])


def as_json(report: Report) -> dict[str, Any]:
    """The same as plain values."""
    return {"fine": report.is_fine, "rows": [asdict(row) for row in report.rows]}


def _cells(row: Row) -> tuple[str, str, str, str]:
    return row.verdict, row.asked, row.there, row.todo


def _sum(rows: Sequence[Row]) -> str:
    problems = sum(row.verdict == PROBLEM for row in rows)
    warnings = sum(row.verdict == WARNING for row in rows)
    return f"preflight: {len(rows)} asked, {_many(problems, PROBLEM)}, {_many(warnings, WARNING)}"


def _many(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"
