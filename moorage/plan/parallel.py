"""Much work spread over processes; little work done here."""

from __future__ import annotations

import gc
import signal
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final, TypeVar

T = TypeVar("T")
R = TypeVar("R")

_WORTH_IT: Final = 200  # things to do; below, starting processes takes longer than the work
_AT_ONCE: Final = 50
_ALLOCATIONS: Final = 20_000  # between two searches for garbage, of which there is hardly any
_MOST: Final = 8  # processes; each takes 25 MB, and a check shall stay below 300

_ENDINGS: Final = {signal.SIGINT, signal.SIGTERM}

_WORK: Final[list[Callable[[Any], Any]]] = []  # of a worker process: what it does with a thing


def spread(work: Callable[[T], R], things: Sequence[T], processes: int) -> Iterable[R]:
    """The results in the order of the things."""
    if processes < 2 or len(things) < _WORTH_IT:
        return map(work, things)
    return _spread(work, things, min(processes, _MOST))


def _spread(work: Callable[[T], R], things: Sequence[T], processes: int) -> Iterator[R]:
    from multiprocessing import get_context

    # Forked workers share what is already read: the catalogue, the schema, the modules.
    context = get_context("fork")
    # Workers begin deaf: an interrupt is for the one who started them to tell, once.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _ENDINGS)
    try:
        pool = context.Pool(processes, initializer=_begin, initargs=(work,))
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    with pool:
        yield from pool.imap(_do, things, chunksize=_AT_ONCE)


def _begin(work: Callable[[Any], Any]) -> None:
    """Who started the workers ends them, by SIGTERM; to interrupts they stay deaf."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    # What was there before the fork is no garbage; to search it again and again took a tenth.
    gc.freeze()
    gc.set_threshold(_ALLOCATIONS, *gc.get_threshold()[1:])
    _WORK[:] = [work]


def _do(thing: Any) -> Any:
    return _WORK[0](thing)
