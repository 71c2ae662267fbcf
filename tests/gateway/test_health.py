"""A failed backend is skipped for a growing time, and one request at a time tries it again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from moorage.gateway import health as health_module
from moorage.gateway.health import Health
from moorage.gateway.routes import Backend

A, B = (Backend(name=n, url=f"http://{n}/v1", model="m", api_key=None) for n in "ab")


class Clock:
    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def drive(story: Callable[[Health, Clock], Awaitable[None]], *, is_back: bool = False) -> None:
    async def probe(_: Backend) -> bool:
        return is_back

    async def run() -> None:
        clock = Clock()
        health = Health(probe, clock=clock)
        try:
            await story(health, clock)
        finally:
            await health.close()

    asyncio.run(run())


def test_a_failed_backend_goes_last_until_its_time_is_over() -> None:
    async def story(health: Health, clock: Clock) -> None:
        assert health.order([A, B]) == [A, B]
        health.failed(A)
        assert health.order([A, B]) == [B, A]
        clock.now_s += 1.01
        assert health.order([A, B]) == [A, B]

    drive(story)


def test_the_time_doubles_up_to_fifteen_seconds() -> None:
    async def story(health: Health, clock: Clock) -> None:
        for skip_s in (1, 2, 4, 8, 15, 15):
            health.failed(A)
            clock.now_s += skip_s - 0.01
            assert health.order([A, B]) == [B, A]
            clock.now_s += 0.02
            assert health.order([A, B]) == [A, B]

    drive(story)


def test_many_requests_that_see_one_failure_count_once() -> None:
    async def story(health: Health, clock: Clock) -> None:
        for _ in range(100):
            health.failed(A)
        clock.now_s += 1.01
        assert health.order([A, B]) == [A, B]

    drive(story)


def test_an_answer_takes_the_mark_away() -> None:
    async def story(health: Health, clock: Clock) -> None:
        health.failed(A)
        health.answered(A)
        assert health.order([A, B]) == [A, B]
        health.failed(A)
        clock.now_s += 1.01
        assert health.order([A, B]) == [A, B]

    drive(story)


def test_while_one_request_tries_the_others_pass_by() -> None:
    async def story(health: Health, clock: Clock) -> None:
        health.failed(A)
        clock.now_s += 1.01
        with health.trial(A):
            assert health.order([A, B]) == [B, A]
        assert health.order([A, B]) == [A, B]

    drive(story)


def test_an_answered_probe_opens_the_way_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health_module, "PROBE_EVERY_S", 0.001)

    async def story(health: Health, clock: Clock) -> None:
        health.failed(A)
        await asyncio.sleep(0.02)
        assert health.order([A, B]) == [A, B]

    drive(story, is_back=True)


def test_an_unanswered_probe_keeps_it_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health_module, "PROBE_EVERY_S", 0.001)

    async def story(health: Health, clock: Clock) -> None:
        health.failed(A)
        clock.now_s += 1.01
        await asyncio.sleep(0.02)
        assert health.order([A, B]) == [B, A]

    drive(story)


def test_backends_that_left_the_routes_are_forgotten() -> None:
    async def story(health: Health, clock: Clock) -> None:
        health.failed(A)
        health.failed(B)
        health.keep([B])
        assert health.order([B, A]) == [A, B]

    drive(story)
