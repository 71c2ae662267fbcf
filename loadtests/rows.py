"""What a run leaves behind: one row for each arrival, the client's health, the marks in time."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One arrival. Times are seconds of CLOCK_MONOTONIC, None where it did not happen."""

    intended_s: float
    sent_s: float | None = None
    first_token_s: float | None = None
    last_token_s: float | None = None
    end_s: float | None = None
    outcome: str = "ok"
    status: int | None = None
    backend: str | None = None
    request_id: str | None = None
    streamed: bool = False
    completion_tokens: int | None = None
    content_events: int = 0
    profile: str = ""

    @property
    def is_ok(self) -> bool:
        return self.outcome == "ok"

    def to_line(self) -> str:
        return json.dumps(asdict(self)) + "\n"

    @classmethod
    def from_line(cls, line: str) -> Row:
        return cls(**_known(cls, json.loads(line)))


@dataclass(frozen=True, kw_only=True, slots=True)
class Health:
    """How well the client kept its own clock, and whether its books agree."""

    finished: bool = False  # the generator ended by itself and wrote its last line
    arrivals: int = 0
    events: int = 0  # `request` events that Locust was told
    hub_lag_p50_ms: float = 0.0  # how much a sleep of 20 ms overslept
    hub_lag_p95_ms: float = 0.0
    hub_lag_p99_ms: float = 0.0
    hub_lag_max_ms: float = 0.0

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Health:
        return cls(**_known(cls, values))


@dataclass(frozen=True, kw_only=True, slots=True)
class Marks:
    """When the phases of a run began (CLOCK_MONOTONIC seconds), and what went wrong with them."""

    start_s: float = 0.0
    fault_s: float | None = None  # just before the fault was called
    restoring_s: float | None = None  # just before the restore was called
    restored_s: float | None = None  # the restore returned
    end_s: float = 0.0  # the last arrival that was planned
    primary: str | None = None  # the backend that the fault takes away, where known
    trouble: tuple[str, ...] = ()  # why the run cannot count, in words


def _known(shape: Any, values: Mapping[str, Any]) -> dict[str, Any]:
    names = {field.name for field in fields(shape)}
    return {name: value for name, value in values.items() if name in names}
