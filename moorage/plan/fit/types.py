"""What is asked of the memory proof, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from msgspec import Struct, field

from moorage.plan.catalogue.offers import Gpu
from moorage.plan.facts import ModelFacts
from moorage.spec.types import Load


class Question(Struct, frozen=True, kw_only=True):
    """Does this model, served so, run on this machine?"""

    facts: ModelFacts
    quantization: str  # as the spec says it
    engine: str  # a name of catalog/engines.yaml
    version: str
    gpu: Gpu | None  # None: no GPU
    count: int  # GPUs
    generates: bool = True  # whether its task is answered token by token
    host_gib: float | None = None  # main memory, where it matters
    max_model_len: int | None = None  # tokens; None: the model's own
    max_num_seqs: int | None = None  # None: chosen
    max_num_batched_tokens: int | None = None
    gpu_memory_utilization: float | None = None
    kv_cache_dtype: str | None = None
    tensor_parallel: int | None = None  # None: chosen from count
    load: Load = field(default_factory=Load)
    adapters: tuple[int | None, ...] = ()  # the rank of each LoRA adapter
    args: Mapping[str, Any] = field(default_factory=dict)  # other flags of the engine


class Span(Struct, frozen=True, kw_only=True):
    """An interval in GiB: what is sure to be used at least, and at most."""

    low: float
    high: float


class Fit(Struct, frozen=True, kw_only=True):
    """The proof, per rank (one GPU of a tensor-parallel group)."""

    verdict: str  # fits | tight | does-not-fit | unknown
    because: str  # the limit that binds, or what is not known, in one line
    confidence: str  # measured | derived | rough
    usable_gib: float = 0.0
    budget_gib: float = 0.0  # what the engine may take of it
    parts: Mapping[str, Span] = field(default_factory=dict)  # weights, activations, graphs, other
    kv_gib: Span = Span(low=0.0, high=0.0)  # left for the KV cache
    kv_bytes_per_token: int = 0
    kv_tokens: int = 0  # that surely fit in it
    longest_len: int = 0  # the largest max_model_len that surely fits
    concurrency_full: float = 0.0  # requests of max_model_len at a time
    concurrency_load: float = 0.0  # requests of the spec's own load at a time
    flags: Mapping[str, Any] = field(default_factory=dict)  # the engine's, without dashes
    changes: tuple[str, ...] = ()  # what would make it fit, cheapest first


class Obstacle(NamedTuple):
    """A hard reason why an engine will not serve a model so, whatever the memory."""

    rule: str  # the slug of the rule that tells it
    says: str
    hint: str = ""
