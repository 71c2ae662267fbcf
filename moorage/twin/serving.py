"""How a twin is run: an aiohttp application in a thread of this process, or as the process."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager

from aiohttp import web


@contextmanager
def in_thread(app: web.Application, *, host: str, ports: Sequence[int]) -> Iterator[list[str]]:
    """Serve `app` from a thread while the block runs; gives a URL per port (0: a free one)."""
    ready: Future[tuple[list[str], Callable[[], None]]] = Future()
    thread = threading.Thread(target=_thread, args=(app, host, ports, ready), name="twin")
    thread.start()
    try:
        urls, stop = ready.result(timeout=20)
    except BaseException:
        thread.join(timeout=20)
        raise
    try:
        yield urls
    finally:
        stop()
        thread.join(timeout=20)


def as_process(
    app: web.Application,
    *,
    host: str,
    ports: Sequence[int],
    announce: Callable[[list[str]], None],
) -> None:
    """Serve `app` until SIGINT or SIGTERM; `announce` hears the URLs once it listens."""

    async def main() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
        await _serve(app, host, ports, announce, stop)

    asyncio.run(main())


def _thread(
    app: web.Application,
    host: str,
    ports: Sequence[int],
    ready: Future[tuple[list[str], Callable[[], None]]],
) -> None:
    async def main() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()

        def listening(urls: list[str]) -> None:
            ready.set_result((urls, lambda: _call(loop, stop.set)))

        await _serve(app, host, ports, listening, stop)

    try:
        asyncio.run(main())
    except OSError as error:
        ready.set_exception(error)


def _call(loop: asyncio.AbstractEventLoop, function: Callable[[], None]) -> None:
    loop.call_soon_threadsafe(function)


async def _serve(
    app: web.Application,
    host: str,
    ports: Sequence[int],
    listening: Callable[[list[str]], None],
    stop: asyncio.Event,
) -> None:
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        for port in ports:
            await web.TCPSite(runner, host, port).start()
        listening([f"http://{host}:{address[1]}" for address in runner.addresses])
        await stop.wait()
    finally:
        await runner.cleanup()
