"""Locks: one run per stack, told apart from the dead; what may live is never broken.

Three things keep runs apart. A flock of the kernel on a file in the checkout; a lease beside the
state (moorage.deploy.locking.leases), for runs from elsewhere; and Pulumi's own lock, which says
too little of its owner to judge it alone, so that the lease of the run that it belonged to is heard
with it.
"""

from __future__ import annotations

import os
import shlex
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TypeVar

from moorage.deploy.cli.command import KILLED
from moorage.deploy.locking import engine_locks, flocks, leases, owners
from moorage.deploy.locking.engine_locks import EngineLock
from moorage.deploy.locking.leases import Holder, Lease, ago
from moorage.deploy.locking.owners import Fate, Judgement, Owner
from moorage.deploy.locking.processes import Found, look
from moorage.deploy.place import Place
from moorage.deploy.stored import backends
from moorage.deploy.stored.stores import Store
from moorage.errors import Exit, MoorageError

ORPHAN_GRACE_S = 20.0  # an engine whose driver was killed saves its state and ends by itself
POLL_S = 0.3

Say = Callable[[str], None]
T = TypeVar("T")


@dataclass(slots=True)
class _Hold:
    """What this process holds of one stack."""

    me: Owner
    store: Store | None
    lease: Lease | None
    wait_s: float
    dead: str | None = field(default=None)


_held: dict[Path, _Hold] = {}  # by this process


def _silent(_text: str) -> None:
    pass


@contextmanager
def held(
    place: Place,
    command: str,
    *,
    wait_s: float = 0.0,
    say: Say = _silent,
    dead: str | None = None,
) -> Iterator[None]:
    """Hold a stack, after waiting so long at most for who holds it now.

    An operation inside a longer one of this process, such as the `up` that heals in the middle
    of a test, is covered by the hold of the longer one. `dead` names the owner that a person
    declares dead.
    """
    path = place.home / f"{place.stack}.lock"
    if path in _held:
        yield
        return
    deadline_s = time.monotonic() + wait_s
    file = _checkout_lock(place, path, command, deadline_s, say)
    try:
        hold = _hold(place, command, deadline_s, say, dead)
        _held[path] = hold
        try:
            yield
        finally:
            _held.pop(path)
            _end(place, hold, say)
    finally:
        flocks.release(path, file)
        with suppress(OSError):
            place.home.rmdir()  # after a destroy there may be nothing left to keep


def free(place: Place, command: str, owner: str | None = None, *, say: Say = _silent) -> None:
    """Free a stack of the locks of dead runs; `owner` (HOST:PID) is one that a person says is dead.

    Whoever holds the stack by now and is not that owner keeps it.
    """
    with held(place, command, say=say, dead=owner):
        settle(place, say)


def are_known(place: Place) -> bool:
    """Whether the locks of this backend can be looked at; if not, only Pulumi knows of them."""
    return backends.store(place.backend) is not None


def settle(
    place: Place,
    say: Say,
    *,
    sleep: Callable[[float], None] = time.sleep,
    grace_s: float = ORPHAN_GRACE_S,
) -> None:
    """Clear Pulumi's locks of dead runs, wait a little for a dying one, refuse the living."""
    hold = _held.get(place.home / f"{place.stack}.lock") or _unheld(place)
    if hold.store is None:
        return
    for lock in engine_locks.read(hold.store, place.project, place.stack):
        _settle_one(place, hold, lock, say, sleep, max(grace_s, hold.wait_s))
    if hold.lease is not None:
        hold.lease.settled = True


def _unheld(place: Place) -> _Hold:
    me = owners.here("", place.root)
    return _Hold(me=me, store=backends.store(place.backend), lease=None, wait_s=0.0)


def _checkout_lock(place: Place, path: Path, command: str, deadline_s: float, say: Say) -> IO[str]:
    def attempt() -> IO[str] | MoorageError:
        try:
            return flocks.acquire(path, blocking=False)
        except flocks.Busy as busy:
            return _busy(busy.told, path, place.stack)

    file = _patiently(attempt, deadline_s, say)
    file.truncate(0)
    file.write(f"{os.getpid()} {command}\n{owners.user()}@{socket.gethostname()}\n")
    file.flush()
    return file


def _hold(place: Place, command: str, deadline_s: float, say: Say, dead: str | None) -> _Hold:
    me = owners.here(command, place.root)
    backends.check(place.backend, place.root)
    store = backends.store(place.backend)
    wait_s = max(0.0, deadline_s - time.monotonic())
    if store is None:
        return _Hold(me=me, store=None, lease=None, wait_s=wait_s, dead=dead)
    where = leases.key(place.project, place.stack)

    def attempt() -> Lease | MoorageError:
        got = leases.take(store, where, me, say, dead)
        return got if isinstance(got, Lease) else _lease_refusal(place, got)

    lease = _patiently(attempt, deadline_s, say)
    return _Hold(me=me, store=store, lease=lease, wait_s=wait_s, dead=dead)


def _patiently(attempt: Callable[[], T | MoorageError], deadline_s: float, say: Say) -> T:
    """What an attempt gives once it gives something, or its refusal when the time is over."""
    told = False
    while True:
        got = attempt()
        if not isinstance(got, MoorageError):
            return got
        if time.monotonic() >= deadline_s:
            raise got
        if not told:
            say(f"waiting at most {max(1, round(deadline_s - time.monotonic()))} s: {got}")
            told = True
        time.sleep(POLL_S)


def _end(place: Place, hold: _Hold, say: Say) -> None:
    """Leave nothing that another run would have to judge: our own engines may have been killed."""
    try:
        if hold.store is not None and KILLED:
            for lock in engine_locks.read(hold.store, place.project, place.stack):
                if lock.host == hold.me.host and lock.pid in KILLED:
                    hold.store.remove(lock.entry)
                    say("cleared the lock of this run's engine, which was killed")
    except MoorageError as fault:
        say(f"the lock of this run's engine stays behind: {fault}")
    finally:
        if hold.lease is not None:
            hold.lease.give_up()


def _settle_one(
    place: Place,
    hold: _Hold,
    lock: EngineLock,
    say: Say,
    sleep: Callable[[float], None],
    grace_s: float,
) -> None:
    judgement = _judged(place, hold, lock)
    patience_s = grace_s if judgement.fate is Fate.LIVES else hold.wait_s
    if judgement.fate is not Fate.DEAD and patience_s > 0:
        say(f"another run's engine still works on the stack ({lock}); waiting for it")
    deadline_s = time.monotonic() + patience_s
    while judgement.fate is not Fate.DEAD and time.monotonic() < deadline_s:
        sleep(POLL_S)
        judgement = _judged(place, hold, lock)
    store = hold.store
    assert store is not None
    if store.read(lock.entry.key) is None:
        return
    if judgement.fate is not Fate.DEAD:
        raise _engine_refusal(place, lock, judgement)
    store.remove(lock.entry)
    say(f"cleared the lock of a run that died ({lock}; {judgement.why})")


def _judged(place: Place, hold: _Hold, lock: EngineLock) -> Judgement:
    assert hold.store is not None
    if hold.store.read(lock.entry.key) is None:
        return Judgement(fate=Fate.DEAD, why="its lock is gone")
    before = hold.lease.before if hold.lease else None
    judgement = engine_locks.judge(lock, hold.me, before, is_own=place.is_own_backend)
    if judgement.fate is not Fate.UNKNOWN or hold.dead is None:
        return judgement
    declared = lock.name == hold.dead or (
        before is not None and before.name == hold.dead and engine_locks.belongs(lock, before)
    )
    return Judgement(fate=Fate.DEAD, why="a person says so") if declared else judgement


def _busy(told: str, path: Path, stack: str) -> MoorageError:
    first, _, owner = told.partition("\n")
    pid, _, command = first.partition(" ")
    since = ""
    with suppress(OSError):
        since = f", for {ago(datetime.fromtimestamp(path.stat().st_mtime, UTC))}"
    stopped = pid.isdecimal() and look(int(pid)) is Found.STOPPED
    return MoorageError(
        f"stack {stack} is busy: `{command or 'moorage'}` (pid {pid or 'unknown'}"
        f"{f' of {owner}' if owner else ''}{since}) "
        f"{'is stopped at work on it' if stopped else 'works on it'}; "
        + _advice_living(pid or "<pid>", stopped=stopped),
        exit_code=Exit.NEEDS_PERSON,
    )


def _lease_refusal(place: Place, holder: Holder) -> MoorageError:
    advice = _advice(place, holder.name, holder.judgement)
    return MoorageError(
        f"stack {place.stack} is held by {holder}; {holder.judgement.why}: {advice}",
        exit_code=Exit.NEEDS_PERSON,
    )


def _engine_refusal(place: Place, lock: EngineLock, judgement: Judgement) -> MoorageError:
    return MoorageError(
        f"stack {place.stack} is locked by another run ({lock}); {judgement.why}: "
        + _advice(place, lock.name, judgement),
        exit_code=Exit.NEEDS_PERSON,
    )


def _advice(place: Place, name: str, judgement: Judgement) -> str:
    if judgement.fate is Fate.UNKNOWN:
        command = f"moorage cancel --stack {place.stack} --dead-owner {shlex.quote(name)}"
        return f"wait for it, or free the stack with `{command}` once you know that it is dead"
    pid = name.rpartition(":")[2]
    if "process" in judgement.why:
        return _advice_living(pid, stopped="stopped" in judgement.why)
    return "wait for it, or cancel that job"


def _advice_living(pid: str, *, stopped: bool) -> str:
    if stopped:
        return f"let it go on with `kill -CONT {pid}`, or end it with `kill -KILL {pid}`"
    return f"wait for it to end, or interrupt it with `kill -INT {pid}`"
