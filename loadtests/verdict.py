"""The verdict on a run: PASS, FAIL, or INVALID when the run proves nothing either way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from loadtests.failing_over import Phases, of_failover, phases, primary_of
from loadtests.measures import (
    Measure,
    backends,
    error_rate,
    of_run,
    of_service,
    outcomes,
    percentile,
    present,
    schedule_lag_ms,
)
from loadtests.profiles import Profile
from loadtests.rows import Health, Marks, Row
from moorage.errors import Exit
from moorage.spec.types import Failover, Slo

# The client may lag so far, or by such a share of the first-token limit where that is more. Wide
# on purpose: the lag is part of every latency, so it can fail a run but never flatter it.
SCHEDULE_LAG_P99_MS = 250.0
SCHEDULE_LAG_SHARE = 0.25
HUB_LAG_P95_MS = 100.0
HUB_LAG_SHARE = 0.10

BASELINE_MUST_SUCCEED = 0.9
MIN_SAMPLES = 5  # fewer make no percentile worth judging


class Ruling(StrEnum):
    PASS = "PASS"  # noqa: S105 - not a password
    FAIL = "FAIL"
    INVALID = "INVALID"


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    ruling: Ruling
    exit_code: Exit
    profile: str
    service: str = ""
    reasons: tuple[str, ...] = ()
    measures: tuple[Measure, ...] = ()
    outcomes: Mapping[str, int] = field(default_factory=dict)
    backends: Mapping[str, int] = field(default_factory=dict)
    health: Health = field(default_factory=Health)

    def measure(self, name: str) -> Measure:
        return next(measure for measure in self.measures if measure.name == name)


def judge(
    rows: Sequence[Row],
    profile: Profile,
    slo: Slo,
    failover: Failover,
    health: Health,
    marks: Marks,
) -> Verdict:
    """Judge a run: first whether it can count at all, then by every limit that was asked for."""
    parts = phases(rows, marks) if profile.has_fault else None
    measures = _measures(rows, profile, slo, failover, marks, parts)
    ruling, exit_code, reasons = _rule(rows, profile, slo, health, marks, parts, measures)
    return Verdict(
        ruling=ruling,
        exit_code=exit_code,
        profile=profile.name,
        reasons=tuple(reasons),
        measures=tuple(measures),
        outcomes=outcomes(rows),
        backends=backends(rows),
        health=health,
    )


def _measures(
    rows: Sequence[Row], profile: Profile, slo: Slo, failover: Failover, marks: Marks,
    parts: Phases | None,
) -> list[Measure]:  # fmt: skip
    # A failover run breaks things on purpose: service levels are judged by the smoke test only.
    measures = of_service(rows, Slo() if profile.has_fault else slo)
    if parts is not None:
        primary = marks.primary or primary_of(parts.baseline)
        measures = [*of_failover(rows, parts, primary, profile, slo, failover), *measures]
    return [*measures, *of_run(rows)]


def _rule(
    rows: Sequence[Row], profile: Profile, slo: Slo, health: Health, marks: Marks,
    parts: Phases | None, measures: Sequence[Measure],
) -> tuple[Ruling, Exit, list[str]]:  # fmt: skip
    sent = [row for row in rows if row.sent_s is not None]
    if sent and not any(row.status for row in sent):
        reason = f"the service never answered ({_counts(outcomes(sent))})"
        return Ruling.FAIL, Exit.UNANSWERED, [reason]
    doubts = [*_doubts(rows, profile, slo, health, marks)]
    doubts += _doubts_of_failover(profile, marks, parts)
    if doubts:
        return Ruling.INVALID, Exit.PROVES_NOTHING, doubts
    if failures := [*_failures(rows, measures), *_failures_of_failover(parts, marks, measures)]:
        exit_code = Exit.FAILOVER if profile.has_fault else Exit.PROBLEMS
        return Ruling.FAIL, exit_code, failures
    if not profile.has_fault and (unproven := [*_unproven(rows, slo, measures)]):
        return Ruling.INVALID, Exit.PROVES_NOTHING, unproven
    return Ruling.PASS, Exit.FINE, []


def _doubts(
    rows: Sequence[Row], profile: Profile, slo: Slo, health: Health, marks: Marks
) -> Iterable[str]:
    """Why the run cannot count."""
    yield from marks.trouble
    count = outcomes(rows)
    if not health.finished:
        yield "the load generator ended early"
    elif not len(rows) == health.arrivals == health.events:
        yield (
            f"the books do not agree: {health.arrivals} arrivals, {len(rows)} rows, "
            f"{health.events} events"
        )
    if len(rows) < profile.min_requests:
        yield f"too few requests: {len(rows)} of at least {profile.min_requests}"
    for outcome in ("dropped", "cancelled", "client_error"):
        if count.get(outcome):
            yield f"{count[outcome]} of {len(rows)} requests ended as {outcome} by the client"
    yield from _client_lag(rows, slo, health)


def _client_lag(rows: Sequence[Row], slo: Slo, health: Health) -> Iterable[str]:
    ttft_ms = slo.ttft_p95_ms or 0.0
    lag_ms = percentile(present([schedule_lag_ms(row) for row in rows]), 0.99) or 0.0
    if lag_ms > (allowed_ms := max(SCHEDULE_LAG_P99_MS, SCHEDULE_LAG_SHARE * ttft_ms)):
        yield f"the client was too busy: schedule lag p99 {lag_ms:.0f} ms, at most {allowed_ms:.0f}"
    hub_ms = health.hub_lag_p95_ms
    if hub_ms > (allowed_ms := max(HUB_LAG_P95_MS, HUB_LAG_SHARE * ttft_ms)):
        yield f"the client was too busy: hub lag p95 {hub_ms:.0f} ms, at most {allowed_ms:.0f}"


def _doubts_of_failover(profile: Profile, marks: Marks, parts: Phases | None) -> Iterable[str]:
    if not profile.has_fault:
        return
    if parts is None:
        yield "no fault was injected and undone"
        return
    floor = profile.min_requests_per_phase
    for name in ("baseline", "hold", "recovery"):
        count = len(getattr(parts, name))
        if count < floor:
            yield f"too few requests in {name}: {count} of at least {floor}"
    ended = [row for row in parts.baseline if (row.end_s or 0.0) < parts.fault_s]
    if (errors := error_rate(ended) or 0.0) > 1 - BASELINE_MUST_SUCCEED:
        yield f"the service was not well before the fault: {errors:.0%} of the requests failed"
    yield from _doubts_of_fault(marks, parts)


def _doubts_of_fault(marks: Marks, parts: Phases) -> Iterable[str]:
    """Whether the fault bit: the first backend served before it and no longer alone after it."""
    served = {row.backend for row in parts.baseline if row.is_ok and row.backend}
    if not served:
        yield "no answer named its backend (x-moorage-backend), so no change of it can be seen"
        return
    primary = marks.primary or primary_of(parts.baseline)
    if primary not in served:
        yield f"{primary} never served before the fault"
    if not _others(parts, primary) and all(row.is_ok for row in parts.hold):
        yield f"the fault did not bite: {primary} answered on, no other backend was needed"


def _others(parts: Phases, primary: str | None) -> set[str]:
    answered = {row.backend for row in parts.after_fault if row.is_ok and row.backend}
    return answered - {primary or ""}


def _failures(rows: Sequence[Row], measures: Sequence[Measure]) -> Iterable[str]:
    if not any(row.is_ok for row in rows):
        yield f"no request succeeded ({_counts(outcomes(rows))})"
    for measure in measures:
        if measure.ok is False and measure.value is not None and measure.limit is not None:
            yield (
                f"{measure.name} {shown(measure.value, measure.unit)}, "
                f"at most {shown(measure.limit, measure.unit)} allowed"
            )


def _failures_of_failover(
    parts: Phases | None, marks: Marks, measures: Sequence[Measure]
) -> Iterable[str]:
    if parts is None:
        return
    if not _others(parts, marks.primary or primary_of(parts.baseline)):
        yield "no other backend answered while the first one was down"
    if any(m.name == "time_to_recover" and m.value is None for m in measures):
        yield "the service had not recovered when the run ended"


def _unproven(rows: Sequence[Row], slo: Slo, measures: Sequence[Measure]) -> Iterable[str]:
    """Service levels that were asked for and could not be measured well enough."""
    asked = {"ttft_p95": slo.ttft_p95_ms, "tpot_p95": slo.tpot_p95_ms}
    if not any(row.streamed for row in rows):
        del asked["tpot_p95"]  # an embedding has no tokens to wait for
    for measure in measures:
        if asked.get(measure.name) is not None and measure.n < MIN_SAMPLES:
            yield f"{measure.name} stands on {measure.n} answers, at least {MIN_SAMPLES} are needed"


def shown(value: float, unit: str) -> str:
    """A number for a person."""
    if unit == "share":
        return f"{value * 100:.3g} %"
    if unit in ("", "events"):
        return f"{value:g} {unit}".rstrip()
    digits = 0 if value >= 100 else 1 if value >= 10 else 2
    return f"{value:.{digits}f} {unit}"


def _counts(by_name: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in by_name.items())
