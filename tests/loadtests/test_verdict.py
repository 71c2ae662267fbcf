"""Stories of runs, and what each of them proves."""

from __future__ import annotations

from dataclasses import replace

import pytest

from loadtests.failing_over import time_to_recover_s
from loadtests.measures import percentile
from loadtests.profiles import FAILOVER, SMOKE, Profile, fitted
from loadtests.rows import Health, Marks, Row
from loadtests.verdict import Ruling, Verdict, judge
from moorage.errors import Exit
from moorage.spec.types import Failover, Load, Slo

SLO = Slo(ttft_p95_ms=800, tpot_p95_ms=40, error_rate=0.005)
CRITERIA = Failover(time_to_recover_s=5, lost_before_first_token=0)
MARKS = Marks(start_s=0, fault_s=5, restoring_s=11, restored_s=13, end_s=21)


def row(at_s: float, *, ttft_s: float = 0.05, backend: str = "local-1", **changes: object) -> Row:
    """A streamed answer of 11 tokens, 10 ms apart."""
    good = Row(
        intended_s=at_s,
        sent_s=at_s + 0.001,
        first_token_s=at_s + ttft_s,
        last_token_s=at_s + ttft_s + 0.1,
        end_s=at_s + ttft_s + 0.11,
        status=200,
        backend=backend,
        streamed=True,
        completion_tokens=11,
        content_events=11,
        profile="smoke",
    )
    return replace(good, **changes)  # type: ignore[arg-type]


def lost(at_s: float, outcome: str = "http_5xx", **changes: object) -> Row:
    nothing = {"first_token_s": None, "last_token_s": None, "status": 503, "content_events": 0}
    return row(at_s, outcome=outcome, backend=None, **{**nothing, **changes})  # type: ignore[arg-type]


def steady(count: int = 40) -> list[Row]:
    return [row(at * 0.25) for at in range(count)]


def health_of(rows: list[Row]) -> Health:
    return Health(finished=True, arrivals=len(rows), events=len(rows))


def judged(
    rows: list[Row],
    profile: Profile = SMOKE,
    *,
    slo: Slo = SLO,
    failover: Failover = CRITERIA,
    health: Health | None = None,
    marks: Marks = MARKS,
) -> Verdict:
    return judge(rows, profile, slo, failover, health or health_of(rows), marks)


def failing_over(*, gap_s: float = 0.5, first: str = "local-1", then: str = "local-2") -> list[Row]:
    """4 a second for 21 s: `first` serves until 5 s, nobody for `gap_s`, `then` until 13 s."""
    rows = []
    for at_s in (index * 0.25 for index in range(84)):
        if 5 <= at_s < 5 + gap_s:
            rows.append(lost(at_s, streamed=False))
        else:
            rows.append(row(at_s, backend=then if 5 <= at_s < 13 else first))
    return rows


def test_a_run_within_its_service_levels_passes() -> None:
    verdict = judged(steady())
    assert (verdict.ruling, verdict.exit_code, verdict.reasons) == (Ruling.PASS, Exit.FINE, ())
    assert verdict.measure("ttft_p95").value == pytest.approx(50)
    assert verdict.measure("tpot_p95").value == pytest.approx(10)
    assert verdict.backends == {"local-1": 40}


def test_latency_counts_from_the_intended_start() -> None:
    late = [row(at * 0.25, sent_s=at * 0.25 + 0.2, ttft_s=0.25) for at in range(40)]
    assert judged(late).measure("ttft_p95").value == pytest.approx(250)


@pytest.mark.parametrize(
    ("rows", "measure"),
    [
        ([row(at * 0.25, ttft_s=0.9) for at in range(40)], "ttft_p95"),
        ([row(at * 0.25, last_token_s=at * 0.25 + 0.55) for at in range(40)], "tpot_p95"),
        ([*steady(), lost(10.0)], "error_rate"),
    ],
)
def test_a_missed_service_level_fails_with_its_name(rows: list[Row], measure: str) -> None:
    verdict = judged(rows)
    assert (verdict.ruling, verdict.exit_code) == (Ruling.FAIL, Exit.PROBLEMS)
    assert [reason.split()[0] for reason in verdict.reasons] == [measure]
    assert verdict.measure(measure).ok is False


def test_a_service_level_that_nobody_asked_for_is_reported_and_not_judged() -> None:
    verdict = judged([*steady(), lost(10.0)], slo=Slo())
    assert verdict.ruling is Ruling.PASS
    assert verdict.measure("error_rate").value == pytest.approx(1 / 41)
    assert verdict.measure("error_rate").ok is None


def test_a_service_that_only_errs_fails_even_without_service_levels() -> None:
    verdict = judged([lost(at * 0.25) for at in range(40)], slo=Slo())
    assert (verdict.ruling, verdict.exit_code) == (Ruling.FAIL, Exit.PROBLEMS)
    assert "no request succeeded (http_5xx 40)" in verdict.reasons


def test_a_service_that_never_answered_is_told_apart() -> None:
    verdict = judged([lost(at * 0.25, "connect_refused", status=None) for at in range(40)])
    assert (verdict.ruling, verdict.exit_code) == (Ruling.FAIL, Exit.UNANSWERED)


@pytest.mark.parametrize(
    ("rows", "health", "reason"),
    [
        (steady(19), None, "too few requests: 19 of at least 20"),
        ([*steady(), lost(9, "dropped", sent_s=None, status=None)], None, "dropped"),
        ([*steady(), lost(9, "cancelled")], None, "cancelled"),
        (steady(), Health(finished=False, arrivals=40, events=40), "ended early"),
        (steady(), Health(finished=True, arrivals=41, events=40), "books do not agree"),
        (
            steady(),
            Health(finished=True, arrivals=40, events=40, hub_lag_p95_ms=400),
            "too busy: hub lag p95 400 ms, at most 100",
        ),
        ([row(at * 0.25, sent_s=at * 0.25 + 0.3) for at in range(40)], None, "schedule lag"),
    ],
)
def test_a_run_that_proves_nothing_is_invalid(
    rows: list[Row], health: Health | None, reason: str
) -> None:
    verdict = judged(rows, health=health)
    assert (verdict.ruling, verdict.exit_code) == (Ruling.INVALID, Exit.PROVES_NOTHING)
    assert any(reason in said for said in verdict.reasons), verdict.reasons


def test_no_rows_at_all_are_invalid() -> None:
    assert judged([]).ruling is Ruling.INVALID
    assert judged([], FAILOVER).ruling is Ruling.INVALID


def test_a_busy_machine_alone_changes_no_verdict() -> None:
    rows = [row(at * 0.25, sent_s=at * 0.25 + 0.1, ttft_s=0.2) for at in range(40)]
    health = Health(finished=True, arrivals=40, events=40, hub_lag_p95_ms=60, hub_lag_p99_ms=300)
    assert judged(rows, health=health).ruling is Ruling.PASS


def test_tokens_are_never_guessed_so_without_usage_a_limit_on_them_is_unproven() -> None:
    verdict = judged([replace(row, completion_tokens=None) for row in steady()])
    assert verdict.ruling is Ruling.INVALID
    assert "tpot_p95 stands on 0 answers" in verdict.reasons[0]


def test_a_stream_that_came_in_one_piece_is_told_as_buffered() -> None:
    rows = [replace(row, first_token_s=row.last_token_s) for row in steady(20)]
    assert judged([*rows, *steady(20)]).measure("buffered_share").value == 0.5


def test_embeddings_are_judged_by_their_whole_answer() -> None:
    rows = [
        replace(row, streamed=False, first_token_s=None, last_token_s=None, completion_tokens=None)
        for row in steady()
    ]
    verdict = judged(rows)
    assert verdict.ruling is Ruling.PASS
    assert verdict.measure("ttft_p95").value == pytest.approx(160)
    assert "whole answer" in verdict.measure("ttft_p95").formula
    assert verdict.measure("tpot_p95").limit is None


def test_a_failover_within_its_criteria_passes() -> None:
    verdict = judged(failing_over(gap_s=0), FAILOVER)
    assert (verdict.ruling, verdict.reasons) == (Ruling.PASS, ())
    assert verdict.measure("time_to_recover").value == 0
    assert verdict.measure("detection").value == pytest.approx(0.05)
    assert verdict.measure("fail_back_share").value == 1
    assert verdict.backends == {"local-1": 52, "local-2": 32}


def test_requests_lost_before_their_first_token_fail_a_criterion() -> None:
    verdict = judged(failing_over(gap_s=0.5), FAILOVER)
    assert (verdict.ruling, verdict.exit_code) == (Ruling.FAIL, Exit.FAILOVER)
    assert verdict.measure("lost_before_first_token").value == 2
    assert verdict.measure("lost_not_streamed").value == 2
    assert verdict.measure("time_to_recover").value == 0.5


def test_recovering_too_late_fails_a_criterion() -> None:
    criteria = Failover(time_to_recover_s=1)
    verdict = judged(failing_over(gap_s=1.5), FAILOVER, failover=criteria)
    assert verdict.exit_code == Exit.FAILOVER
    assert verdict.reasons == ("time_to_recover 1.50 s, at most 1.00 s allowed",)


def test_a_stream_cut_by_the_fault_counts_as_lost_with_its_tokens() -> None:
    """It began before the fault, so it does not lengthen the recovery; nor can it be retried."""
    cut = row(4.9, outcome="reset", end_s=5.1, content_events=4)
    verdict = judged([*failing_over(gap_s=0), cut], FAILOVER)
    assert verdict.ruling is Ruling.PASS
    assert verdict.measure("lost_midstream").value == 1
    assert verdict.measure("tokens_lost_midstream").value == 4
    assert verdict.measure("lost_before_first_token").value == 0


def test_a_failure_before_the_fault_is_not_the_faults() -> None:
    verdict = judged([*failing_over(gap_s=0), lost(2.0)], FAILOVER)
    assert verdict.measure("lost_before_first_token").value == 0


def test_a_fault_that_did_not_bite_is_invalid() -> None:
    verdict = judged(failing_over(gap_s=0, then="local-1"), FAILOVER)
    assert (verdict.ruling, verdict.exit_code) == (Ruling.INVALID, Exit.PROVES_NOTHING)
    assert "did not bite" in verdict.reasons[0]


def test_an_outage_that_nobody_took_over_fails_whatever_the_criteria() -> None:
    rows = failing_over(gap_s=8)
    verdict = judged(rows, FAILOVER, failover=Failover())
    assert (verdict.ruling, verdict.exit_code) == (Ruling.FAIL, Exit.FAILOVER)
    assert verdict.reasons == ("no other backend answered while the first one was down",)


def test_a_service_that_stays_down_never_recovered() -> None:
    rows = [r if r.intended_s < 5 else lost(r.intended_s) for r in failing_over()]
    verdict = judged(rows, FAILOVER, failover=Failover())
    assert verdict.exit_code == Exit.FAILOVER
    assert "the service had not recovered when the run ended" in verdict.reasons


def test_a_first_backend_that_never_served_is_invalid() -> None:
    verdict = judged(failing_over(), FAILOVER, marks=replace(MARKS, primary="local-9"))
    assert verdict.reasons == ("local-9 never served before the fault",)


def test_answers_without_a_backend_prove_no_failover() -> None:
    rows = [replace(row, backend=None) for row in failing_over(gap_s=0)]
    verdict = judged(rows, FAILOVER)
    assert verdict.ruling is Ruling.INVALID
    assert "x-moorage-backend" in verdict.reasons[0]


def test_every_phase_of_a_failover_needs_requests() -> None:
    rows = [row for row in failing_over() if not 6 <= row.intended_s < 11]
    verdict = judged(rows, FAILOVER)
    assert verdict.reasons == ("too few requests in hold: 4 of at least 10",)


def test_a_service_that_was_ill_before_the_fault_proves_no_failover() -> None:
    rows = [lost(r.intended_s) if r.intended_s < 2 else r for r in failing_over(gap_s=0)]
    verdict = judged(rows, FAILOVER)
    assert verdict.reasons == (
        "the service was not well before the fault: 40% of the requests failed",
    )


def test_streams_that_the_fault_cut_do_not_speak_against_the_baseline() -> None:
    cut = [row(4.5 + at * 0.05, outcome="reset", end_s=5.1) for at in range(10)]
    assert judged([*failing_over(gap_s=0), *cut], FAILOVER).ruling is Ruling.PASS


def test_what_went_wrong_with_the_fault_is_said_and_makes_the_run_invalid() -> None:
    marks = replace(MARKS, trouble=("the restore failed: no such process",))
    verdict = judged(failing_over(gap_s=0), FAILOVER, marks=marks)
    assert verdict.reasons == ("the restore failed: no such process",)
    assert verdict.ruling is Ruling.INVALID


def test_a_recovery_is_over_only_when_every_later_window_is_good() -> None:
    rows = failing_over(gap_s=0.5)
    rows[40] = lost(rows[40].intended_s)
    assert time_to_recover_s(rows, 5, 2, SLO) == rows[41].intended_s - 5


def test_slow_first_tokens_delay_the_recovery() -> None:
    rows = [row(r.intended_s, ttft_s=2) if 5 <= r.intended_s < 8 else r for r in failing_over()]
    assert time_to_recover_s(rows, 5, 2, SLO) == 2.75


def test_one_slow_answer_does_not_undo_a_recovery() -> None:
    rows = failing_over(gap_s=0.5)
    rows[60] = row(rows[60].intended_s, ttft_s=2)
    assert time_to_recover_s(rows, 5, 2, SLO) == 0.5


@pytest.mark.parametrize(
    ("share", "value"), [(0.0, 1), (0.5, 2), (0.75, 3), (0.76, 4), (0.95, 4), (1.0, 4)]
)
def test_percentiles_are_nearest_rank(share: float, value: float) -> None:
    assert percentile([4, 1, 3, 2], share) == value


def test_phases_are_stretched_for_a_slow_load_up_to_a_bound() -> None:
    slow, slower = (fitted(FAILOVER, Load(rps=rps)) for rps in (1, 0.01))
    assert (slow.baseline_s, slow.hold_s, slow.recovery_s) == (12, 12, 12)
    assert slower.baseline_s == FAILOVER.longest_s
    assert fitted(SMOKE, Load(rps=4)).duration_s == SMOKE.duration_s
