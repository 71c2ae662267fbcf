"""What an answer, or none, and the counters around it say of an engine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from moorage.provider.serving import loop
from moorage.provider.serving.metrics import Metrics
from moorage.status.places import Place

ANSWERS, BUSY, LOADING = "answers", "busy", "loading"
HANGS, REFUSES, UNREACHABLE, UNASKED = "hangs", "refuses", "unreachable", "not asked"
ASLEEP: Final = "asleep"
_FINE: Final = frozenset({ANSWERS, BUSY, UNASKED, ASLEEP})
_SERVER_FAULTS: Final = range(500, 600)


@dataclass(frozen=True, kw_only=True, slots=True)
class Sight:
    """What was seen of a placement in a few seconds."""

    is_served: bool = False  # the one request
    is_refused: bool = False
    is_slow: bool = False  # no answer in time
    status: int = 0  # of HTTP
    says: str = ""
    before: Metrics = field(default_factory=Metrics)
    after: Metrics = field(default_factory=Metrics)
    between_s: float = 0.0

    @property
    def tokens_made(self) -> float | None:
        """Between the two looks at its counters."""
        return _more(self.before.generation_tokens, self.after.generation_tokens)

    @property
    def has_moved(self) -> bool:
        """Whether it did anything between the two looks, be it reading a long prompt."""
        return bool(self.tokens_made or _more(self.before.steps, self.after.steps))


def _more(first: float | None, last: float | None) -> float | None:
    return None if first is None or last is None else max(last - first, 0.0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One placement in the table."""

    service: str
    name: str
    kind: str
    url: str
    state: str
    says: str = ""
    engine: str | None = None
    version: str | None = None
    model: str | None = None
    kv_tokens: int | None = None
    kv_planned: int | None = None
    kv_difference: float | None = None
    kv_usage: float | None = None
    running: int | None = None
    waiting: int | None = None
    tokens_per_second: float | None = None

    @property
    def is_fine(self) -> bool:
        """Whether it need not worry anybody."""
        return self.state in _FINE


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """What a stack does now: a row for the gateway, and one for each placement."""

    rows: Sequence[Row]

    @property
    def is_fine(self) -> bool:
        """Whether everything that must answer did."""
        return all(row.is_fine for row in self.rows)


def state(sight: Sight) -> str:
    """Liveness is progress: one that is slow lives as long as it works."""
    if sight.is_served:
        return ANSWERS
    if sight.is_refused:
        return REFUSES
    if (sight.is_slow or sight.status in _SERVER_FAULTS) and sight.has_moved:
        return BUSY
    if sight.status in _SERVER_FAULTS:
        return LOADING
    return HANGS if sight.is_slow and sight.after.running is not None else UNREACHABLE


def row(place: Place, sight: Sight) -> Row:
    """A placement that was asked."""
    cache, planned = sight.after.cache, place.planned.get("kv_tokens")
    compared = loop.compare(cache.tokens, planned, 0.0) if cache and planned else None
    made, found = sight.tokens_made, state(sight)
    if found == UNREACHABLE and place.planned.get("may_sleep"):
        found = ASLEEP
    return Row(
        service=place.service,
        name=place.name,
        kind=place.kind,
        url=place.url,
        state=found,
        says=_says(place, sight, found),
        engine=place.planned.get("engine"),
        version=sight.after.version or place.planned.get("version"),
        model=place.model or None,
        kv_tokens=cache.tokens if cache else None,
        kv_planned=planned,
        kv_difference=compared.difference if compared else None,
        kv_usage=sight.after.kv_usage,
        running=sight.after.running,
        waiting=sight.after.waiting,
        tokens_per_second=None if made is None else made / max(sight.between_s, 0.001),
    )


def _says(place: Place, sight: Sight, found: str) -> str:
    """What is wrong, and what explains it."""
    if found == ASLEEP:
        return f"{sight.says}: it stops when nobody asks; `moorage refresh` tells if it is gone"
    known = place.known if found == UNREACHABLE else ""
    return f"{sight.says}; at the last deployment it was {known}" if known else sight.says


def unasked(place: Place) -> Row:
    """A placement that was left alone, with what is known of it."""
    known = f"; at the last deployment it was {place.known}" if place.known else ""
    return Row(
        service=place.service,
        name=place.name,
        kind=place.kind,
        url=place.url,
        state=UNASKED,
        says=f"{place.why_unasked}: --all asks it too{known}",
        engine=place.planned.get("engine"),
        version=place.planned.get("version"),
        model=place.model or None,
        kv_planned=place.planned.get("kv_tokens"),
    )
