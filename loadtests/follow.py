"""Following a load generator through the phases of a run, with a line every second or two."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from loadtests.action import Action
from loadtests.generator import Generator
from loadtests.measures import first_tokens_ms, percentile
from loadtests.profiles import Profile
from loadtests.rows import Marks

_LOOK_S = 0.1
_LINE_S = 1.5
_START_LIMIT_S = 60.0  # importing Locust on a busy machine, and the warm-up requests
_LEAVE_LIMIT_S = 15.0


class Follower:
    def __init__(
        self, generator: Generator, profile: Profile, progress: Callable[[str], None]
    ) -> None:
        self._generator = generator
        self._profile = profile
        self._progress = progress
        self._phase = profile.name
        self._next_line_s = math.inf  # no line before the schedule begins
        self._end_s = 0.0
        self._trouble: list[str] = []

    def wait_started(self) -> None:
        self._progress(f"{self._profile.name}: starting the load generator and warming up")
        limit_s = _START_LIMIT_S + 2 * self._profile.total_timeout_s
        generator = self._generator
        self._wait_until(lambda: generator.start_s is not None or generator.has_left, limit_s)
        if generator.start_s is None:
            raise generator.never_started()
        self._next_line_s = generator.start_s + _LINE_S

    def wait(self, phase: str, seconds: float) -> bool:
        """Let a phase pass; False when the generator is gone before its end."""
        self._phase = f"{self._profile.name}, {phase}"
        self._wait_until(lambda: self._generator.has_left, seconds)
        return not self._generator.has_left

    def wait_action(self, phase: str, action: Action, limit_s: float) -> None:
        self._phase = self._profile.name
        self._progress(f"{self._label()}: {phase}")
        action.start()
        self._wait_until(lambda: action.is_over, limit_s)
        if (trouble := action.trouble) is not None:
            self._trouble.append(trouble)

    def wait_end(self, arrivals_s: float) -> None:
        """Wait until the last answer is in, which may take `arrivals_s` and the total timeout."""
        self._end_s = time.monotonic() + arrivals_s
        limit_s = arrivals_s + self._profile.total_timeout_s + _LEAVE_LIMIT_S
        self._wait_until(lambda: self._generator.has_left, limit_s)
        if not self._generator.has_left:
            self._trouble.append(f"the load generator did not end within {limit_s:.0f} s")
        self._line()

    def marks(self, fault: Action | None = None, restore: Action | None = None) -> Marks:
        return Marks(
            start_s=self._generator.start_s or 0.0,
            fault_s=fault.began_s if fault else None,
            restoring_s=restore.began_s if restore else None,
            restored_s=restore.ended_s if restore else None,
            end_s=self._end_s,
            trouble=tuple(self._trouble),
        )

    def _wait_until(self, is_over: Callable[[], bool], limit_s: float) -> None:
        deadline_s = time.monotonic() + limit_s
        while not is_over() and time.monotonic() < deadline_s:
            time.sleep(_LOOK_S)
            self._generator.poll()
            if time.monotonic() >= self._next_line_s:
                self._line()
        self._generator.poll()

    def _line(self) -> None:
        self._next_line_s = time.monotonic() + _LINE_S
        rows = self._generator.rows
        good = sum(row.is_ok for row in rows)
        p95_ms = percentile(first_tokens_ms(rows), 0.95)
        p95 = "" if p95_ms is None else f", ttft p95 {p95_ms:.0f} ms"
        text = f"{len(rows)} answered, {good} ok, {len(rows) - good} failed{p95}"
        self._progress(f"{self._label()}: {text}")

    def _label(self) -> str:
        since_s = time.monotonic() - (self._generator.start_s or time.monotonic())
        return f"{self._phase} {since_s:.1f} s"
