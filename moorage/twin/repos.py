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
DATASETS = "datasets"  # the ids of datasets begin so: datasets/<owner>/<name>
COMMIT = re.compile(r"[0-9a-f]{40}")
_LFS_SUFFIXES = (".gguf", ".safetensors", ".bin", ".pt", ".onnx")
_CHUNK_BYTES = 1 << 18


class TwinError(Exception):
    """The twin cannot serve what it was given."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Repo:
    """One repository; a file is bytes or the path of a file."""

    files: Mapping[str, bytes | Path] = field(default_factory=dict)
    earlier: Mapping[str, Mapping[str, bytes | Path]] = field(default_factory=dict)  # by commit
    revision: str = ""  # the commit of `main`; made from the files' digests when empty
    refs: Mapping[str, str] = field(default_factory=dict)  # further branches and tags
    license: str | None = None
    license_name: str | None = None  # where the licence is "other"
    gated: bool | str = False  # False, "auto" or "manual"
    private: bool = False
    readers: tuple[str, ...] = ()  # tokens that may read it where it is gated or private
    pipeline_tag: str | None = "text-generation"
    library_name: str | None = None
    gguf: Mapping[str, Any] | None = None
    config: Mapping[str, Any] | None = None
    providers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # of the router
    sha256: Mapping[str, str] = field(default_factory=dict)  # lies, to test digest checks
    visibility: str = ""  # of what was made here: public, private, or protected for a Space
    group: str = ""  # its resource group


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
    earlier: Mapping[str, Mapping[str, Blob]]

    def at(self, commit: str) -> Mapping[str, Blob]:
        """The files of a commit."""
        return self.earlier.get(commit, self.blobs)

    def all(self) -> Iterator[Blob]:
        """Every file of every commit."""
        for blobs in (self.blobs, *self.earlier.values()):
            yield from blobs.values()

    def resolve(self, revision: str) -> str | None:
        """The commit that a branch, a tag or a commit names; None where there is none."""
        earlier = {commit: commit for commit in self.earlier}
        named = {"main": self.commit, self.commit: self.commit}
        known = {commit: commit for commit in self.repo.refs.values()} | earlier | named
        known |= self.repo.refs
        return known.get(revision)


def store(repo_id: str, repo: Repo) -> Stored:
    """Digest a repository's files once."""
    blobs = _blobs(repo.files, repo)
    earlier = {commit: _blobs(files, repo) for commit, files in repo.earlier.items()}
    commit = repo.revision or _commit(blobs)
    return Stored(id=repo_id, repo=repo, commit=commit, blobs=blobs, earlier=earlier)


def read_folder(folder: Path) -> dict[str, Repo]:
    """Every `<owner>/<name>/` below `folder` as a repository; `.repo.json` holds its fields.

    A dataset lies in `datasets/<owner>/<name>/`.
    """
    if not folder.is_dir():
        message = f"{folder}: no such folder; give one that holds <owner>/<name>/ repositories"
        raise TwinError(message)
    models = [path for path in folder.glob("*/*") if path.parent.name != DATASETS]
    found = sorted(path for path in (*models, *folder.glob(f"{DATASETS}/*/*")) if path.is_dir())
    return {path.relative_to(folder).as_posix(): _read_repo(path) for path in found}


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


def _blobs(files: Mapping[str, bytes | Path], repo: Repo) -> dict[str, Blob]:
    return {path: _blob(path, source, repo) for path, source in sorted(files.items())}


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
