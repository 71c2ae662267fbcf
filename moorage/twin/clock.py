"""The time of a twin: the real one, or one that only a test moves."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Final

_DRIVEN_START: Final = datetime(2026, 1, 1, tzinfo=UTC)
_TICK: Final = timedelta(microseconds=1)


class Clock:
    """Seconds since the twin began; `advance` moves it on, driven or not."""

    def __init__(self, *, driven: bool = False) -> None:
        self.driven = driven
        self._began_s = time.monotonic()
        self._start = _DRIVEN_START if driven else datetime.now(UTC)
        self._ahead_s = 0.0
        self._last = self._start
        self._lock = threading.Lock()

    def now_s(self) -> float:
        """Seconds since the twin began."""
        real_s = 0.0 if self.driven else time.monotonic() - self._began_s
        return real_s + self._ahead_s

    def advance(self, seconds: float) -> None:
        """Move time on; it never goes back."""
        self._ahead_s += max(seconds, 0.0)

    def stamp(self) -> str:
        """A date of now for an answer; no two are the same, so later ones compare as later."""
        with self._lock:
            now = self._start + timedelta(seconds=self.now_s())
            self._last = max(now, self._last + _TICK)
            return self._last.isoformat(timespec="microseconds").replace("+00:00", "Z")
