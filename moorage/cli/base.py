"""The plans of another commit, from specs that git exports into a folder that does not stay."""

from __future__ import annotations

import os
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from moorage.errors import MoorageError

if TYPE_CHECKING:
    from datetime import date

    from moorage.plan.catalogue.offers import Catalog
    from moorage.plan.load import Loaded
    from moorage.plan.show.compare import Change

_PARTS: Final = ("specs", "catalog", "Pulumi.yaml", "policy.yaml")  # what a verdict depends on
_DEADLINE_S: Final = 60


@contextmanager
def exported(ref: str, *, root: Path) -> Iterator[Path]:
    """A folder with what a verdict depends on, as it was at `ref`; `root` is the project."""
    with tempfile.TemporaryDirectory(prefix="moorage-base-") as folder:
        archive, out = Path(folder, "base.tar"), Path(folder, "project")
        out.mkdir()
        _archive(ref, root, archive)
        _unpack(archive, out)
        archive.unlink()
        yield out


def base(ref: str, paths: Sequence[Path], *, root: Path, today: date | None = None) -> Loaded:
    """What the same paths were at `ref`; what was not there, or was refused, has no plan."""
    from moorage.plan import files
    from moorage.plan.load import Loaded, load

    with exported(ref, root=root) as folder:
        found: list[Path] = []
        for path in paths:
            with suppress(MoorageError):  # a path that is new
                found += files.specs([_there(path, root, folder)])
        return load(found, root=folder, today=today) if found else Loaded(plans=(), problems=())


def changes(before: Loaded, after: Loaded, catalog: Catalog) -> tuple[Change, ...]:
    """What becomes of every service."""
    from moorage.plan.show.compare import compare, facts_moved

    replace_on = {name: kind.replace_on for name, kind in catalog.kinds.items()}
    facts = {
        name: facts_moved(before.locks.get(name), locked) for name, locked in after.locks.items()
    }
    return compare(before.plans, after.plans, replace_on=replace_on, facts=facts)


def _there(path: Path, root: Path, folder: Path) -> Path:
    way = os.path.relpath(Path(path).absolute(), root.absolute())
    if way.split(os.sep, 1)[0] == os.pardir:
        message = f"{path}: lies outside of the project, so its base has nothing of it"
        raise MoorageError(message)
    return folder / way


def _archive(ref: str, root: Path, file: Path) -> None:
    """One call of git; a name that begins with '-' would be an option of it."""
    if not ref or ref.startswith("-") or "\0" in ref:
        message = f"--base: {ref[:60]!r} is not the name of a commit"
        raise MoorageError(message)
    command = ["git", "archive", "--format=tar", f"--output={file}", f"{ref}^{{commit}}"]
    try:
        done = subprocess.run(
            command,
            cwd=root,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_DEADLINE_S,
            check=False,
        )
    except FileNotFoundError as error:
        message = "--base needs git, and there is none on PATH"
        raise MoorageError(message) from error
    except subprocess.TimeoutExpired as error:
        message = f"--base: git did not export {ref[:60]!r} within {_DEADLINE_S} s"
        raise MoorageError(message) from error
    if done.returncode != 0:
        raise MoorageError(_refused(ref, done.stderr.decode("utf-8", "replace")))


def _refused(ref: str, git_says: str) -> str:
    if "not a git repository" in git_says:
        return f"--base: this is no git repository, so there is no {ref[:60]!r} to compare with"
    if "not a valid object name" in git_says or "bad revision" in git_says:
        return f"--base: there is no commit {ref[:60]!r} here; fetch it first (git fetch origin)"
    last = next(iter(git_says.strip().splitlines()[-1:]), "git says nothing")
    return f"--base: git cannot export {ref[:60]!r}: {last[:200]}"


def _unpack(archive: Path, out: Path) -> None:
    """Files and folders only: a link could lead out of the folder."""
    with tarfile.open(archive) as tar:
        for member in tar:
            if _wanted(member):
                tar.extract(member, out, filter="data")


def _wanted(member: tarfile.TarInfo) -> bool:
    first = member.name.split("/", 1)[0]
    return first in _PARTS and (member.isreg() or member.isdir())
