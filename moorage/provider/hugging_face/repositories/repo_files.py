"""The files of a repository: as they lie here, as the Hub has them, and what lies between."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from moorage.errors import MoorageError
from moorage.provider.handler import Field, State

README: Final = "README.md"
_SERVERS: Final = ".gitattributes"  # the Hub writes it by itself
# Never pushed: what tools leave behind, and where people, and stacks, keep their secrets.
_LEFT_OUT: Final = frozenset({".git", ".moorage", "__pycache__", ".venv", ".DS_Store", ".cache"})
_SECRETS: Final = ".env"  # and .env.local, .env.production
_FENCE: Final = "---"
_ENTRY: Final = re.compile(r"[\"']?(?P<key>[A-Za-z_][\w.-]*)[\"']?\s*:")
_CHUNK_BYTES: Final = 1 << 20
_MOST_NAMED: Final = 5

INPUTS: Final = {
    "folder": Field(
        kind="string",
        doc="A folder of this machine whose files it has; .git, .moorage, .venv, .env* and caches"
        " stay here.",
    ),
    "files": Field(
        kind="map",
        doc="Files by their path, as text; they stand above those of the folder.",
        items=Field(kind="string", doc="What is in it."),
    ),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Kept:
    """A file as the Hub has it: its digest as git counts, or that of its content."""

    path: str
    blob_id: str
    sha256: str | None

    @property
    def mark(self) -> str:
        """What changes with its content."""
        return self.sha256 or self.blob_id


Local = Mapping[str, bytes | Path]


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """The paths that a commit would touch."""

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.removed)

    def __str__(self) -> str:
        parts = {"misses": self.added, "has other": self.changed, "has also": self.removed}
        return "; ".join(f"{words} {_some(paths)}" for words, paths in parts.items() if paths)


def is_given(inputs: State) -> bool:
    """Whether files are declared at all; else those that are there are left alone."""
    return bool(inputs.get("folder") or inputs.get("files"))


def gather(inputs: State) -> dict[str, bytes | Path]:
    """The declared files by their path."""
    found: dict[str, bytes | Path] = {}
    if inputs.get("folder"):
        found |= dict(_within(Path(inputs["folder"])))
    return found | {path: text.encode() for path, text in inputs.get("files", {}).items()}


def _within(folder: Path) -> Iterator[tuple[str, Path]]:
    if not folder.is_dir():
        message = f"{folder}: no such folder; give the folder that holds the files"
        raise MoorageError(message)
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder)
        stays = any(one in _LEFT_OUT or one.startswith(_SECRETS) for one in parts.parts)
        if path.is_file() and not stays:
            yield parts.as_posix(), path


def kept(siblings: Iterable[Any]) -> dict[str, Kept]:
    """The files that the Hub lists."""
    return {
        one.rfilename: Kept(
            path=one.rfilename,
            blob_id=one.blob_id or "",
            sha256=one.lfs.sha256 if one.lfs else None,
        )
        for one in siblings
        if one.rfilename != _SERVERS
    }


def digest(files: Mapping[str, Kept]) -> str:
    """One digest over all files."""
    text = "".join(f"{path} {files[path].mark}\n" for path in sorted(files))
    return hashlib.sha256(text.encode()).hexdigest()


def between(local: Local, have: Mapping[str, Kept]) -> Difference:
    """What has to be done for the Hub to have the files that are here, and no others."""
    both = local.keys() & have.keys()
    ours = local.keys() - {_SERVERS}
    return Difference(
        added=tuple(sorted(ours - have.keys())),
        changed=tuple(sorted(path for path in both if _mark(local[path], have[path]) is None)),
        removed=tuple(sorted(have.keys() - local.keys())),
    )


def operations(local: Local, difference: Difference) -> list[Any]:
    """The commit that does it."""
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete

    adds = [
        CommitOperationAdd(path_in_repo=path, path_or_fileobj=local[path])
        for path in (*difference.added, *difference.changed)
    ]
    removed = difference.removed
    return [*adds, *(CommitOperationDelete(path_in_repo=path, is_folder=False) for path in removed)]


def _mark(source: bytes | Path, have: Kept) -> str | None:
    """The digest of a file, where the Hub has the same."""
    try:
        found = _sha256(source) if have.sha256 else _git_id(source)
    except OSError as error:
        message = f"{source!s}: cannot read it: {error.strerror}"
        raise MoorageError(message) from error
    return found if found == have.mark else None


def _sha256(source: bytes | Path) -> str:
    return _hashed(source, hashlib.sha256())


def _git_id(source: bytes | Path) -> str:
    size = len(source) if isinstance(source, bytes) else source.stat().st_size
    return _hashed(source, hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False))


def _hashed(source: bytes | Path, digest: Any) -> str:
    if isinstance(source, bytes):
        digest.update(source)
        return str(digest.hexdigest())
    with source.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return str(digest.hexdigest())


def _some(paths: tuple[str, ...]) -> str:
    more = len(paths) - _MOST_NAMED
    return ", ".join(paths[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


# --- the card at the top of README.md


def with_card(local: Local, card: Mapping[str, Any], heading: str) -> dict[str, bytes | Path]:
    """The files with a README that carries the card."""
    text = _text(local[README]) if README in local else f"# {heading}\n"
    return {**local, README: carded(text, card).encode()}


def carded(text: str, card: Mapping[str, Any], dropped: Collection[str] = ()) -> str:
    """A README with these entries in its card; JSON is YAML too, and others but `dropped` stay."""
    before, after = _split(text)
    entries = [
        f"{key}: {json.dumps(value, ensure_ascii=False, sort_keys=True)}"
        for key, value in sorted(card.items())
    ]
    lines = [*entries, *_without(before, {*card, *dropped})]
    return "\n".join([_FENCE, *lines, _FENCE, after])


def _without(lines: Iterable[str], keys: Collection[str]) -> Iterator[str]:
    """The lines of the entries of other keys; what is indented belongs to the entry above."""
    is_dropped = False
    for line in lines:
        entry = _ENTRY.match(line)
        if entry:
            is_dropped = entry["key"] in keys
        if not is_dropped:
            yield line


def _split(text: str) -> tuple[list[str], str]:
    """The card's own lines, and what follows it."""
    lines = text.splitlines()
    if not lines or lines[0].strip() != _FENCE or _FENCE not in lines[1:]:
        return [], f"\n{text}" if text else ""
    end = lines.index(_FENCE, 1)
    return lines[1:end], "".join(f"{line}\n" for line in lines[end + 1 :])


def _text(source: bytes | Path) -> str:
    try:
        return (source if isinstance(source, bytes) else source.read_bytes()).decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        message = f"{README}: cannot read it as text: {error}"
        raise MoorageError(message) from error
