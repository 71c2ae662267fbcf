"""How a twin is run: an aiohttp application in a thread of this process, or as the process."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass

from aiohttp import web


@dataclass(frozen=True, kw_only=True, slots=True)
class Door:
    """An application and the ports that it listens on (0: a free one)."""

    app: web.Application
    host: str
    ports: Sequence[int]
    drops: bool = False  # the work for who has hung up, as engines do


@contextmanager
def in_thread(
    app: web.Application, *, host: str, ports: Sequence[int], drops: bool = False
) -> Iterator[list[str]]:
    """Serve `app` from a thread while the block runs; gives a URL per port (0: a free one)."""
    with open_doors([Door(app=app, host=host, ports=ports, drops=drops)]) as urls:
        yield urls


@contextmanager
def open_doors(doors: Sequence[Door]) -> Iterator[list[str]]:
    """Serve several applications from one thread; gives a URL per port, in order."""
    ready: Future[tuple[list[str], Callable[[], None]]] = Future()
    thread = threading.Thread(target=_thread, args=(doors, ready), name="twin")
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


def as_process(doors: Sequence[Door], *, announce: Callable[[list[str]], None]) -> None:
    """Serve until SIGINT or SIGTERM; `announce` hears the URLs once everything listens."""

    async def main() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
        await _serve(doors, announce, stop)

    asyncio.run(main())


def _thread(doors: Sequence[Door], ready: Future[tuple[list[str], Callable[[], None]]]) -> None:
    async def main() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()

        def listening(urls: list[str]) -> None:
            ready.set_result((urls, lambda: _call(loop, stop.set)))

        await _serve(doors, listening, stop)

    try:
        asyncio.run(main())
    except OSError as error:
        ready.set_exception(error)


def _call(loop: asyncio.AbstractEventLoop, function: Callable[[], None]) -> None:
    loop.call_soon_threadsafe(function)


async def _serve(
    doors: Sequence[Door], listening: Callable[[list[str]], None], stop: asyncio.Event
) -> None:
    async with AsyncExitStack() as stack:
        urls: list[str] = []
        for door in doors:
            urls += await stack.enter_async_context(_open(door))
        listening(urls)
        await stop.wait()


@asynccontextmanager
async def _open(door: Door) -> AsyncIterator[list[str]]:
    runner = web.AppRunner(
        door.app, access_log=None, shutdown_timeout=1.0, handler_cancellation=door.drops
    )
    await runner.setup()
    try:
        for port in door.ports:
            await web.TCPSite(runner, door.host, port).start()
        yield [f"http://{door.host}:{address[1]}" for address in runner.addresses]
    finally:
        await runner.cleanup()
