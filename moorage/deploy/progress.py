"""Progress is how long work tells what it is doing: lines that stay, and ticks that come and go."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from typing import TextIO

Say = Callable[[str], None]
Tick = Callable[[str, str], None]  # (what is worked on, how far it is)

LINE_EVERY_S = 10.0


def silent_tick(_what: str, _text: str) -> None:
    """Swallow a tick, for callers that show none."""


class Board:
    """Lines with the seconds since the start; ticks in place on a terminal, seldom elsewhere."""

    def __init__(self, out: TextIO | None = None, *, live: bool | None = None) -> None:
        self._out = out or sys.stderr
        self._live = self._out.isatty() if live is None else live
        self._began = time.monotonic()
        self._lock = threading.Lock()
        self._ticks: dict[str, str] = {}
        self._spoke: dict[str, float] = {}

    def say(self, line: str) -> None:
        """Print one line that stays."""
        with self._lock:
            self._wipe()
            self._out.write(f"[{self._elapsed_s():5.1f} s] {line}\n")
            self._show()

    def tick(self, what: str, text: str) -> None:
        """Show how far `what` is; an empty text says that it is over."""
        with self._lock:
            self._ticks[what] = text
            if not text:
                del self._ticks[what]
            if self._live:
                self._wipe()
                self._show()
            elif text:
                self._speak_seldom(what, text)

    def close(self) -> None:
        """Leave no half-drawn line behind."""
        with self._lock:
            self._ticks.clear()
            self._wipe()
            self._out.flush()

    def _elapsed_s(self) -> float:
        return time.monotonic() - self._began

    def _speak_seldom(self, what: str, text: str) -> None:
        now = time.monotonic()
        if now - self._spoke.setdefault(what, self._began) < LINE_EVERY_S:
            return
        self._spoke[what] = now
        self._out.write(f"[{self._elapsed_s():5.1f} s] {what}: {text}\n")
        self._out.flush()

    def _wipe(self) -> None:
        if self._live:
            self._out.write("\r\x1b[2K")

    def _show(self) -> None:
        if self._live and self._ticks:
            line = " | ".join(f"{what}: {text}" for what, text in self._ticks.items())
            self._out.write(f"[{self._elapsed_s():5.1f} s] {line}"[:110])
        self._out.flush()
