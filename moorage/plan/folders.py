"""A folder that a spec publishes: whether it is there, and what of it must stay here."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from moorage.plan.facts import LocalFolder
from moorage.spec import secrets

_PRIVATE: Final = frozenset({".git", ".moorage", "Pulumi.yaml"})
_SECRETS: Final = ".env"  # and .env.local, .env.production
# The provider pushes none of these.
_LEFT_OUT: Final = frozenset({"__pycache__", ".venv", ".cache", ".DS_Store"})
_OWN: Final = re.compile(
    r"^[\"']?apiVersion[\"']?: *[\"']?moorage/|^ *\"lock\": *\"moorage/", re.MULTILINE
)
_OWN_SUFFIXES: Final = frozenset({".yaml", ".yml", ".json"})
_READ_BYTES: Final = 64 << 10  # what people write by hand is smaller than that


def look(folder: Path, *, spec: Path, root: Path) -> LocalFolder:
    """The folder as it is; `spec` is the file that names it, `root` the project."""
    try:
        path = Path(os.path.abspath(spec.parent / folder.expanduser()))  # noqa: PTH100  links stay
        if not path.is_dir():
            fault = "this is no folder" if path.exists() else "there is no such folder"
            return LocalFolder(path=path, fault=fault)
        private = _around(path, spec, root) or next(_private(path), "")
        fault = "" if private or any(path.iterdir()) else "nothing is in it"
        return LocalFolder(path=path, fault=fault, private=private)
    except (OSError, ValueError, RuntimeError) as error:
        said = getattr(error, "strerror", None) or error
        return LocalFolder(path=spec.parent / folder, fault=f"it cannot be read: {said}")


def _around(path: Path, spec: Path, root: Path) -> str:
    """Whether the project or the spec lies in it, links followed."""
    real = path.resolve()
    if root.resolve().is_relative_to(real):
        return "the whole project is in it"
    return "the spec itself is in it" if spec.resolve().is_relative_to(real) else ""


def _private(top: Path) -> Iterator[str]:
    """What lies in it that is not meant for others."""
    for parent, folders, files in os.walk(top, onerror=_unlistable):
        for name in sorted([*folders, *files]):
            if name in _PRIVATE or name.startswith(_SECRETS):
                yield f"{_within(top, parent, name)} is in it"
        folders[:] = sorted(name for name in folders if name not in _LEFT_OUT)
        for name in sorted(files):
            if name not in _LEFT_OUT and (what := _written(Path(parent, name))):
                yield f"{_within(top, parent, name)} {what}"


def _written(file: Path) -> str:
    """What the text of a small file gives away."""
    if not file.is_file() or file.stat().st_size > _READ_BYTES:
        return ""
    text = file.read_text(encoding="utf-8", errors="replace")
    if file.suffix in _OWN_SUFFIXES and _OWN.search(text):
        return "is a spec or a lock of moorage"
    found = next(secrets.find(text), None)
    return f"holds in line {found[0]} what looks like {found[2]}" if found else ""


def _within(top: Path, parent: str, name: str) -> str:
    path = Path(parent, name).relative_to(top).as_posix()
    return path if path.isprintable() else repr(path)


def _unlistable(error: OSError) -> None:
    raise error
