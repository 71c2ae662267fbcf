"""The directory of a process: who owns it, what lies in it, one hand at a time on it."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

from moorage.errors import MoorageError

_DECLARED: Final = "declared.json"
RESERVED: Final = frozenset({"owner", "log", "log.1", _DECLARED})
_DRAFT: Final = ".draft-"
_PRIVATE: Final = 0o700


@dataclass(frozen=True, kw_only=True, slots=True)
class Berth:
    """A directory that is held: nobody else starts or stops a process there meanwhile."""

    path: Path

    @property
    def log(self) -> Path:
        """Where the process writes."""
        return self.path / "log"

    def is_empty(self) -> bool:
        """Whether nobody has used it; a kill may have left a nameless owner or a draft."""
        return all(
            entry.name.startswith(_DRAFT) or (entry.name == "owner" and not owner_of(self.path))
            for entry in self.path.iterdir()
        )

    def own(self, owner: str) -> None:
        """Put our name on it, or refuse when another name is there."""
        found = owner_of(self.path)
        if found == owner:
            return
        if found or not self.is_empty():
            message = (
                f"{self.path}: belongs to {found or 'nobody we know'}, not to {owner};"
                " move it away or choose another directory"
            )
            raise MoorageError(message)
        self.write("owner", owner)

    def declare(self, inputs: Mapping[str, Any], port: int) -> None:
        """Write down what was declared, so that the directory alone tells it.

        It is as private as the files beside it, whose texts are not written twice.
        """
        kept = {**inputs, "files": sorted(inputs["files"])} if "files" in inputs else dict(inputs)
        text = json.dumps({"inputs": kept, "port": port})
        if not self.has({_DECLARED: text}):
            self.write(_DECLARED, text)

    def has(self, files: Mapping[str, str]) -> bool:
        """Whether every file is there with this very text."""
        return all(_text(self.path / name) == text for name, text in files.items())

    def write_all(self, files: Mapping[str, str], *, instead_of: Iterable[str] = ()) -> None:
        """Write every file, and drop those that are not wanted any more."""
        for name in set(instead_of) - files.keys() - RESERVED:
            (self.path / name).unlink(missing_ok=True)
        for name, text in files.items():
            self.write(name, text)

    def write(self, name: str, text: str) -> None:
        """Write a private file in one step."""
        handle, draft = tempfile.mkstemp(dir=self.path, prefix=_DRAFT)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            Path(draft).replace(self.path / name)
        except OSError:
            Path(draft).unlink(missing_ok=True)
            raise

    @contextmanager
    def new_log(self) -> Iterator[IO[bytes]]:
        """An empty log to write to; the one before is kept."""
        with suppress(FileNotFoundError):
            self.log.replace(self.path / "log.1")
        descriptor = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "ab") as file:
            yield file

    def remove(self) -> None:
        """Remove the directory and all that lies in it; last of all, whose it is."""
        for entry in self.path.iterdir():
            if entry.name != "owner":
                _remove(entry)
        shutil.rmtree(self.path, ignore_errors=True)


@contextmanager
def held(directory: str) -> Iterator[Berth]:
    """Make the directory where it is missing, and hold it.

    The lock is on the directory itself, so that no lock file stays behind.
    """
    path = Path(directory)
    while True:
        _make(path)
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        except FileNotFoundError:
            continue  # removed by whoever held it
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if _is_still(path, descriptor):
                yield Berth(path=path)
                return
        finally:
            os.close(descriptor)


def declared(directory: str) -> tuple[dict[str, Any], int] | None:
    """What was declared for it, and the port that was chosen."""
    path = Path(directory)
    try:
        told = json.loads(_text(path / _DECLARED) or "")
        inputs, port = dict(told["inputs"]), int(told["port"])
    except (ValueError, KeyError, TypeError):
        return None
    if "files" in inputs:
        texts = {name: _text(path / name) for name in inputs["files"]}
        inputs["files"] = {name: text for name, text in texts.items() if text is not None}
    return inputs, port


def is_owned(directory: str, owner: str) -> bool:
    """Whether the directory is there and bears this name."""
    return bool(owner) and owner_of(Path(directory)) == owner


def _make(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.mkdir(mode=_PRIVATE)
    except FileExistsError:
        if not path.is_dir():
            message = f"{path}: is there and is no directory; move it away"
            raise MoorageError(message) from None
    except OSError as error:
        message = f"{path}: cannot make the directory: {error.strerror}"
        raise MoorageError(message) from error


def _remove(entry: Path) -> None:
    if entry.is_dir() and not entry.is_symlink():
        shutil.rmtree(entry, ignore_errors=True)
    else:
        with suppress(OSError):
            entry.unlink()


def _is_still(path: Path, descriptor: int) -> bool:
    try:
        return path.stat().st_ino == os.fstat(descriptor).st_ino
    except FileNotFoundError:
        return False


def owner_of(path: Path) -> str:
    """The name that the directory bears."""
    return _text(path / "owner") or ""


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
