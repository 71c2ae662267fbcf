"""A terminal for tests: a real process under a pty, and an emulator that shows its screen."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import pyte


@dataclass(kw_only=True)
class Terminal:
    """A process whose stderr is a terminal of the given size."""

    process: subprocess.Popen[bytes]
    master: int
    screen: pyte.HistoryScreen
    raw: bytearray = field(default_factory=bytearray)

    def __post_init__(self) -> None:
        self._stream = pyte.ByteStream(self.screen)

    @property
    def lines(self) -> list[str]:
        """What stands on the screen now."""
        return [line.rstrip() for line in self.screen.display if line.strip()]

    @property
    def history(self) -> list[str]:
        """What scrolled off the screen, and what stands on it."""
        above = ["".join(row[x].data for x in sorted(row)) for row in self.screen.history.top]
        return [*(line.rstrip() for line in above), *self.lines]

    def until(self, condition: Callable[[], object], *, timeout_s: float = 60.0) -> None:
        """Let the process write until something is true of the screen."""
        deadline_s = time.monotonic() + timeout_s
        while not condition():
            assert time.monotonic() < deadline_s, "\n".join(self.lines)
            assert self._read(), "\n".join(self.history)

    def finish(self, *, timeout_s: float = 60.0) -> int:
        """Read to the end; the exit code."""
        deadline_s = time.monotonic() + timeout_s
        while self._read():
            assert time.monotonic() < deadline_s, "\n".join(self.lines)
        return self.process.wait(timeout=timeout_s)

    def go_away(self) -> None:
        """Close the window while the process lives; for good."""
        if self.master >= 0:
            os.close(self.master)
            self.master = -1

    def end(self) -> None:
        """Leave neither the process nor the window behind, however the test went."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(timeout=60)
        self.go_away()

    def resize(self, columns: int, rows: int) -> None:
        """Change the size, as a person who drags the window."""
        _size(self.master, columns, rows)
        self.screen.resize(rows, columns)
        self.process.send_signal(signal.SIGWINCH)

    def _read(self) -> bool:
        ready, _, _ = select.select([self.master], [], [], 60)
        assert ready, "nothing was written for a minute"
        try:
            data = os.read(self.master, 65536)
        except OSError:  # how Linux says that nobody has the other end open
            return False
        self.raw += data
        self._stream.feed(data)
        return bool(data)


@contextmanager
def run(
    command: list[str], environ: Mapping[str, str], *, columns: int, rows: int
) -> Iterator[Terminal]:
    """A process on a terminal of its own; both are gone afterwards."""
    master, slave = pty.openpty()
    _size(master, columns, rows)
    process = subprocess.Popen(
        command,
        env=dict(environ),
        stdin=subprocess.DEVNULL,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
    )
    os.close(slave)
    screen = pyte.HistoryScreen(columns, rows, history=2000)
    screen.set_mode(pyte.modes.LNM)
    terminal = Terminal(process=process, master=master, screen=screen)
    try:
        yield terminal
    finally:
        terminal.end()


def _size(master: int, columns: int, rows: int) -> None:
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
