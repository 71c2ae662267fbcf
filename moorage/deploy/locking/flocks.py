"""Flocks are file locks that the kernel frees however their holder ends; none leaves a file."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO


@contextmanager
def locked(path: Path, *, blocking: bool) -> Iterator[IO[str]]:
    """Hold the lock on a file; raises Busy where another holds it and we shall not wait."""
    file = acquire(path, blocking=blocking)
    try:
        yield file
    finally:
        release(path, file)


class Busy(Exception):  # noqa: N818 (a finding, not an error)
    """Another process holds the lock; what it wrote into the file is `told`."""

    def __init__(self, told: str) -> None:
        super().__init__(told)
        self.told = told


def acquire(path: Path, *, blocking: bool) -> IO[str]:
    """Lock a file, which stays locked until it is released; raises Busy like `locked`."""
    while True:
        path.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):
            file = path.open("a+", encoding="utf-8")
            try:
                _lock(file, blocking=blocking)
                if os.path.samestat(path.stat(), os.fstat(file.fileno())):
                    return file  # its last holder did not unlink it meanwhile
            except BaseException:
                file.close()
                raise
            file.close()


def release(path: Path, file: IO[str]) -> None:
    """Take away the file of a lock that one holds, and with it the lock."""
    with suppress(OSError):
        path.unlink(missing_ok=True)
    file.close()


def _lock(file: IO[str], *, blocking: bool) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX if blocking else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        raise Busy(file.read().strip()) from None
