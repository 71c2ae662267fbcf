"""A store is the folder or bucket behind a backend, as far as locks, leases and states need it."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from moorage.deploy.locking.flocks import locked
from moorage.errors import Exit, MoorageError

_REFUSALS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM})
OURS = ".moorage"  # the folder of our own things, beside Pulumi's


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One thing in a store, as it was read."""

    key: str
    data: bytes
    tag: str  # differs whenever the content does
    touched_at: datetime

    @property
    def text(self) -> str:
        """The content as text; what is no text at all reads as something that is no JSON."""
        return self.data.decode("utf-8", errors="replace")


class Store(Protocol):
    """Keys and values; `create`, `replace`, `touch` and `remove` are decided by the store."""

    def keys(self, folder: str) -> list[str]:
        """The keys directly in a folder."""

    def read(self, key: str) -> Entry | None:
        """What stands under a key."""

    def create(self, key: str, text: str) -> bool:
        """Put it there unless something is; whether it was put."""

    def replace(self, entry: Entry, text: str) -> bool:
        """Put another content in its place unless it changed meanwhile; whether it was put."""

    def touch(self, entry: Entry) -> bool:
        """Make it look new unless it changed meanwhile; whether it still stands."""

    def remove(self, entry: Entry) -> None:
        """Take it away unless it changed meanwhile."""

    def url(self, key: str) -> str:
        """How a person would name the thing under a key."""


class Folder:
    """A store in a folder; a lock of the kernel makes its writes exclusive."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def keys(self, folder: str) -> list[str]:
        """Files that Pulumi would see; its sidecars are none."""
        there = self._root / folder
        names = sorted(one.name for one in there.iterdir()) if there.is_dir() else []
        return [f"{folder}/{name}" for name in names if not name.endswith(".attrs")]

    def read(self, key: str) -> Entry | None:
        """What stands under a key."""
        path = self._root / key
        try:
            data, touched_s = path.read_bytes(), path.stat().st_mtime
        except (FileNotFoundError, NotADirectoryError):
            return None
        touched_at = datetime.fromtimestamp(touched_s, UTC)
        return Entry(key=key, data=data, tag=_tag(data), touched_at=touched_at)

    def create(self, key: str, text: str) -> bool:
        """Put it there unless something is."""
        with self._exclusive(key):
            if self.read(key) is not None:
                return False
            self._write(key, text)
            return True

    def replace(self, entry: Entry, text: str) -> bool:
        """Put another content in its place unless it changed meanwhile."""
        with self._exclusive(entry.key):
            if not self._stands(entry):
                return False
            self._write(entry.key, text)
            return True

    def touch(self, entry: Entry) -> bool:
        """Make it look new unless it changed meanwhile; needs no space on a full disk."""
        with faults(self._root), suppress(FileNotFoundError):
            if self._stands(entry):
                os.utime(self._root / entry.key)
                return True
        return False

    def remove(self, entry: Entry) -> None:
        """Take it away, with Pulumi's sidecar, and the folders that are empty then."""
        path = self._root / entry.key
        if not path.parent.is_dir():
            return
        with self._exclusive(entry.key):
            if self._stands(entry):
                path.unlink(missing_ok=True)
                path.with_name(path.name + ".attrs").unlink(missing_ok=True)
        self._leave_no_folder(entry.key)

    def url(self, key: str) -> str:
        """The path."""
        return str(self._root / key)

    def _stands(self, entry: Entry) -> bool:
        now = self.read(entry.key)
        return now is not None and now.tag == entry.tag

    def _write(self, key: str, text: str) -> None:
        path = self._root / key
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())  # nothing half written is left by a power failure
            draft.replace(path)
            path.with_name(path.name + ".attrs").unlink(missing_ok=True)  # it tells of what was
        finally:
            draft.unlink(missing_ok=True)

    @contextmanager
    def _exclusive(self, key: str) -> Iterator[None]:
        """Keep other writers out; the kernel frees it however we end, and nothing stays."""
        with faults(self._root), locked(self._root / OURS / "mutex", blocking=True):
            (self._root / key).parent.mkdir(parents=True, exist_ok=True)
            yield

    def _leave_no_folder(self, key: str) -> None:
        for folder in (self._root / key).parents:
            if folder == self._root or OURS not in folder.relative_to(self._root).parts:
                return
            with suppress(OSError):
                folder.rmdir()


@contextmanager
def faults(folder: Path) -> Iterator[None]:
    """Tell what the disk refuses in one line."""
    try:
        yield
    except OSError as error:
        raise _refused(folder, error) from None


@contextmanager
def refusals(folder: Path) -> Iterator[None]:
    """The same, where other faults of the system may happen that are not the disk's."""
    try:
        yield
    except OSError as error:
        if error.errno not in _REFUSALS:
            raise
        raise _refused(folder, error) from None


def _refused(folder: Path, error: OSError) -> MoorageError:
    full = error.errno in {errno.ENOSPC, errno.EDQUOT}
    told = (error.strerror or "it refuses").lower()
    reason = "the disk is full: free some space" if full else f"{told}: see its rights"
    msg = f"the state in {folder} cannot be written, {reason}, then run it again"
    return MoorageError(msg, exit_code=Exit.NEEDS_PERSON)


def _tag(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
