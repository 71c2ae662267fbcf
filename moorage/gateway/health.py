"""What is remembered of backends that failed: skip them shortly, ask whether they are back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from moorage.gateway.routes import Backend

PROBE_EVERY_S = 1.0
SKIP_S = 1.0
SKIP_MOST_S = 15.0


@dataclass(slots=True, kw_only=True)
class _Mark:
    skip_s: float = SKIP_S
    until: float = 0.0
    trying: int = 0
    probing: asyncio.Task[None] | None = None


class Health:
    """Marks of failed backends.

    A marked backend is skipped until its time is over or a probe is answered; then one request at
    a time tries it, so that a backend that listens but hangs holds up one client and not all. The
    mark goes when a request was answered.
    """

    def __init__(
        self,
        probe: Callable[[Backend], Awaitable[bool]],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._probe = probe
        self._clock = clock
        self._marks: dict[Backend, _Mark] = {}

    def order(self, backends: Iterable[Backend]) -> list[Backend]:
        """Put those worth asking first; the marked ones stay as the last resort."""
        if not self._marks:
            return list(backends)
        return sorted(backends, key=self._is_skipped)

    @contextmanager
    def trial(self, backend: Backend) -> Iterator[None]:
        """Hold other requests back from a marked backend while this one tries it."""
        mark = self._marks.get(backend)
        if mark is None:
            yield
            return
        mark.trying += 1
        try:
            yield
        finally:
            mark.trying -= 1

    def failed(self, backend: Backend) -> None:
        mark = self._marks.setdefault(backend, _Mark())
        self._skip(mark)
        if mark.probing is None or mark.probing.done():
            mark.probing = asyncio.create_task(self._until_back(backend, mark))

    def answered(self, backend: Backend) -> None:
        if self._marks:
            self._forget(backend)

    def keep(self, backends: Iterable[Backend]) -> None:
        """Forget the backends that are no longer in the routes."""
        for gone in self._marks.keys() - set(backends):
            self._forget(gone)

    async def close(self) -> None:
        probes = [mark.probing for mark in self._marks.values() if mark.probing]
        self.keep(())
        await asyncio.gather(*probes, return_exceptions=True)

    def _is_skipped(self, backend: Backend) -> bool:
        mark = self._marks.get(backend)
        return mark is not None and (mark.trying > 0 or self._clock() < mark.until)

    def _skip(self, mark: _Mark) -> None:
        now = self._clock()
        if now < mark.until:
            return  # many requests see one and the same failure; it counts once
        mark.until = now + mark.skip_s
        mark.skip_s = min(2 * mark.skip_s, SKIP_MOST_S)

    def _forget(self, backend: Backend) -> None:
        mark = self._marks.pop(backend, None)
        if mark and mark.probing:
            mark.probing.cancel()

    async def _until_back(self, backend: Backend, mark: _Mark) -> None:
        while True:
            await asyncio.sleep(PROBE_EVERY_S)
            if await self._probe(backend):
                mark.until = 0.0
                return
            self._skip(mark)
