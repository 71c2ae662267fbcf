"""What an engine takes besides weights and cache, as `catalog/calibration.yaml` bounds it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from moorage.errors import MoorageError

FILE = "calibration.yaml"


class Bound(NamedTuple):
    """At least, likely, at most."""

    low: float
    likely: float
    high: float


class Row(NamedTuple):
    """What was measured or is known of an engine's versions on a class of GPUs."""

    engine: str
    since: tuple[int, ...]
    below: tuple[int, ...]
    capability: float | None  # None: any
    utilization: float  # the share of a GPU that is asked for where a spec does not say
    sampler: Bound
    sampler_of_towers: Bound
    tokens: Bound
    tower_gib: Bound
    other_gib: Bound
    other_parallel_gib: Bound
    graph_mib: Bound
    graph_parallel_mib: Bound
    state_share: Bound
    expert_pads: tuple[int, int]
    confidence: str


class Calibration(NamedTuple):
    """All rows, those that know most first."""

    rows: tuple[Row, ...] = ()


BOUNDS = (
    "sampler",
    "sampler_of_towers",
    "tokens",
    "tower_gib",
    "other_gib",
    "other_parallel_gib",
    "graph_mib",
    "graph_parallel_mib",
    "state_share",
)


def read(catalog: Path) -> Calibration:
    """The rows of the catalogue's folder."""
    path = catalog / FILE
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
        return Calibration(rows=tuple(_row(row) for row in content["rows"]))
    except (OSError, ValueError, TypeError, KeyError, yaml.YAMLError) as error:
        msg = f"{path} cannot be understood: {type(error).__name__} {error}"
        raise MoorageError(msg) from error


def find(calibration: Calibration, engine: str, version: str, capability: float) -> Row | None:
    """The first row that speaks of this engine, version and GPU."""
    asked = version_of(version)
    for row in calibration.rows:
        same = row.engine == engine and row.since <= asked < row.below
        if same and row.capability in (None, capability):
            return row
    return None


@lru_cache(maxsize=1024)
def version_of(text: str) -> tuple[int, ...]:
    """The numbers of a version; a word among them ends it."""
    found: list[int] = []
    for part in text.removeprefix("v").split("."):
        if not (part.isascii() and part.isdigit()) or len(part) > 8:
            break
        found.append(int(part))
    return tuple(found)


def _row(row: Mapping[str, Any]) -> Row:
    hidden, inner = row["expert_pads"]
    return Row(
        engine=row["engine"],
        since=version_of(str(row["from"])),
        below=version_of(str(row["below"])),
        capability=row["capability"],
        utilization=float(row["utilization"]),
        expert_pads=(int(hidden), int(inner)),
        confidence=row["confidence"],
        **{name: _bound(row[name], name) for name in BOUNDS},
    )


def _bound(value: Any, name: str) -> Bound:
    low, likely, high = map(float, value)
    if not 0 <= low <= likely <= high:
        msg = f"{name} must rise: at least, likely, at most"
        raise ValueError(msg)
    return Bound(low=low, likely=likely, high=high)
