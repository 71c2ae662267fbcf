"""The other repositories that a spec names: adapters, tokenizer, chat template, datasets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from moorage.spec.types import Model, Pinned, Spec


class Wanted(NamedTuple):
    """A repository that a spec names, and where in the spec."""

    role: str  # adapter | tokenizer | chat-template | dataset
    id: str
    revision: str | None = None
    file: str | None = None  # of a chat template
    way: tuple[str | int, ...] = ()

    @property
    def says(self) -> str:
        """What it is, in words; of a spec's several adapters and datasets also which."""
        which = f" {self.id}" if self.role in ("adapter", "dataset") else ""
        return f"the {self.role.replace('-', ' ')}{which}"


def wanted(spec: Spec) -> tuple[Wanted, ...]:
    """Every repository besides the model's, each once for each thing that it is wanted for."""
    found = {(one.role, one.id, one.revision): one for one in reversed(list(named(spec)))}
    return tuple(reversed(found.values()))


def named(spec: Spec) -> Iterator[Wanted]:
    """Every place of the spec that names such a repository."""
    model: Model = spec.model
    for number, adapter in enumerate(model.adapters):
        yield _one("adapter", adapter, "model", "adapters", number)
    if model.tokenizer is not None:
        yield _one("tokenizer", model.tokenizer, "model", "tokenizer")
    if model.chat_template is not None:
        yield _one("chat-template", model.chat_template, "model", "chat_template")
    for number, evaluation in enumerate(spec.evaluations):
        yield _one("dataset", evaluation.dataset, "evaluations", number, "dataset")


def _one(role: str, pinned: Pinned, *way: str | int) -> Wanted:
    return Wanted(role=role, id=pinned.id, revision=pinned.revision, file=pinned.file, way=way)
