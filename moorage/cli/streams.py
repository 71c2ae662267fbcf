"""The standard streams of a command: there from its start, and written out before its end."""

from __future__ import annotations

import io
import os
import select
import sys
from contextlib import suppress
from typing import Literal

from moorage.errors import Exit


def ensure() -> None:
    """Have all three, whatever the caller has closed: what is opened next would stand for one.

    What the caller's encoding has no sign for is told with a question mark, and not refused.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # it takes the lowest number, which is this one
    sys.stdin = sys.stdin or _opened(0, "r")
    sys.stdout = sys.stdout or _opened(1, "w")
    sys.stderr = sys.stderr or _opened(2, "w")
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")


def flushed(code: int) -> int:
    """The exit code of a command, once all that it printed is out of our hands.

    A reader that left (moorage plan | head) is no fault, and there is nothing more to print.
    """
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _drop()
    except OSError as error:
        _drop()
        tell(f"what it prints cannot be written: {error.strerror}")
        return code or int(Exit.USAGE)
    return code


def has_no_reader() -> bool:
    """Whether whoever read what is printed has left; other pipes break too."""
    try:
        polled = select.poll()
        polled.register(sys.stdout.fileno(), 0)  # that it broke is told unasked
        return bool(polled.poll(0))
    except (OSError, ValueError):
        return False


def tell(message: str) -> None:
    """One line to whoever reads stderr, below what was printed before where both go one way."""
    with suppress(OSError):
        sys.stdout.flush()
    with suppress(OSError):
        print(f"moorage: {message}", file=sys.stderr)


def _drop() -> None:
    """Let nothing that is left be written to where it cannot be, when Python ends."""
    with suppress(OSError, ValueError):  # a stream of a test has no number
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _opened(number: int, mode: Literal["r", "w"]) -> io.TextIOWrapper:
    return open(number, mode, encoding="utf-8", closefd=False)
