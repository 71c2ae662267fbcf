"""An engine's life: it loads, listens and serves, and ends by a signal or a fault."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from contextlib import suppress
from typing import Final

from aiohttp import web

from moorage.twin.engine import app, conduct, orders
from moorage.twin.engine.app import Engine
from moorage.twin.engine.conduct import Conduct
from moorage.twin.engine.orders import Order
from moorage.twin.engine.seats import Seats

FINE, FAILED = 0, 1
_LOOK_S: Final = 0.01
_CUT_S: Final = 0.01  # 0 would wait for ever
_SHARDS: Final = 4


def live(order: Order, ways: Conduct) -> int:
    """From the first log line to the last; the exit code."""
    return asyncio.run(_live(order, ways))


async def _live(order: Order, ways: Conduct) -> int:
    engine = Engine(order=order, conduct=ways, seats=Seats(seats=order.seqs, queued=order.queued))
    ends = _signals()
    _say(f"vLLM API server version {ways.version}, by moorage's twin: {order.model}")
    engine.is_loading = order.style == orders.LLAMA  # which listens meanwhile, and answers 503
    if not engine.is_loading:
        await _load(engine, ends)
    if ends.is_set():
        return FINE
    if engine.dies.is_set():
        return _failed(engine)
    runner = web.AppRunner(
        app.make(engine), access_log=None, handler_cancellation=True, shutdown_timeout=_CUT_S
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, order.host, order.port).start()
        return await _serve(engine, ends)
    except OSError as error:
        engine.die(f"OSError: {error.strerror}: {order.host}:{order.port}")
        return _failed(engine)
    finally:
        await runner.cleanup()


async def _serve(engine: Engine, ends: asyncio.Event) -> int:
    if engine.is_loading:
        await _load(engine, ends)
        engine.is_loading = False
    if not engine.dies.is_set():
        _announce(engine.order)
    await _first(ends, engine.dies)
    if engine.dies.is_set():
        return _failed(engine)
    await _drain(engine)
    _say("Application shutdown complete.")
    return FINE


def _announce(order: Order) -> None:
    _say(f"Uvicorn running on http://{order.host}:{order.port}")
    _say("Application startup complete.")


async def _load(engine: Engine, ends: asyncio.Event) -> None:
    """Tell what is wrong with the order; else take the time, and tell what came of it."""
    if (refusal := conduct.refusal(engine.order, engine.conduct)) is not None:
        engine.die(refusal)
        return
    for shard in range(_SHARDS + 1):
        _say(
            f"Loading safetensors checkpoint shards: {100 * shard // _SHARDS:3}% Completed"
            f" | {shard}/{_SHARDS}"
        )
        if shard < _SHARDS:
            with suppress(TimeoutError):
                await asyncio.wait_for(ends.wait(), engine.conduct.loading_s / _SHARDS)
        if ends.is_set():
            return
    if (failure := conduct.failure(engine.order, engine.conduct)) is not None:
        engine.die(failure)
    else:
        _say(f"GPU KV cache size: {engine.conduct.kv_tokens:,} tokens")


async def _drain(engine: Engine) -> None:
    """Whoever is answered now may finish within the time; whoever still comes is aborted."""
    _say(f"Shutting down, within {engine.order.drain_s:.0f} s")
    engine.is_leaving = True
    end_s = time.monotonic() + engine.order.drain_s
    while not engine.seats.is_empty and time.monotonic() < end_s:  # noqa: ASYNC110  few look
        await asyncio.sleep(_LOOK_S)


def _failed(engine: Engine) -> int:
    print(f"ERROR {engine.last_words}", file=sys.stderr, flush=True)
    return FAILED


def _signals() -> asyncio.Event:
    ends = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ends.set)
    return ends


async def _first(*events: asyncio.Event) -> None:
    waits = [asyncio.ensure_future(event.wait()) for event in events]
    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    for wait in waits:
        wait.cancel()


def _say(line: str) -> None:
    print(f"INFO {line}", flush=True)
