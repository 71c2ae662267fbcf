"""What is known of the world outside a spec when it is judged: its lock, and files found."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from moorage.spec.problems import Problem


@dataclass(frozen=True, kw_only=True, slots=True)
class RepoFile:
    """One file of a repository at a commit."""

    name: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelFacts:
    """What the Hub says of one revision of a model."""

    id: str
    revision: str  # the commit that the asked revision stands for
    files: tuple[RepoFile, ...]  # those with a digest: the weights
    license: str | None = None
    gated: bool | str = False  # False, "auto" or "manual"
    library: str | None = None
    architecture: str | None = None
    asked_of: str  # where the answer comes from
    asked_on: str  # the day, YYYY-MM-DD


@dataclass(frozen=True, kw_only=True, slots=True)
class Lock:
    """The facts that a spec was reviewed with: only the files that its quantization names."""

    model: ModelFacts
    quantization: str  # what the spec asked for when it was locked


@dataclass(frozen=True, kw_only=True, slots=True)
class LocalFile:
    """A file that a spec names by its path, as it was found."""

    path: Path  # absolute
    fault: str = ""  # why it cannot be served; empty when it can


@dataclass(frozen=True, kw_only=True, slots=True)
class Facts:
    """Everything besides spec and catalogue that a verdict depends on."""

    lock: Lock | None = None
    lock_file: str = ""  # the lock's name as messages show it, whether it is there or not
    lock_path: Path = Path()
    lock_fault: Problem | None = None  # it is there and cannot be understood
    file: LocalFile | None = None  # only where the model is a path
