"""Calls of handlers in threads: many at once, each with its end, and no thing lost by a cancel."""

from __future__ import annotations

import asyncio
import threading
import time
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final

from moorage.errors import MoorageError
from moorage.provider.handler import Cancelled, Created

WORKERS: Final = 64  # a wait costs a thread and nothing else, so as many as the engine asks for
# Of a call that should end and does not, stuck in an SDK: how long for its own words on why ...
_LAST_WORDS_S: Final = 2.0
# ... and how long until it is known whether it made something.
_UNTIL_KNOWN_S: Final = 30.0
_GLANCE_S: Final = 0.05


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """Why a call failed, in one line, and the thing that exists all the same."""

    message: str
    thing: Created | None = None
    traceback: str = ""  # of what the handler did not foresee


@dataclass(kw_only=True, slots=True, eq=False)
class Call:
    """One call of a handler: how it is told to end, and what it has made by then."""

    deadline_s: float
    cancelled: threading.Event = field(default_factory=threading.Event)
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    thing: Created | None = None
    future: asyncio.Future[Any] = field(default_factory=asyncio.Future)  # of the function's end

    def announce(self, thing: Created) -> None:
        """From here on the thing is reported, whatever happens."""
        self.thing = thing


class Calls:
    """The calls in flight; all but `announce` belongs to the loop's thread."""

    def __init__(self) -> None:
        self._workers = ThreadPoolExecutor(max_workers=WORKERS, thread_name_prefix="handler")
        self._running: set[Call] = set()
        self._cancelled = False

    def begin(self) -> None:
        """A new run: a cancel of the one before does not count any more."""
        self._cancelled = False

    def cancel(self) -> None:
        """End all waiting now; what exists is reported by the calls that waited."""
        self._cancelled = True
        for call in self._running:
            call.cancelled.set()
            call.stop.set()

    async def drain(self) -> None:
        """Cancel, and wait until of every call it is known what it made."""
        self.cancel()
        end_s = time.monotonic() + _UNTIL_KNOWN_S
        while time.monotonic() < end_s:
            unknown = {call.future for call in self._running if call.thing is None}
            if not unknown:
                break
            await asyncio.wait(unknown, timeout=_GLANCE_S)
        self._workers.shutdown(wait=False, cancel_futures=True)

    async def run(self, call: Call, work: Callable[[], Any]) -> Any:
        """What the handler's function returns, or the Fault that it ended with.

        The caller may be cancelled, when its engine is gone: the function goes on, and `drain`
        waits for it.
        """
        if self._cancelled:
            return Fault(message=str(Cancelled()))
        self._running.add(call)
        future = call.future = asyncio.get_running_loop().run_in_executor(self._workers, work)
        future.add_done_callback(lambda done: self._over(call, done))
        await self._first_end(call, future)
        if not future.done():
            return _abandoned(call)
        error = future.exception()
        return future.result() if error is None else fault_of(error, call.thing)

    def _over(self, call: Call, done: asyncio.Future[Any]) -> None:
        self._running.discard(call)
        if not done.cancelled():
            done.exception()  # looked at, so that nobody complains about one that was abandoned

    async def _first_end(self, call: Call, future: asyncio.Future[Any]) -> None:
        stop = asyncio.ensure_future(call.stop.wait())
        try:
            left_s = max(0.0, call.deadline_s - time.monotonic()) + _LAST_WORDS_S
            await asyncio.wait({future, stop}, timeout=left_s, return_when=asyncio.FIRST_COMPLETED)
            if not future.done():
                await self._end(call, future)
        finally:
            stop.cancel()

    async def _end(self, call: Call, future: asyncio.Future[Any]) -> None:
        """A moment for its last words once the thing is known; until then, a long while."""
        call.cancelled.set()
        end_s = time.monotonic() + _UNTIL_KNOWN_S
        known = False
        while not future.done() and time.monotonic() < end_s:
            if call.thing is not None and not known:
                known, end_s = True, time.monotonic() + _LAST_WORDS_S
            await asyncio.wait({future}, timeout=_GLANCE_S)


def one_line(text: str) -> str:
    """The text on one line."""
    return "; ".join(line.strip() for line in text.splitlines() if line.strip())


def _abandoned(call: Call) -> Fault:
    if call.thing is not None:
        message = "it exists, and was not ready when waiting for it ended; run up again to wait on"
        return Fault(message=message, thing=call.thing)
    message = "no answer came in time; the next run looks for what it may have made"
    return Fault(message=message)


def fault_of(error: BaseException, thing: Created | None = None) -> Fault:
    """Why a handler failed: in its own words, or in those of what it did not foresee."""
    if isinstance(error, MoorageError):
        return Fault(message=one_line(str(error)), thing=thing)
    text = one_line(str(error)) or "no message"
    told = "".join(traceback.format_exception(error))
    return Fault(message=f"unexpected fault: {text}", thing=thing, traceback=told)
