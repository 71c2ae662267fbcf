"""Which files are meant by paths, folders and globs, and what stands in the files beside a spec."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from glob import glob, has_magic
from pathlib import Path

from moorage.errors import MoorageError
from moorage.plan.facts import Facts, LocalFile, Lock
from moorage.plan.folders import look
from moorage.plan.locks import lock
from moorage.spec import source
from moorage.spec.problems import Problem
from moorage.spec.types import Spec

_SUFFIXES = (".yaml", ".yml")
_NOT_SPECS = ("policy.yaml", "policy.yml")
_MAGIC = b"GGUF"


def specs(paths: Sequence[Path]) -> list[Path]:
    """Every spec that the paths mean, each once, sorted; a path that means none is an error."""
    found: dict[str, Path] = {}
    for path in paths:
        here = list(_meant(path))
        if not here:
            message = f"{path}: no spec here; give a YAML file, or a folder that holds some"
            raise MoorageError(message)
        found.update({_absolute(spec): spec for spec in here})
    return [Path(name) for name in sorted(found)]


def shown(path: Path, root: Path) -> str:
    """A file's name in messages: relative to the project where it lies inside."""
    absolute, base = _absolute(path), _absolute(root)
    inside = absolute == base or absolute.startswith(base.rstrip("/") + "/")
    name = (absolute[len(base) :].lstrip("/") or ".") if inside else absolute
    if name.isprintable():
        return name
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in name)


def facts(spec: Spec, path: Path, root: Path) -> Facts:
    """What the files beside a spec, and the file and folders that it names, say."""
    beside = lock.beside(path)
    read = _lock(beside, shown(beside, root))
    return Facts(
        lock_file=shown(beside, root),
        lock_path=beside,
        lock=read if isinstance(read, Lock) else None,
        lock_fault=read if isinstance(read, Problem) else None,
        file=_local_file(spec.model.id, path.parent) if spec.model.is_path else None,
        folders={
            row.folder: look(row.folder, spec=path, root=root)
            for row in spec.publish
            if row.folder is not None
        },
    )


def _lock(beside: Path, name: str) -> Lock | Problem | None:
    if not os.path.lexists(beside):
        return None
    text = source.text(beside, file=name)
    return text if isinstance(text, Problem) else lock.read(text, name)


def _meant(path: Path) -> Iterator[Path]:
    if _is_folder(path):
        yield from _below(path)
    elif os.path.lexists(path):
        yield path
    elif has_magic(str(path)):
        matches = sorted(glob(str(path), recursive=True))  # noqa: PTH207  may be absolute
        for match in map(Path, matches):
            if _is_folder(match) or _is_spec(match):
                yield from _meant(match)
    else:
        message = f"{path}: no such file or folder; give a spec, or a folder that holds some"
        raise MoorageError(message)


def _below(folder: Path) -> Iterator[Path]:
    """Links to folders are not followed: they may go round in a circle."""
    for parent, folders, names in os.walk(folder, onerror=_unlistable):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(parent, name) for name in sorted(names) if _is_spec(Path(name)))


def _is_spec(path: Path) -> bool:
    hidden = path.name.startswith(".")
    return path.suffix in _SUFFIXES and path.name not in _NOT_SPECS and not hidden


def _local_file(model_id: str, folder: Path) -> LocalFile:
    try:
        path = folder / Path(model_id).expanduser()
    except RuntimeError:  # ~somebody without a home
        return LocalFile(path=folder / model_id, fault="nobody has that home folder")
    absolute = Path(_absolute(path))
    return LocalFile(path=absolute, fault=_fault(absolute))


def _absolute(path: Path) -> str:
    return os.path.abspath(path)  # noqa: PTH100  resolve() would follow links


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:
        return False


def _unlistable(error: OSError) -> None:
    message = f"{error.filename}: the folder cannot be listed: {error.strerror}"
    raise MoorageError(message)


def _fault(path: Path) -> str:
    try:
        if path.is_dir():
            return "this is a folder"
        if not path.exists():
            return "there is no such file"
        if not path.is_file():
            return "this is not a regular file"
        with path.open("rb") as file:
            good = file.read(len(_MAGIC)) == _MAGIC
    except (OSError, ValueError) as error:
        return f"it cannot be read: {getattr(error, 'strerror', None) or error}"
    return "" if good else "it does not begin as a GGUF file does"
