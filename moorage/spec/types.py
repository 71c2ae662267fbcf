"""The shape of a spec once it is understood: frozen values with their units in their names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class Model:
    """Which weights a team wants, and for what."""

    id: str  # a Hub repository, or the path of a GGUF file
    revision: str | None = None
    task: str = "text-generation"  # the Hub's own pipeline tags
    quantization: str = "none"  # none, or gguf:<file name or pattern>
    max_model_len: int | None = None  # tokens
    offline: str = "refuse"  # refuse | tiny: what to serve where the Hub cannot be reached

    @property
    def is_path(self) -> bool:
        """Whether `id` names a file of this machine and not a repository of the Hub."""
        return self.id.startswith(("/", "./", "../", "~")) or self.id.endswith(".gguf")


@dataclass(frozen=True, kw_only=True, slots=True)
class Privacy:
    tier: str = "internal"  # public | internal | confidential | restricted
    regions: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Budget:
    monthly_usd: Decimal = Decimal(0)
    on_breach: str = "refuse"


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """One entry of `providers` as the team wrote it; the plan resolves it to a placement."""

    kind: str
    options: Mapping[str, Any] = field(default_factory=dict)  # the entry's other keys


@dataclass(frozen=True, kw_only=True, slots=True)
class Slo:
    ttft_p95_ms: float | None = None
    tpot_p95_ms: float | None = None
    error_rate: float | None = None  # a share: 0.5% is 0.005


@dataclass(frozen=True, kw_only=True, slots=True)
class Failover:
    time_to_recover_s: float | None = None
    lost_before_first_token: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Load:
    rps: float = 4.0
    input_tokens: int = 32
    output_tokens: int = 16


@dataclass(frozen=True, kw_only=True, slots=True)
class Spec:
    """What a team wrote, and where."""

    name: str
    team: str
    model: Model
    providers: tuple[Target, ...]
    privacy: Privacy = field(default_factory=Privacy)
    budget: Budget = field(default_factory=Budget)
    slo: Slo = field(default_factory=Slo)
    failover: Failover = field(default_factory=Failover)
    load: Load = field(default_factory=Load)
    path: Path = Path()
