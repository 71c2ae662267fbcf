"""What every state means to who waits, and when a wait looks."""

from __future__ import annotations

from typing import Any

import pytest

from moorage.provider.hugging_face.endpoints import endpoint_states, watch
from moorage.provider.hugging_face.endpoints.endpoint_states import Since, judge

FRESH = Since()
NOON, LATER = "2026-11-25T12:00:00.5Z", "2026-11-25T12:00:01Z"


def told(state: str, **status: Any) -> dict[str, Any]:
    given = {"url": "http://x", "updatedAt": LATER, **status}
    return {"status": {"state": state, **given}, "tags": status.get("tags", [])}


@pytest.mark.parametrize(
    ("state", "status", "kind"),
    [
        ("pending", {}, "wait"),
        ("initializing", {}, "wait"),
        ("updating", {}, "wait"),
        ("running", {}, "up"),
        ("running", {"url": None}, "wait"),
        ("running", {"url": ""}, "wait"),
        ("failed", {}, "failed"),
        ("updateFailed", {}, "failed"),
        ("paused", {}, "paused"),
        ("scaledToZero", {}, "asleep"),
        ("a state of next year", {}, "wait"),
    ],
)
def test_a_state_is_judged(state: str, status: dict[str, Any], kind: str) -> None:
    assert judge(told(state, **status), FRESH, 1.0).kind == kind


def test_the_budget_guards_pause_is_known_by_its_mark() -> None:
    record = {**told("paused"), "tags": ["moorage-budget-paused"]}
    assert judge(record, FRESH, 1.0).kind == "guarded"


def test_the_words_are_the_services_own() -> None:
    record = told("failed", message="late", errorMessage="out\nof memory")
    assert judge(record, FRESH, 1.0).why == "failed: out of memory"


@pytest.mark.parametrize("state", ["running", "failed", "updateFailed", "paused", "scaledToZero"])
def test_what_was_before_a_change_is_not_its_outcome(state: str) -> None:
    since = Since(updated_at=LATER)
    assert judge(told(state), since, 1.0).kind == "wait"
    assert judge(told(state, updatedAt=NOON), since, 1.0).kind == "wait"
    since.see(told("updating"))
    assert judge(told(state), since, 1.0).kind != "wait"


def test_what_is_newer_than_a_change_is_its_outcome() -> None:
    assert judge(told("running"), Since(updated_at=NOON), 1.0).kind == "up"


def test_a_change_that_restarts_nothing_is_taken_as_made_after_a_while() -> None:
    since = Since(updated_at=LATER)
    assert judge(told("running"), since, 14.0).kind == "wait"
    assert judge(told("running"), since, 15.0).kind == "up"


@pytest.mark.parametrize(
    ("told_at", "than", "newer"),
    [
        (LATER, None, True),
        (LATER, NOON, True),
        (NOON, LATER, False),
        (NOON, NOON, False),
        ("2026-11-25T12:00:00.123456789Z", "2026-11-25T12:00:00.1Z", True),
        ("2026-11-25T13:00:01+01:00", LATER, False),
        ("2026-11-25T12:00:02", LATER, True),
        ("yesterday", NOON, True),
        ("", NOON, False),
    ],
)
def test_times_are_compared_whatever_their_form(
    told_at: str, than: str | None, newer: bool
) -> None:
    assert endpoint_states.is_newer({"updatedAt": told_at}, than) == newer


def looks(waiters: int, until_s: float) -> list[float]:
    """When a watch looks while some wait that began at once."""
    at_s, times = 0.0, []
    while True:
        at_s += watch.gap_s(at_s, waiters)
        times.append(round(at_s, 1))
        if at_s >= until_s:
            return times


def test_who_waits_alone_looks_seldom() -> None:
    assert looks(1, 30.0) == [0.5, 3.0, 12.2, 21.4, 30.6]


def test_many_who_wait_look_every_second_together() -> None:
    times = looks(50, 30.0)
    assert len(times) <= 31
    assert times[-1] <= 31
