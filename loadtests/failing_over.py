"""The numbers of a failover: how soon another backend answered, what was lost, what came back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from loadtests.measures import Measure, at_most, error_rate, first_tokens_ms, percentile
from loadtests.profiles import Profile
from loadtests.rows import Marks, Row
from moorage.spec.types import Failover, Slo

# Where a spec names no error rate, a window counts as good with at most this share of errors.
DEFAULT_ERROR_RATE = 0.005

# Of fewer values the p95 is the largest: one slow answer anywhere would undo a recovery. A window
# with fewer lets its slowest pass.
ENOUGH_FOR_P95 = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Phases:
    """The rows of a failover run by when they were meant to start."""

    baseline: tuple[Row, ...]
    hold: tuple[Row, ...]  # from the fault until the restore was called
    recovery: tuple[Row, ...]  # after the restore returned
    fault_s: float
    restored_s: float

    @property
    def after_fault(self) -> tuple[Row, ...]:
        return (*self.hold, *self.recovery)


def phases(rows: Sequence[Row], marks: Marks) -> Phases | None:
    """None when the run has no fault or no restore."""
    if marks.fault_s is None or marks.restoring_s is None or marks.restored_s is None:
        return None
    fault_s, restoring_s, restored_s = marks.fault_s, marks.restoring_s, marks.restored_s
    return Phases(
        baseline=tuple(row for row in rows if row.intended_s < fault_s),
        hold=tuple(row for row in rows if fault_s <= row.intended_s < restoring_s),
        recovery=tuple(row for row in rows if row.intended_s >= restored_s),
        fault_s=fault_s,
        restored_s=restored_s,
    )


def primary_of(baseline: Sequence[Row]) -> str | None:
    """The backend that served most of the baseline."""
    served = Counter(row.backend for row in baseline if row.is_ok and row.backend)
    return served.most_common(1)[0][0] if served else None


def of_failover(
    rows: Sequence[Row], parts: Phases, primary: str | None, profile: Profile, slo: Slo,
    failover: Failover,
) -> list[Measure]:  # fmt: skip
    lost = [row for row in rows if not row.is_ok and (row.end_s or 0.0) >= parts.fault_s]
    return [
        at_most(_time_to_recover(rows, parts, profile, slo), failover.time_to_recover_s),
        _detection(rows, parts, primary),
        _first_success(rows, parts),
        *_losses(lost, failover),
        *_fail_back(parts, primary),
    ]


def time_to_recover_s(
    rows: Sequence[Row], fault_s: float, window_s: float, slo: Slo
) -> float | None:
    """From the fault to the first window from which on every window is good; None: never.

    Windows start at the fault and at every later arrival, and end before the last arrival, so
    that the tail of the run cannot pass for a recovery on a request or two.
    """
    later = sorted((r for r in rows if r.intended_s >= fault_s), key=lambda row: row.intended_s)
    if not later:
        return None
    last_start_s = later[-1].intended_s - window_s
    starts = [fault_s, *(row.intended_s for row in later)]
    recovered_s = None
    for start_s in reversed([start for start in starts if start <= last_start_s]):
        window = [row for row in later if start_s <= row.intended_s <= start_s + window_s]
        if not _is_good(window, slo):
            break
        recovered_s = start_s
    return None if recovered_s is None else recovered_s - fault_s


def _is_good(window: Sequence[Row], slo: Slo) -> bool:
    allowed = DEFAULT_ERROR_RATE if slo.error_rate is None else slo.error_rate
    if (error_rate(window) or 0.0) > allowed:
        return False
    times_ms = sorted(first_tokens_ms(window))
    if slo.ttft_p95_ms is None or not times_ms:
        return True
    if 1 < len(times_ms) < ENOUGH_FOR_P95:
        return times_ms[-2] <= slo.ttft_p95_ms
    return (percentile(times_ms, 0.95) or 0.0) <= slo.ttft_p95_ms


def _time_to_recover(rows: Sequence[Row], parts: Phases, profile: Profile, slo: Slo) -> Measure:
    return Measure(
        name="time_to_recover",
        value=time_to_recover_s(rows, parts.fault_s, profile.window_s, slo),
        unit="s",
        n=sum(row.intended_s >= parts.fault_s for row in rows),
        formula=f"fault -> start of the first {profile.window_s:g} s window (by intended start) "
        "from which on every window keeps the error rate and ttft_p95 (of fewer than "
        f"{ENOUGH_FOR_P95} answers all but the slowest)",
    )


def _detection(rows: Sequence[Row], parts: Phases, primary: str | None) -> Measure:
    began = [row.first_token_s or row.end_s or 0.0 for row in rows if _is_other(row, primary)]
    others = [at_s for at_s in began if at_s >= parts.fault_s]
    return Measure(
        name="detection",
        value=min(others) - parts.fault_s if others else None,
        unit="s",
        n=len(others),
        formula="fault -> first answer of another backend",
    )


def _is_other(row: Row, primary: str | None) -> bool:
    return row.is_ok and row.backend is not None and row.backend != primary


def _first_success(rows: Sequence[Row], parts: Phases) -> Measure:
    good = [row.intended_s for row in rows if row.is_ok and row.intended_s >= parts.fault_s]
    return Measure(
        name="time_to_first_success",
        value=min(good) - parts.fault_s if good else None,
        unit="s",
        n=len(good),
        formula="fault -> intended start of the first request after it that succeeded",
    )


def _losses(lost: Sequence[Row], failover: Failover) -> list[Measure]:
    before = [row for row in lost if row.first_token_s is None]
    midstream = [row for row in lost if row.first_token_s is not None]

    def count(name: str, rows: Sequence[Row], what: str) -> Measure:
        formula = f"requests that failed at or after the fault, {what}"
        return Measure(name=name, value=len(rows), unit="", n=len(lost), formula=formula)

    streamed = [row for row in before if row.streamed]
    whole = [row for row in before if not row.streamed]
    return [
        at_most(
            count("lost_before_first_token", before, "with no token delivered"),
            failover.lost_before_first_token,
        ),
        count("lost_streamed_before_first_token", streamed, "streamed, with no token delivered"),
        count("lost_not_streamed", whole, "not streamed"),
        count("lost_midstream", midstream, "in the middle of their stream"),
        Measure(
            name="tokens_lost_midstream",
            value=sum(row.content_events for row in midstream),
            unit="events",
            n=len(midstream),
            formula="content events delivered by streams that then failed",
        ),
    ]


def _fail_back(parts: Phases, primary: str | None) -> list[Measure]:
    good = [row for row in parts.recovery if row.is_ok]
    back = [row for row in good if row.backend == primary]
    ends = [row.end_s for row in back if row.end_s is not None]
    return [
        Measure(
            name="fail_back_share",
            value=len(back) / len(good) if good else None,
            unit="share",
            n=len(good),
            formula="answers of the first backend / good answers after the restore",
        ),
        Measure(
            name="fail_back_time",
            value=min(ends) - parts.restored_s if ends else None,
            unit="s",
            n=len(back),
            formula="restore returned -> first answer of the first backend",
        ),
    ]
