"""What is known of the world outside a spec when it is judged: its lock, and files found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from moorage.spec.problems import Problem


@dataclass(frozen=True, kw_only=True, slots=True)
class RepoFile:
    """One file of a repository at a commit."""

    name: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Tensors:
    """Tensors that differ only by the numbers in their names (`layers.*.mlp.up_proj.weight`)."""

    name: str  # every run of digits between dots is written as *
    dtype: str  # as the header says it: BF16, F8_E4M3, U8; of GGUF: Q4_K, F32
    shape: tuple[int, ...]
    count: int
    bytes_each: int

    @property
    def bytes_all(self) -> int:
        return self.bytes_each * self.count


@dataclass(frozen=True, kw_only=True, slots=True)
class Route:
    """A provider of the Hugging Face router that serves a model; None is what nobody says."""

    provider: str  # the router's own slug; they come and go
    task: str
    status: str  # live | staging | error
    provider_id: str | None = None
    context_tokens: int | None = None
    input_usd_per_mtok: Decimal | None = None
    output_usd_per_mtok: Decimal | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Reference:
    """Another repository that a spec names, at a commit."""

    role: str  # adapter | tokenizer | chat-template | dataset
    id: str
    revision: str
    license: str | None = None
    gated: bool | str = False
    access: bool | None = None
    digests: Mapping[str, str] = field(default_factory=dict)  # file -> SHA-256
    rank: int | None = None  # of a LoRA adapter
    size_bytes: int | None = None
    base_model: str | None = None  # what an adapter was trained for


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelFacts:
    """What the Hub says of one revision of a model."""

    id: str
    revision: str  # the commit that the asked revision stands for
    files: tuple[RepoFile, ...]  # those with a digest: the weights
    license: str | None = None  # an SPDX identifier where there is one, else the Hub's own word
    gated: bool | str = False  # False, "auto" or "manual"
    access: bool | None = None  # whether the token that asked may read the files
    library: str | None = None
    task: str | None = None  # the Hub's pipeline tag
    architecture: str | None = None
    weights: str | None = None  # safetensors | gguf | pickle | other; None: nobody looked
    remote_code: bool = False  # whether loading it runs code of the repository
    config: Mapping[str, Any] = field(default_factory=dict)  # the part of config.json we read
    tensors: tuple[Tensors, ...] = ()  # from the headers of the weights
    tokenizer_sha256: str | None = None
    chat_template_sha256: str | None = None
    routes: tuple[Route, ...] = ()
    references: tuple[Reference, ...] = ()
    asked_of: str  # where the answer comes from
    asked_on: str  # the day, YYYY-MM-DD


@dataclass(frozen=True, kw_only=True, slots=True)
class LockedOffer:
    """A price row as it stood when the spec was locked."""

    key: str  # as moorage.plan.catalog.Offer.key
    usd: Decimal
    per: str
    date: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Lock:
    """The facts that a spec was reviewed with: only the files that its quantization names."""

    model: ModelFacts
    quantization: str  # what the spec asked for when it was locked
    offers: tuple[LockedOffer, ...] = ()


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
