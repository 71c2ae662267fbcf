"""The numbers of a run, each with its unit, its formula and how many requests it stands on."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from loadtests.rows import Row
from moorage.spec.types import Slo


@dataclass(frozen=True, kw_only=True, slots=True)
class Measure:
    name: str
    value: float | None
    unit: str
    formula: str
    n: int
    limit: float | None = None
    ok: bool | None = None  # None: reported, not judged


def percentile(values: Sequence[float], share: float) -> float | None:
    """Nearest rank: the smallest value with at least `share` of all values at or below it."""
    if not values:
        return None
    return sorted(values)[max(1, math.ceil(share * len(values))) - 1]


def at_most(measure: Measure, limit: float | None) -> Measure:
    """The measure judged: at most the limit; one that has no value is not judged."""
    ok = None if limit is None or measure.value is None else measure.value <= limit
    return replace(measure, limit=limit, ok=ok)


def first_token_ms(row: Row) -> float | None:
    return None if row.first_token_s is None else (row.first_token_s - row.intended_s) * 1000


def whole_ms(row: Row) -> float | None:
    return None if row.end_s is None or not row.is_ok else (row.end_s - row.intended_s) * 1000


def per_token_ms(row: Row) -> float | None:
    tokens = row.completion_tokens
    if not row.is_ok or not tokens or tokens < 2:
        return None
    if row.first_token_s is None or row.last_token_s is None:
        return None
    return (row.last_token_s - row.first_token_s) * 1000 / (tokens - 1)


def schedule_lag_ms(row: Row) -> float | None:
    return None if row.sent_s is None else (row.sent_s - row.intended_s) * 1000


def present(values: Sequence[float | None]) -> list[float]:
    return [value for value in values if value is not None]


def first_tokens_ms(rows: Sequence[Row]) -> list[float]:
    """Times to the first token; where no answer is streamed (embeddings), to the whole answer."""
    if any(row.streamed for row in rows):
        return present([first_token_ms(row) for row in rows])
    return present([whole_ms(row) for row in rows])


def error_rate(rows: Sequence[Row]) -> float | None:
    asked = [row for row in rows if row.outcome != "dropped"]
    return sum(not row.is_ok for row in asked) / len(asked) if asked else None


def of_service(rows: Sequence[Row], slo: Slo) -> list[Measure]:
    """What the service levels speak of, judged by those that are asked for."""
    wholes = present([whole_ms(row) for row in rows])
    return [
        *_of_first_token(rows, slo),
        _of_tokens(rows, slo),
        Measure(
            name="e2e_p95",
            value=percentile(wholes, 0.95),
            unit="ms",
            n=len(wholes),
            formula="p95 (nearest rank) of end of answer - intended start, good answers",
        ),
        at_most(
            Measure(
                name="error_rate",
                value=error_rate(rows),
                unit="share",
                n=len(rows),
                formula="1 - good answers / requests",
            ),
            slo.error_rate,
        ),
    ]


def _of_first_token(rows: Sequence[Row], slo: Slo) -> list[Measure]:
    times = first_tokens_ms(rows)
    streamed = any(row.streamed for row in rows)
    what = "first non-empty content" if streamed else "whole answer (nothing is streamed)"

    def measure(name: str, share: float) -> Measure:
        return Measure(
            name=name,
            value=percentile(times, share),
            unit="ms",
            n=len(times),
            formula=f"p{share * 100:.0f} (nearest rank) of {what} - intended start",
        )

    return [measure("ttft_p50", 0.5), at_most(measure("ttft_p95", 0.95), slo.ttft_p95_ms)]


def _of_tokens(rows: Sequence[Row], slo: Slo) -> Measure:
    streamed = [row for row in rows if row.streamed]
    times = present([per_token_ms(row) for row in streamed])
    measure = Measure(
        name="tpot_p95",
        value=percentile(times, 0.95),
        unit="ms",
        n=len(times),
        formula="p95 (nearest rank) of (last content - first content) / (n - 1), "
        "n = completion_tokens as the server counted",
    )
    return at_most(measure, slo.tpot_p95_ms if streamed else None)


def of_run(rows: Sequence[Row]) -> list[Measure]:
    """What explains the other numbers: how many, how evenly, in how many pieces."""
    lags = present([schedule_lag_ms(row) for row in rows])
    burst = [row for row in rows if row.is_ok and row.streamed and (row.completion_tokens or 0) > 2]
    at_once = sum(row.first_token_s == row.last_token_s for row in burst)
    return [
        Measure(name="requests", value=len(rows), unit="", n=len(rows), formula="arrivals"),
        Measure(
            name="schedule_lag_p99",
            value=percentile(lags, 0.99),
            unit="ms",
            n=len(lags),
            formula="p99 (nearest rank) of sent - intended start",
        ),
        Measure(
            name="buffered_share",
            value=at_once / len(burst) if burst else None,
            unit="share",
            n=len(burst),
            formula="streams of more than 2 tokens whose content came in one read / such streams",
        ),
    ]


def outcomes(rows: Sequence[Row]) -> dict[str, int]:
    return dict(Counter(row.outcome for row in rows).most_common())


def backends(rows: Sequence[Row]) -> dict[str, int]:
    """Good answers of each backend, by the name that the gateway gives it."""
    return dict(Counter(row.backend for row in rows if row.is_ok and row.backend).most_common())
