"""Pulumi's own locks in a store: files with pid, host, user and time, written by its engine."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from moorage.deploy.locking.leases import ago
from moorage.deploy.locking.owners import NO_NAMES, Fate, Judgement, Owner, clean, is_of_one_boot
from moorage.deploy.locking.processes import Found, began_after, look
from moorage.deploy.stored.stores import Entry, Store

REUSED_AFTER_S = 2.0  # a process that began later than its lock does not own it
SLACK = timedelta(seconds=2)  # clocks of one machine are set now and then


@dataclass(frozen=True, kw_only=True, slots=True)
class EngineLock:
    """One lock: who holds the stack, and since when; an unreadable one says nothing of it."""

    entry: Entry
    pid: int
    host: str
    user: str
    since: datetime

    @property
    def is_readable(self) -> bool:
        """Whether it says whose it is."""
        return self.pid > 0

    @property
    def name(self) -> str:
        """How a person names its owner where they declare it dead."""
        return f"{self.host}:{self.pid}" if self.is_readable else Path(self.entry.key).stem

    def __str__(self) -> str:
        age = f"for {ago(self.since)}"
        if not self.is_readable:
            return f"its lock {self.entry.key} cannot be read, {age}"
        return f"{self.user}@{self.host}, pid {self.pid}, {age}"


def read(store: Store, project: str, stack: str) -> list[EngineLock]:
    """The locks on one stack."""
    keys = store.keys(f".pulumi/locks/organization/{project}/{stack}")
    entries = [entry for key in keys if (entry := store.read(key)) is not None]
    return [_lock(entry) for entry in entries]


def _lock(entry: Entry) -> EngineLock:
    with suppress(ValueError, KeyError, TypeError, OverflowError):
        said = json.loads(entry.text)
        return EngineLock(
            entry=entry,
            pid=int(said["pid"]),
            host=clean(str(said["hostname"])),
            user=clean(str(said.get("username", "?"))),
            since=datetime.fromisoformat(said["timestamp"]).astimezone(),
        )
    return EngineLock(entry=entry, pid=0, host="", user="", since=entry.touched_at)


def belongs(lock: EngineLock, owner: Owner) -> bool:
    """Whether an engine of this run wrote the lock."""
    return lock.is_readable and lock.host == owner.host and lock.since >= owner.since - SLACK


def judge(
    lock: EngineLock,
    here: Owner,
    before: Owner | None,
    *,
    is_own: bool,
    boot_s: float | None = None,
) -> Judgement:
    """Whether the engine that wrote a lock lives.

    `before` is the dead run whose lease we took over, `is_own` says that only this checkout
    keeps its state in this backend.
    """
    if not lock.is_readable:
        return _unreadable(lock, _boot_s() if boot_s is None else boot_s, is_own=is_own)
    if before is not None and belongs(lock, before):
        return _of_known_run(lock, here, before)
    if lock.host != here.host:
        return Judgement(fate=Fate.UNKNOWN, why="it runs on another machine")
    if not is_own and (lock.host in NO_NAMES or not lives(lock)):
        # Another machine may have the same name, and nothing here proves that it is this one.
        why = "no process of this machine is it, but other machines may have the same name"
        return Judgement(fate=Fate.UNKNOWN, why=why)
    return _by_process(lock)


def _of_known_run(lock: EngineLock, here: Owner, before: Owner) -> Judgement:
    if before.boot != here.boot:
        return Judgement(fate=Fate.DEAD, why="its run is dead")
    if not is_of_one_boot(before, here) or before.pid_namespace != here.pid_namespace:
        return Judgement(fate=Fate.UNKNOWN, why="it ran in another container of this machine")
    return _by_process(lock)


def _by_process(lock: EngineLock) -> Judgement:
    if not lives(lock):
        return Judgement(fate=Fate.DEAD, why="its process is gone")
    stopped = look(lock.pid) is Found.STOPPED
    return Judgement(
        fate=Fate.LIVES, why="its process is stopped" if stopped else "its process lives"
    )


def lives(lock: EngineLock) -> bool:
    """Whether a process of this machine, begun before the lock, has its pid."""
    if look(lock.pid) is Found.GONE:
        return False
    return not began_after(lock.pid, lock.since.timestamp() + REUSED_AFTER_S)


def _unreadable(lock: EngineLock, boot_s: float, *, is_own: bool) -> Judgement:
    """Pulumi writes a lock whole or not at all, so it was cut short by a failure of the machine."""
    if is_own and lock.entry.touched_at.timestamp() < boot_s:
        return Judgement(fate=Fate.DEAD, why="the machine was restarted since")
    return Judgement(fate=Fate.UNKNOWN, why="nothing tells whose it is")


def _boot_s() -> float:
    since_boot_s = float(Path("/proc/uptime").read_text(encoding="ascii").split()[0])
    return time.time() - since_boot_s
