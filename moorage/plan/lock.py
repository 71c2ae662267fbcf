"""The lock beside a spec: the Hub's answer frozen as JSON, sorted, stable, free of secrets."""

from __future__ import annotations

import dataclasses
import re
from fnmatch import fnmatchcase
from pathlib import Path

from moorage.plan.facts import Lock, ModelFacts, RepoFile
from moorage.plan.lock_read import COMMIT, read
from moorage.plan.lock_text import VERSION, render
from moorage.spec.types import Model

__all__ = [
    "SUFFIX",
    "VERSION",
    "beside",
    "differences",
    "is_commit",
    "make",
    "matching",
    "read",
    "render",
    "same",
]

SUFFIX = ".lock.json"

_COMMIT = re.compile(COMMIT)
_PREFIX = "gguf:"


def beside(spec: Path) -> Path:
    """The path of a spec's lock: hello.yaml has hello.lock.json."""
    return spec.with_name(spec.stem + SUFFIX)


def is_commit(revision: str) -> bool:
    """Whether a revision is a commit, which cannot move, and not a branch or a tag."""
    return _COMMIT.fullmatch(revision) is not None


def matching(files: tuple[RepoFile, ...], quantization: str) -> tuple[RepoFile, ...]:
    """The files that `gguf:<name or pattern>` names; an exact name beats a pattern."""
    if not quantization.startswith(_PREFIX):
        return ()
    pattern = quantization.removeprefix(_PREFIX)
    exact = tuple(file for file in files if file.name == pattern)
    return exact or tuple(file for file in files if fnmatchcase(file.name, pattern))


def make(model: Model, facts: ModelFacts) -> Lock:
    """Freeze the part of the facts that a spec's model uses."""
    used = matching(facts.files, model.quantization)
    return Lock(model=dataclasses.replace(facts, files=used), quantization=model.quantization)


def same(one: Lock, other: Lock) -> bool:
    """Whether two locks say the same, whoever was asked and when."""
    return one.quantization == other.quantization and _flat(one) == _flat(other)


def differences(old: Lock, new: Lock) -> tuple[str, ...]:
    """What has moved of what the old lock knew, in words."""
    before, after = _flat(old), _flat(new)
    return tuple(
        f"{name} was {known}, is {after.get(name, 'gone')}"
        for name, known in sorted(before.items())
        if after.get(name) != known
    )


def _flat(lock: Lock) -> dict[str, object]:
    model = lock.model
    facts = {
        "revision": model.revision,
        "license": model.license,
        "gated": model.gated,
        "library": model.library,
        "architecture": model.architecture,
    }
    known: dict[str, object] = {"id": model.id} | {
        key: value for key, value in facts.items() if value is not None
    }
    return known | {f"sha256 of {file.name}": file.sha256 for file in model.files}
