"""A checkpoint is a state as it stands in its store: whole, or to be had back from a copy.

The engine copies the state before every write (`.bak`) and at the end of every operation
(`backups`). A process that dies leaves a whole state, because each is put in place at once; a
machine that dies, or a person, may leave a damaged one. A copy may be older than what exists, so
it is put back on a person's word only; but a state that a full disk emptied had no later one.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from moorage.deploy import place
from moorage.deploy.locking.leases import ago
from moorage.deploy.place import Place
from moorage.deploy.stored import backends
from moorage.deploy.stored.stores import OURS, Entry, Store
from moorage.errors import Exit, MoorageError

PACKED = (".gz", ".zst")

Deployment = dict[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Copy:
    """A whole state in the store."""

    entry: Entry
    deployment: Deployment

    @property
    def count(self) -> int:
        """How many things it knows; components and providers are none."""
        found = self.deployment.get("resources") or []
        return sum(
            1 for one in found if one.get("custom") and not one["type"].startswith("pulumi:")
        )

    def __str__(self) -> str:
        things = f"{self.count} thing{'' if self.count == 1 else 's'}"
        return f"{things}, written {ago(self.entry.touched_at)} ago"


def settle(where: Place, say: Callable[[str], None], *, restore: bool = False) -> None:
    """Refuse a damaged state, or put its newest whole copy in its place."""
    store = backends.store(where.backend)
    harm = _harm(store, where) if store is not None else None
    if store is None or harm is None:
        place.adopt(where, _sealed(read(where) or {}))
        return
    copy = newest(store, where)
    if copy is None or not (restore or _is_emptied(store, where)):
        raise _refusal(where, harm, copy)
    _put_back(store, where, copy)
    say(f"{harm}: its newest copy is in its place ({copy})")
    say("what was done since is not in it: `moorage refresh` and `moorage up` find that again")


def _is_emptied(store: Store, where: Place) -> bool:
    """Whether a full disk took the state: Pulumi then puts an empty file in its place.

    Nobody else writes one, and the copy is what was saved last before, as after any death.
    """
    entry = store.read(_key(where))
    return entry is not None and not entry.data.strip()


def read(where: Place) -> Deployment | None:
    """What is deployed, read without the engine; None where only the engine can tell."""
    store = backends.store(where.backend)
    entry = store.read(_key(where)) if store is not None else None
    copy = _copy(entry) if entry is not None else None
    return copy.deployment if copy is not None else None


def _sealed(deployment: Deployment) -> dict[str, str]:
    """The settings of a stack whose secrets are kept as they are in this state."""
    kept = deployment.get("secrets_providers") or {}
    told = kept.get("state") or {}
    if kept.get("type") == "passphrase" and told.get("salt"):
        return {"encryptionsalt": str(told["salt"])}
    if kept.get("type") == "cloud" and told.get("url") and told.get("encryptedkey"):
        return {"secretsprovider": str(told["url"]), "encryptedkey": str(told["encryptedkey"])}
    return {}


def newest(store: Store, where: Place) -> Copy | None:
    """The newest whole copy of a state."""
    entries = (store.read(key) for key in _copies(store, where))
    whole = [copy for entry in entries if entry is not None and (copy := _copy(entry))]
    return max(whole, key=lambda copy: copy.entry.touched_at, default=None)


def _harm(store: Store, where: Place) -> str | None:
    """What is wrong with the state, or None."""
    key = _key(where)
    entry = store.read(key)
    if entry is not None:
        empty = "is empty" if not entry.data.strip() else "cannot be read"
        return None if _copy(entry) else f"the state {store.url(key)} {empty}"
    if any(store.read(key + suffix) for suffix in PACKED):
        return None  # the engine alone can read it
    before = store.read(f"{key}.bak")
    copy = _copy(before) if before is not None else None
    # What `stack rm` was about to remove knows of nothing any more.
    return f"the state {store.url(key)} is gone" if copy and copy.count else None


def _key(where: Place) -> str:
    return f".pulumi/stacks/{where.project}/{where.stack}.json"


def _copies(store: Store, where: Place) -> Iterator[str]:
    yield f"{_key(where)}.bak"
    kept = store.keys(f".pulumi/backups/{where.project}/{where.stack}")
    yield from [key for key in kept if key.endswith(".json")][-3:]


def _copy(entry: Entry) -> Copy | None:
    try:
        latest = json.loads(entry.data)["checkpoint"].get("latest")
        copy = Copy(entry=entry, deployment=dict(latest or {}))
        assert copy.count >= 0  # its resources can be counted
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return copy


def _put_back(store: Store, where: Place, copy: Copy) -> None:
    key = _key(where)
    harmed = store.read(key)
    if harmed is None:
        store.create(key, copy.entry.text)
        return
    stamp = time.strftime("%Y%m%d-%H%M%S")
    store.create(f"{OURS}/damaged/{where.project}/{where.stack}-{stamp}.json", harmed.text)
    store.replace(harmed, copy.entry.text)


def _refusal(where: Place, harm: str, copy: Copy | None) -> MoorageError:
    if copy is None:
        advice = "there is no copy of it; put one back from a backup of your own"
    else:
        advice = f"`moorage state repair --stack {where.stack}` puts back its newest copy ({copy})"
    return MoorageError(f"{harm}: {advice}", exit_code=Exit.NEEDS_PERSON)


def can_write(where: Place) -> bool:
    """Whether the state is where we can write it, in a form that we know."""
    store = backends.store(where.backend)
    return store is not None and store.read(_key(where)) is not None


def add_pending(where: Place, operations: list[dict[str, Any]]) -> None:
    """Put back operations that `stack import` has taken out; the stack is held meanwhile."""
    store = backends.store(where.backend)
    entry = store.read(_key(where)) if store is not None else None
    assert store is not None  # can_write said so
    assert entry is not None
    told = json.loads(entry.data)
    told["checkpoint"]["latest"]["pending_operations"] = operations
    if not store.replace(entry, json.dumps(told, separators=(",", ":"), ensure_ascii=False)):
        msg = f"the state of stack {where.stack} was written by another run meanwhile"
        raise MoorageError(msg, exit_code=Exit.NEEDS_PERSON)
