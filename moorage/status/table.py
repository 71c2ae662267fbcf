"""The table, for people and for machines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any, Final

from moorage.status.judge import Report, Row


def _tokens(row: Row) -> str:
    if row.kv_tokens is None:
        return "" if row.kv_planned is None else f"{row.kv_planned:,} planned"
    if row.kv_difference is None:
        return f"{row.kv_tokens:,}"
    return f"{row.kv_tokens:,} ({row.kv_difference:+.1%})"


def _number(value: int | None) -> str:
    return "" if value is None else str(value)


_COLUMNS: Final[dict[str, Callable[[Row], str]]] = {
    "service": lambda row: row.service,
    "placement": lambda row: row.name,
    "kind": lambda row: row.kind,
    "state": lambda row: row.state,
    "engine": lambda row: " ".join(filter(None, (row.engine, row.version))),
    "model": lambda row: row.model or "",
    "kv tokens": _tokens,
    "kv used": lambda row: "" if row.kv_usage is None else f"{row.kv_usage:.0%}",
    "running": lambda row: _number(row.running),
    "waiting": lambda row: _number(row.waiting),
    "tokens/s": lambda row: "" if row.tokens_per_second is None else f"{row.tokens_per_second:.0f}",
    "where": lambda row: row.url,
}


def text(report: Report) -> str:
    """One line for each placement, in columns; what is wrong or left out below."""
    cells = [list(_COLUMNS), *([cell(row) for cell in _COLUMNS.values()] for row in report.rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ["  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) for row in cells]
    return "\n".join([*(line.rstrip() for line in lines), *_remarks(report.rows)])


def as_json(report: Report) -> dict[str, Any]:
    """The same as plain values."""
    return {"fine": report.is_fine, "placements": [asdict(row) for row in report.rows]}


def _remarks(rows: Sequence[Row]) -> list[str]:
    return [f"{_called(row)} {row.state}: {row.says}" for row in rows if row.says]


def _called(row: Row) -> str:
    return f"{row.service}/{row.name}" if row.service else row.name
