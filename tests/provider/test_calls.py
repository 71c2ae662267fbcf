"""Calls of handlers end when they must, and never lose a thing on the way."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

import pytest

from moorage.provider.calls import Call, Calls, Fault
from moorage.provider.handler import Created

THING = Created(id="thing-1", state={})


def call(seconds: float = 30) -> Call:
    return Call(deadline_s=time.monotonic() + seconds)


def test_a_handler_stuck_after_its_thing_exists_is_not_waited_for() -> None:
    """An SDK without a deadline holds its thread for ever; the engine hears of the id in time."""
    stuck = threading.Event()

    async def scene() -> tuple[Any, float]:
        calls, one, loop = Calls(), call(), asyncio.get_running_loop()
        known = asyncio.Event()

        def work() -> None:
            one.announce(THING)
            loop.call_soon_threadsafe(known.set)
            stuck.wait(60)

        running = asyncio.ensure_future(calls.run(one, work))
        await known.wait()
        began_s = time.monotonic()
        calls.cancel()
        return await running, time.monotonic() - began_s

    fault, took_s = asyncio.run(_freed(scene(), stuck))
    assert isinstance(fault, Fault)
    assert fault.thing == THING
    assert "run up again" in fault.message
    assert took_s < 10


def test_a_cancelled_create_is_waited_for_until_its_id_is_known() -> None:
    known, stuck = threading.Event(), threading.Event()

    async def scene() -> Any:
        calls, one = Calls(), call()

        def work() -> None:
            known.wait(30)
            one.announce(THING)
            stuck.wait(60)

        running = asyncio.ensure_future(calls.run(one, work))
        await asyncio.sleep(0.05)
        calls.cancel()
        await asyncio.sleep(0.2)
        assert not running.done()
        known.set()
        return await running

    fault = asyncio.run(_freed(scene(), stuck))
    assert fault.thing == THING


def test_a_handler_that_ignores_its_deadline_is_cut_off() -> None:
    stuck = threading.Event()

    async def scene() -> Any:
        calls, one = Calls(), call(seconds=0.05)

        def work() -> None:
            one.announce(THING)
            stuck.wait(60)

        return await calls.run(one, work)

    assert asyncio.run(_freed(scene(), stuck)).thing == THING


def test_an_engine_that_hangs_up_does_not_stop_a_create_half_way() -> None:
    done: list[str] = []

    async def scene() -> None:
        calls, one = Calls(), call()

        def work() -> None:
            time.sleep(0.3)
            done.append("made")
            one.announce(THING)

        running = asyncio.ensure_future(calls.run(one, work))
        await asyncio.sleep(0.05)
        running.cancel()
        await asyncio.wait({running})
        assert done == []
        await calls.drain()

    asyncio.run(scene())
    assert done == ["made"]


def test_what_is_raised_after_the_thing_exists_keeps_it() -> None:
    async def scene() -> Any:
        calls, one = Calls(), call()

        def work() -> None:
            one.announce(THING)
            raise KeyError("size")

        return await calls.run(one, work)

    fault = asyncio.run(scene())
    assert (fault.thing, fault.message) == (THING, "unexpected fault: 'size'")
    assert "KeyError" in fault.traceback


@pytest.mark.parametrize("begun", [True, False])
def test_a_cancel_holds_until_the_next_run_begins(begun: bool) -> None:
    async def scene() -> Any:
        calls = Calls()
        calls.cancel()
        if begun:
            calls.begin()
        return await calls.run(call(), lambda: "done")

    assert (asyncio.run(scene()) == "done") == begun


async def _freed(scene: Any, stuck: threading.Event) -> Any:
    try:
        return await scene
    finally:
        stuck.set()
