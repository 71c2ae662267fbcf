"""A lease says who holds a stack, beside its state: kept fresh by a thread, given up at the end."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from moorage.deploy.locking import owners
from moorage.deploy.locking.owners import Fate, Judgement, Owner
from moorage.deploy.stored.stores import OURS, Entry, Store
from moorage.errors import MoorageError

BEAT_S = 15.0

Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Holder:
    """Who holds a lease that we wanted."""

    owner: Owner | None  # None where the lease cannot be read
    entry: Entry
    judgement: Judgement

    @property
    def name(self) -> str:
        """How a person names it where they declare it dead."""
        return self.owner.name if self.owner else self.entry.key.rsplit("/", 1)[-1]

    def __str__(self) -> str:
        silent = ago(self.entry.touched_at)
        if self.owner is None:
            return f"a run that left an unreadable lease, {silent} ago"
        held = ago(self.owner.since)
        return f"{self.owner}, for {held}, heard of {silent} ago"


def key(project: str, stack: str) -> str:
    """Where a stack's lease stands in the store."""
    return f"{OURS}/leases/{project}/{stack}.json"


@dataclass(slots=True)
class Lease:
    """A lease that this process holds."""

    store: Store
    entry: Entry
    before: Owner | None  # whose lease it was, dead by now
    say: Say
    settled: bool = False  # whether nothing of `before` is left that needs its lease to be judged
    _end: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def beat(self) -> None:
        """Keep it fresh from now on."""
        self._thread = threading.Thread(target=self._beat, daemon=True, name="lease")
        self._thread.start()

    def give_up(self) -> None:
        """End the beats, and the lease where it is still ours."""
        self._end.set()
        if self._thread is not None:
            self._thread.join()
        try:
            if self.before is None or self.settled:
                self.store.remove(self.entry)
            else:
                self.store.replace(self.entry, owners.write(self.before))
        except MoorageError as fault:
            self.say(f"the lease of this run stays behind, the next run removes it: {fault}")

    def _beat(self) -> None:
        while not self._end.wait(BEAT_S):
            try:
                if not self.store.touch(self.entry):
                    self.say("another run was told that this one is dead, and took the stack over")
                    return
            except MoorageError:
                continue  # a store that is away for a while; the next beat tries again


def take(store: Store, where: str, me: Owner, say: Say, dead: str | None) -> Lease | Holder:
    """Take the lease of a stack, or tell who holds it; a dead owner's lease is taken over.

    `dead` is the name of the owner that a person declares dead.
    """
    text = owners.write(me)
    while True:
        if store.create(where, text):
            return _lease(store, where, None, say)
        entry = store.read(where)
        if entry is None:
            continue  # given up in this moment
        if entry.text == text:
            return _lease(store, where, None, say)  # put, but the answer was lost on its way
        holder = judged(entry, me)
        if not _is_free(holder, dead):
            return holder
        if store.replace(entry, text):
            say(f"took the stack over from a run that died ({_whose(holder)})")
            return _lease(store, where, holder.owner, say)


def judged(entry: Entry, me: Owner) -> Holder:
    """Who holds a lease, and whether it lives."""
    owner = owners.read(entry.text)
    if owner is None:
        unknown = Judgement(fate=Fate.UNKNOWN, why="its lease cannot be read")
        return Holder(owner=None, entry=entry, judgement=unknown)
    return Holder(owner=owner, entry=entry, judgement=owners.judge(owner, me))


def _is_free(holder: Holder, dead: str | None) -> bool:
    fate = holder.judgement.fate
    return fate is Fate.DEAD or (fate is Fate.UNKNOWN and dead == holder.name)


def _whose(holder: Holder) -> str:
    return f"{holder.owner or 'its lease cannot be read'}; {holder.judgement.why}"


def _lease(store: Store, where: str, before: Owner | None, say: Say) -> Lease:
    entry = store.read(where)
    assert entry is not None  # it is ours
    lease = Lease(store=store, entry=entry, before=before, say=say)
    lease.beat()
    return lease


def ago(moment: datetime) -> str:
    """A length of time in words, as whole as a person needs it."""
    seconds = max(0, int((datetime.now(UTC) - moment).total_seconds()))
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
