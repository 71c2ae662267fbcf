"""Looking at every placement at once: its counters twice, a second apart, and one real request."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Final

from moorage.errors import MoorageError
from moorage.provider.serving import ask, metrics, probe
from moorage.provider.serving.ask import NotYet
from moorage.provider.serving.metrics import Metrics
from moorage.status import judge
from moorage.status.judge import Report, Row, Sight
from moorage.status.places import GATEWAY, Place

_MOST_AT_ONCE: Final = 32
_BETWEEN_S: Final = 1.0
_LEAST_S: Final = 0.2
_COUNTERS_SHARE: Final = 0.25  # of the time, for one look at the counters


@dataclass(frozen=True, kw_only=True, slots=True)
class _Glance:
    """The counters at one moment."""

    metrics: Metrics
    at_s: float


def look(
    places: Sequence[Place],
    *,
    within_s: float,
    between_s: float = _BETWEEN_S,
    ask_all: bool = False,
) -> Report:
    """What each does now; one that is asked costs it a token."""

    def row(place: Place) -> Row:
        if place.why_unasked and not ask_all:
            return judge.unasked(place)
        return judge.row(place, _sight(place, within_s, between_s))

    if not places:
        return Report(rows=())
    with ThreadPoolExecutor(max_workers=min(len(places), _MOST_AT_ONCE)) as threads:
        return Report(rows=list(threads.map(row, places)))


def _sight(place: Place, within_s: float, between_s: float) -> Sight:
    end_s = time.monotonic() + within_s
    counters_s = within_s * _COUNTERS_SHARE
    before = _glance(place, counters_s)
    if before.metrics.generation_tokens is not None:
        time.sleep(between_s)
    after = _glance(place, counters_s) if before.metrics.running is not None else before
    seen = _asked(place, max(end_s - time.monotonic() - counters_s, _LEAST_S))
    if not seen.is_served and after is not before:
        after = _glance(place, counters_s)  # whether it did anything while it was waited for
    took_s = after.at_s - before.at_s
    return replace(seen, before=before.metrics, after=after.metrics, between_s=took_s)


def _glance(place: Place, timeout_s: float) -> _Glance:
    try:
        told = Metrics() if place.kind == GATEWAY else metrics.read(place.url, place.key, timeout_s)
    except NotYet:
        told = Metrics()
    return _Glance(metrics=told, at_s=time.monotonic())


def _asked(place: Place, timeout_s: float) -> Sight:
    if not place.url:
        return Sight(says="it did not come up; `moorage up` goes on with it")
    path, body = _question(place)
    try:
        ask.prove(place.url, place.key, path, body, timeout_s)
    except NotYet as why:
        is_slow = why.reason == probe.SLOW
        return Sight(is_slow=is_slow, status=why.status, says=why.reason)
    except MoorageError as refusal:
        return Sight(is_refused=True, says=str(refusal))
    return Sight(is_served=True)


def _question(place: Place) -> tuple[str, str | None]:
    if place.kind == GATEWAY:
        return "/health", None
    if (probe := place.planned.get("probe")) is not None:  # which has proven it when it was made
        return probe["path"], probe.get("body")
    asked = ask.smallest(place.task, place.model)
    if asked is None:
        return "/v1/models", None
    path, body = asked
    return f"/v1{path}", json.dumps(body)
