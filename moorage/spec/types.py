"""The shape of a spec once it is understood: frozen values with their units in their names."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

from msgspec import Struct, field


class Pinned(Struct, frozen=True, kw_only=True):
    """Another repository of the Hub at a commit: an adapter, a tokenizer, a dataset."""

    id: str
    revision: str | None = None
    name: str | None = None  # an adapter: what requests call it; a template: the file
    file: str | None = None

    @property
    def called(self) -> str:
        """What requests call an adapter."""
        return self.name or self.id.rpartition("/")[2]


class Model(Struct, frozen=True, kw_only=True):
    """Which weights a team wants, and for what."""

    id: str  # a Hub repository, or the path of a GGUF file
    revision: str | None = None
    task: str = "text-generation"  # the Hub's own pipeline tags
    quantization: str = "none"  # none, a method, or gguf:<file name or pattern>
    max_model_len: int | None = None  # tokens
    offline: str = "refuse"  # refuse | tiny: what to serve where the Hub cannot be reached
    trust_remote_code: bool = False
    adapters: tuple[Pinned, ...] = ()
    tokenizer: Pinned | None = None
    chat_template: Pinned | None = None

    @property
    def is_path(self) -> bool:
        """Whether `id` names a file of this machine and not a repository of the Hub."""
        return self.id.startswith(("/", "./", "../", "~")) or self.id.endswith(".gguf")

    @property
    def is_gguf(self) -> bool:
        """Whether the weights are one GGUF file."""
        return self.is_path or self.quantization.startswith("gguf:")


class Privacy(NamedTuple):
    tier: str = "internal"  # public | internal | confidential | restricted
    regions: tuple[str, ...] = ()  # areas (eu) or regions (eu-west-1); none: anywhere
    retention_days: float | None = None  # the longest that anyone may keep a request


class Budget(NamedTuple):
    monthly_usd: Decimal = Decimal(0)
    on_breach: str = "refuse"  # refuse | cheapest-route | scale-to-zero
    test_usd: Decimal = Decimal(1)  # what one load test may cost


class Target(Struct, frozen=True, kw_only=True):
    """One entry of `providers` as the team wrote it; the plan resolves it to a placement."""

    kind: str
    options: Mapping[str, Any] = field(default_factory=dict)  # the entry's other keys
    differs: tuple[str, ...] = ()  # what of it may differ from the first choice, said openly


class Serving(Struct, frozen=True, kw_only=True):
    """The engine, and the few settings that change memory, quality or privacy.

    What is None is chosen by the plan.
    """

    engine: str | None = None  # a name of catalog/engines.yaml
    version: str | None = None
    image: str | None = None
    max_num_seqs: int | None = None
    max_num_batched_tokens: int | None = None
    gpu_memory_utilization: float | None = None  # a share of the GPU's memory
    kv_cache_dtype: str | None = None
    tensor_parallel: int | None = None  # GPUs
    args: Mapping[str, Any] = field(default_factory=dict)  # other flags, without the dashes
    env: Mapping[str, str] = field(default_factory=dict)


class Slo(Struct, frozen=True, kw_only=True):
    ttft_p95_ms: float | None = None
    tpot_p95_ms: float | None = None
    error_rate: float | None = None  # a share: 0.5% is 0.005


class Failover(Struct, frozen=True, kw_only=True):
    time_to_recover_s: float | None = None
    lost_before_first_token: int | None = None


class Load(Struct, frozen=True, kw_only=True):
    rps: float = 4.0
    input_tokens: int = 32
    output_tokens: int = 16
    active: float = 1.0  # the share of the month in which this load is there


class App(Struct, frozen=True, kw_only=True):
    """The Space in front of a service."""

    kind: str = "hf-space"
    options: Mapping[str, Any] = field(default_factory=dict)


class Publication(Struct, frozen=True, kw_only=True):
    """A repository of one's own on the Hub, kept by the spec: its card, files and visibility."""

    kind: str  # model | dataset
    name: str
    namespace: str | None = None  # None: the token's own account
    folder: Path | None = None  # None: the card alone is kept, and files of others stay
    visibility: str = "private"  # private | public
    license: str | None = None
    card: Mapping[str, Any] = field(default_factory=dict)
    changes_by: str = "commit"  # commit | pull-request
    resource_group: str | None = None
    collection: str | None = None  # the title of the one that it is put into

    @property
    def what(self) -> str:
        """In messages: which repository it is."""
        return f"{self.kind} {f'{self.namespace}/' if self.namespace else ''}{self.name}"


class Evaluation(NamedTuple):
    """A dataset that the served model is held to."""

    dataset: Pinned
    metric: str
    at_least: float
    split: str = "test"
    samples: int | None = None


class Spec(Struct, frozen=True, kw_only=True):
    """What a team wrote, and where."""

    name: str
    team: str
    model: Model
    providers: tuple[Target, ...]
    owner: str | None = None  # who is asked at three in the morning
    privacy: Privacy = field(default_factory=Privacy)
    budget: Budget = field(default_factory=Budget)
    serving: Serving = field(default_factory=Serving)
    slo: Slo = field(default_factory=Slo)
    failover: Failover = field(default_factory=Failover)
    load: Load = field(default_factory=Load)
    app: App | None = None
    publish: tuple[Publication, ...] = ()
    evaluations: tuple[Evaluation, ...] = ()
    path: Path = Path()
