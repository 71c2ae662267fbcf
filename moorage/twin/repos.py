"""What the Hub's twin holds: repositories as plain values, or read from a folder."""

from __future__ import annotations

import hashlib
import io
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

SETTINGS = ".repo.json"  # beside a repository's files: the other fields of `Repo`
COMMIT = re.compile(r"[0-9a-f]{40}")
_LFS_SUFFIXES = (".gguf", ".safetensors", ".bin", ".pt", ".onnx")
_CHUNK_BYTES = 1 << 18


class TwinError(Exception):
    """The twin cannot serve what it was given."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Repo:
    """One model repository; a file is bytes or the path of a file."""

    files: Mapping[str, bytes | Path] = field(default_factory=dict)
    revision: str = ""  # the commit of `main`; made from the files' digests when empty
    refs: Mapping[str, str] = field(default_factory=dict)  # further branches and tags
    license: str | None = None
    gated: bool | str = False  # False, "auto" or "manual"
    private: bool = False
    readers: tuple[str, ...] = ()  # tokens that may read it where it is gated or private
    pipeline_tag: str | None = "text-generation"
    library_name: str | None = None
    gguf: Mapping[str, Any] | None = None
    config: Mapping[str, Any] | None = None
    sha256: Mapping[str, str] = field(default_factory=dict)  # lies, to test digest checks


@dataclass(frozen=True, kw_only=True, slots=True)
class Blob:
    """One file of a repository with what the Hub says of it."""

    path: str
    source: bytes | Path
    size: int
    sha256: str
    blob_id: str
    lfs: bool

    def chunks(self, start: int, stop: int) -> Iterator[bytes]:
        """The bytes from `start` up to `stop`."""
        with _open(self.source) as file:
            file.seek(start)
            left = stop - start
            while left > 0 and (chunk := file.read(min(left, _CHUNK_BYTES))):
                left -= len(chunk)
                yield chunk


@dataclass(frozen=True, kw_only=True, slots=True)
class Stored:
    """A repository ready to be served: its commit and its files' digests are known."""

    id: str
    repo: Repo
    commit: str
    blobs: Mapping[str, Blob]

    def resolve(self, revision: str) -> str | None:
        """The commit that a branch, a tag or a commit names; None where there is none."""
        known = {"main": self.commit, self.commit: self.commit, **self.repo.refs}
        return known.get(revision)


def store(repo_id: str, repo: Repo) -> Stored:
    """Digest a repository's files once."""
    blobs = {path: _blob(path, source, repo) for path, source in sorted(repo.files.items())}
    return Stored(id=repo_id, repo=repo, commit=repo.revision or _commit(blobs), blobs=blobs)


def read_folder(folder: Path) -> dict[str, Repo]:
    """Every `<owner>/<name>/` below `folder` as a repository; `.repo.json` holds its fields."""
    if not folder.is_dir():
        message = f"{folder}: no such folder; give one that holds <owner>/<name>/ repositories"
        raise TwinError(message)
    found = sorted(path for path in folder.glob("*/*") if path.is_dir())
    return {f"{path.parent.name}/{path.name}": _read_repo(path) for path in found}


def _read_repo(folder: Path) -> Repo:
    settings = folder / SETTINGS
    files = {
        path.relative_to(folder).as_posix(): path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path != settings
    }
    try:
        fields = json.loads(settings.read_text("utf-8")) if settings.exists() else {}
        return Repo(**{**fields, "files": files, "readers": tuple(fields.get("readers", ()))})
    except (ValueError, TypeError) as error:
        message = f"{settings}: not the settings of a repository: {error}"
        raise TwinError(message) from error


def _blob(path: str, source: bytes | Path, repo: Repo) -> Blob:
    sha256, sha1, size = _digests(source)
    return Blob(
        path=path,
        source=source,
        size=size,
        sha256=repo.sha256.get(path, sha256),
        blob_id=sha1,
        lfs=path.endswith(_LFS_SUFFIXES),
    )


def _digests(source: bytes | Path) -> tuple[str, str, int]:
    size = len(source) if isinstance(source, bytes) else source.stat().st_size
    sha256 = hashlib.sha256()
    git = hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)
    with _open(source) as file:
        while chunk := file.read(_CHUNK_BYTES):
            sha256.update(chunk)
            git.update(chunk)
    return sha256.hexdigest(), git.hexdigest(), size


def _open(source: bytes | Path) -> IO[bytes]:
    return io.BytesIO(source) if isinstance(source, bytes) else source.open("rb")


def _commit(blobs: Mapping[str, Blob]) -> str:
    listing = "".join(f"{blob.path} {blob.sha256}\n" for blob in blobs.values())
    return hashlib.sha1(listing.encode(), usedforsecurity=False).hexdigest()
