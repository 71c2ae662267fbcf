"""Who is answered, who waits, and what was counted meanwhile."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from moorage.twin import openai


class FullError(Exception):
    """As many wait as may."""


class Seats:
    """So many requests at a time; the rest wait, up to a number."""

    def __init__(self, *, seats: int, queued: int | None) -> None:
        self.tally: Counter[str] = Counter()  # since the start, in the words of `openai`
        self.running = 0
        self.waiting = 0
        self.held_tokens = 0  # in the cache, by those who are answered
        self._free = asyncio.Semaphore(seats)
        self._queued = queued

    @property
    def is_empty(self) -> bool:
        """Whether nobody is there any more."""
        return not self.running and not self.waiting

    @asynccontextmanager
    async def one(self) -> AsyncIterator[Sitter]:
        """A seat as soon as there is one; raises FullError where too many wait for it."""
        await self._seated()
        self.running += 1
        sitter = Sitter(self)
        try:
            yield sitter
        finally:
            self.running -= 1
            self.held_tokens -= sitter.held_tokens
            self._free.release()

    async def _seated(self) -> None:
        if self._free.locked() and self._queued is not None and self.waiting >= self._queued:
            raise FullError
        self.waiting += 1
        try:
            await self._free.acquire()
        finally:
            self.waiting -= 1


class Sitter:
    """One request that is answered."""

    def __init__(self, seats: Seats) -> None:
        self.held_tokens = 0
        self._seats = seats

    def counts(self, what: str, amount: int) -> None:
        """Hear of its prompt, of each token of its answer, and of the end."""
        self._seats.tally[what] += amount
        if what in (openai.PROMPT, openai.MADE):
            self.held_tokens += amount
            self._seats.held_tokens += amount
