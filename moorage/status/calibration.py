"""What engines were measured to have, kept in the form of `catalog/measurements.yaml`."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

import yaml

from moorage.errors import MoorageError
from moorage.status.judge import Report, Row
from moorage.status.places import Place

_MEASURED: Final = frozenset({"kv_gib", "kv_tokens", "date"})  # the rest says what was measured
_HEAD: Final = (
    "# What engines of ours were measured to have: `moorage status` keeps it, `make fit` compares\n"
    "# it with the proof. A row may be copied into catalog/measurements.yaml.\n"
)


def keep(file: Path, places: Sequence[Place], report: Report, today: date | None = None) -> bool:
    """Add what the report measured; a newer measurement of the same thing takes the older's place.

    Whether anything was written: what is known already is not.
    """
    day = (today or datetime.now(UTC).date()).isoformat()
    known = {_identity(row): row for row in _read(file)}
    before = dict(known)
    for row in _measured(places, report, day):
        if _numbers(known.get(_identity(row), {})) != _numbers(row):
            known[_identity(row)] = row
    if known == before:
        return False
    _write(file, {"source": "moorage status", "rows": list(known.values())})
    return True


def _measured(places: Sequence[Place], report: Report, day: str) -> Iterator[dict[str, Any]]:
    for place, row in zip(places, report.rows, strict=True):
        asked = place.planned.get("measured_as")
        if asked is not None and row.kv_tokens is not None:
            yield {**_row(asked, row, place.planned["kv_tokens"]), "date": day}


def _row(asked: Mapping[str, Any], row: Row, planned_tokens: int) -> dict[str, Any]:
    """The cache in GiB follows from its tokens: a proof's tokens are in proportion to its GiB."""
    assert row.kv_tokens is not None
    told = {name: value for name, value in asked.items() if name != "planned_kv_gib"}
    gib = asked["planned_kv_gib"] * row.kv_tokens / planned_tokens
    measured = {"kv_gib": round(gib, 2), "kv_tokens": row.kv_tokens}
    return {
        **told,
        "version": row.version,
        "weights_gib": None,
        "activations_gib": None,
        **measured,
    }


def _identity(row: Mapping[str, Any]) -> tuple[tuple[str, Any], ...]:
    return tuple(sorted((name, value) for name, value in row.items() if name not in _MEASURED))


def _numbers(row: Mapping[str, Any]) -> tuple[Any, Any]:
    return row.get("kv_gib"), row.get("kv_tokens")


def _read(file: Path) -> list[dict[str, Any]]:
    try:
        rows: list[dict[str, Any]] = yaml.safe_load(file.read_text("utf-8"))["rows"]
        return [dict(row) for row in rows]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, TypeError, KeyError, yaml.YAMLError) as error:
        message = f"{file} cannot be understood as measurements; move it away ({error})"
        raise MoorageError(" ".join(message.split())) from error


def _write(file: Path, content: Mapping[str, Any]) -> None:
    """In one step, so that two at once leave one whole file."""
    text = _HEAD + yaml.safe_dump(dict(content), sort_keys=False, allow_unicode=True)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=file.parent, delete=False) as draft:
            draft.write(text)
        os.replace(draft.name, file)  # noqa: PTH105  of a name
    except OSError as error:
        message = f"{file} cannot be written: {error.strerror}"
        raise MoorageError(message) from error
