"""Locks: one run per stack and checkout by our own lock, and Pulumi's locks of runs that died."""

from __future__ import annotations

import fcntl
import json
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TextIO

import psutil

from moorage.deploy.place import Place
from moorage.errors import Exit, MoorageError

ORPHAN_GRACE_S = 20.0  # an engine whose driver was killed saves its state and ends by itself
REUSED_AFTER_S = 2.0  # a process that began later than its lock does not own it

_held: set[Path] = set()  # by this process


@dataclass(frozen=True, kw_only=True, slots=True)
class Lock:
    """One of Pulumi's lock files: who holds the stack, and since when."""

    path: Path
    pid: int
    host: str
    user: str
    since: datetime

    @property
    def owner(self) -> str:
        """The owner in words."""
        return f"{self.user}@{self.host}, pid {self.pid}, since {self.since:%Y-%m-%d %H:%M:%S}"

    @property
    def is_ours_to_judge(self) -> bool:
        """Whether the owner ran on this host, where one can see if it lives."""
        return self.host == socket.gethostname()

    def owner_lives(self) -> bool:
        """Whether the process that wrote the lock still runs."""
        try:
            process = psutil.Process(self.pid)
            if process.status() == psutil.STATUS_ZOMBIE:
                return False
            return process.create_time() <= self.since.timestamp() + REUSED_AFTER_S
        except psutil.NoSuchProcess:
            return False
        except psutil.Error:
            return True  # it is there, and we may not look closer


@contextmanager
def held(place: Place, command: str) -> Iterator[None]:
    """Hold our own lock on a stack: freed by the kernel however this process ends.

    An operation inside a longer one of this process, such as the `up` that heals in the middle
    of a test, is covered by the lock of the longer one.
    """
    path = place.home / f"{place.stack}.lock"
    if path in _held:
        yield
        return
    with _locked(path, place.stack) as file:
        file.write(f"{os.getpid()} {command}\n")
        file.flush()
        _held.add(path)
        try:
            yield
        finally:
            _held.discard(path)
            path.unlink(missing_ok=True)
            with suppress(OSError):
                place.home.rmdir()  # after a destroy there may be nothing left to keep


@contextmanager
def _locked(path: Path, stack: str) -> Iterator[TextIO]:
    while True:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a+", encoding="utf-8") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise _busy(file, stack) from None
            if _is_still_there(path, file):
                file.truncate(0)
                yield file
                return


def _is_still_there(path: Path, file: TextIO) -> bool:
    """Whether the file that we locked was not unlinked by its last holder meanwhile."""
    with suppress(FileNotFoundError):
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    return False


def _busy(file: TextIO, stack: str) -> MoorageError:
    file.seek(0)
    pid, _, command = file.read().strip().partition(" ")
    return MoorageError(
        f"stack {stack} is busy: `{command or 'moorage'}` (pid {pid or 'unknown'}) works on it; "
        f"wait for it to end, or interrupt it with `kill -INT {pid or '<pid>'}`",
        exit_code=Exit.NEEDS_PERSON,
    )


def settle(
    place: Place,
    say: Callable[[str], None],
    *,
    sleep: Callable[[float], None] = time.sleep,
    grace_s: float = ORPHAN_GRACE_S,
) -> None:
    """Clear the locks of dead runs, wait a little for a dying one, refuse where a run may live."""
    folder = place.backend_folder
    if folder is None:
        return
    for lock in read(folder / "locks" / "organization" / place.project / place.stack):
        _settle_one(place, lock, say, sleep, grace_s)


def _settle_one(
    place: Place,
    lock: Lock,
    say: Callable[[str], None],
    sleep: Callable[[float], None],
    grace_s: float,
) -> None:
    if not lock.is_ours_to_judge:
        raise _refusal(place, lock, f"if that run is dead, delete {lock.path}")
    deadline_s = time.monotonic() + grace_s
    if lock.owner_lives():
        say(f"an earlier run's engine still works on the stack ({lock.owner}); waiting for it")
        while lock.owner_lives() and time.monotonic() < deadline_s:
            sleep(0.2)
    if not lock.path.exists():
        return
    if lock.owner_lives():
        raise _refusal(place, lock, f"wait for it, or interrupt it with `kill -INT {lock.pid}`")
    lock.path.unlink(missing_ok=True)
    say(f"cleared the lock of a run that died ({lock.owner})")


def _refusal(place: Place, lock: Lock, advice: str) -> MoorageError:
    return MoorageError(
        f"stack {place.stack} is locked by another run ({lock.owner}); {advice}",
        exit_code=Exit.NEEDS_PERSON,
    )


def read(folder: Path) -> list[Lock]:
    """The locks in one stack's folder; a file that vanishes or says nothing is no lock."""
    locks = []
    for path in sorted(folder.glob("*.json")):
        with suppress(OSError, ValueError, KeyError, TypeError):
            said = json.loads(path.read_text(encoding="utf-8"))
            locks.append(
                Lock(
                    path=path,
                    pid=int(said["pid"]),
                    host=str(said["hostname"]),
                    user=str(said.get("username", "?")),
                    since=datetime.fromisoformat(said["timestamp"]).astimezone(),
                )
            )
    return locks
