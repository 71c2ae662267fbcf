"""What is decided: placements in order, with their weights, cost and reasons."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from moorage.spec.types import Failover, Load, Slo


@dataclass(frozen=True, kw_only=True, slots=True)
class Weights:
    """The one file of weights that an engine of this machine loads.

    Either `path` is set (a file that is already here), or `repo`, `revision`, `file` and `sha256`
    name a file of the Hub; `offline` says what to do where the Hub cannot be reached.
    """

    path: Path | None = None
    repo: str | None = None
    revision: str | None = None
    file: str | None = None
    sha256: str | None = None
    size_bytes: int | None = None
    offline: str = "refuse"


@dataclass(frozen=True, kw_only=True, slots=True)
class Cost:
    """Dollars per month."""

    least_usd: Decimal = Decimal(0)
    expected_usd: Decimal = Decimal(0)
    most_usd: Decimal = Decimal(0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Placement:
    """One place where the model will run, resolved from one entry of `providers`."""

    name: str  # unique within the service: local-1, openai-2
    kind: str
    options: Mapping[str, Any] = field(default_factory=dict)
    weights: Weights | None = None  # None where somebody else holds the weights
    cost: Cost = field(default_factory=Cost)
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """A service as it will be built; placements stand in failover order."""

    service: str
    team: str
    model_id: str
    task: str
    max_model_len: int | None
    privacy_tier: str
    placements: tuple[Placement, ...]
    cost: Cost
    slo: Slo
    failover: Failover
    load: Load
    spec_path: Path
