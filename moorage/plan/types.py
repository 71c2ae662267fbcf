"""What is decided: placements in order, with their weights, cost and reasons."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from msgspec import Struct, field

from moorage.plan.fit.types import Fit
from moorage.spec.types import App, Failover, Load, Pinned, Publication, Slo


class Weights(Struct, frozen=True, kw_only=True):
    """The one file of weights that an engine loads, or the first of its parts.

    Either `path` is set (a file that is already here), or `repo`, `revision`, `file` and `sha256`
    name a file of the Hub; `offline` says what to do where the Hub cannot be reached. Parts have
    their sizes in `size_bytes` together, and no digest in common.
    """

    path: Path | None = None
    repo: str | None = None
    revision: str | None = None
    file: str | None = None
    sha256: str | None = None
    size_bytes: int | None = None
    offline: str = "refuse"


class Cost(Struct, frozen=True, kw_only=True):
    """Dollars per month, and per million tokens."""

    least_usd: Decimal = Decimal(0)
    expected_usd: Decimal = Decimal(0)
    most_usd: Decimal = Decimal(0)
    usd_per_mtok: Decimal | None = None  # prompts and answers, at the spec's load


class Passed(Struct, frozen=True, kw_only=True):
    """A choice that was not taken, and why."""

    name: str
    why: str


class Machine(Struct, frozen=True, kw_only=True):
    """What is bought or used: how many of which GPU, where, by which price row."""

    offer: str | None = None  # the key of the price row
    instance: str | None = None  # as its seller calls it
    vendor: str | None = None
    region: str | None = None
    gpu: str | None = None  # a name of catalog/gpus.yaml
    count: int = 0  # GPUs
    replicas_min: int = 1
    replicas_max: int = 1


class Placement(Struct, frozen=True, kw_only=True):
    """One place where the model will run, resolved from one entry of `providers`."""

    name: str  # unique within the service: local-1, openai-2
    kind: str
    options: Mapping[str, Any] = field(default_factory=dict)
    weights: Weights | None = None  # None where it is not one file that is loaded
    engine: str | None = None
    version: str | None = None
    image: str | None = None
    flags: Mapping[str, Any] = field(default_factory=dict)  # the engine's, without dashes
    env: Mapping[str, str] = field(default_factory=dict)
    machine: Machine | None = None
    device_ids: tuple[str, ...] = ()  # the GPUs that it gets of a host which it may share
    routes: tuple[str, ...] = ()  # providers of the router, in order
    fit: Fit | None = None  # the memory proof, where there is something to prove
    cost: Cost = field(default_factory=Cost)
    differs: tuple[str, ...] = ()  # what of it is not proven to be as in the first placement
    reasons: tuple[str, ...] = ()
    passed_over: tuple[Passed, ...] = ()


class Plan(Struct, frozen=True, kw_only=True):
    """A service as it will be built; placements stand in failover order."""

    service: str
    team: str
    owner: str | None = None
    model_id: str
    revision: str | None = None
    task: str
    quantization: str = "none"
    max_model_len: int | None
    adapters: tuple[Pinned, ...] = ()
    tokenizer: Pinned | None = None  # None: the model's own
    chat_template: Pinned | None = None
    trust_remote_code: bool = False  # whether code of the model's repository may run
    privacy_tier: str
    regions: tuple[str, ...] = ()
    placements: tuple[Placement, ...]
    passed_over: tuple[Passed, ...] = ()  # whole entries of `providers` that were left out
    app: App | None = None
    app_cost: Cost | None = None  # of its hardware; part of `cost`
    publish: tuple[Publication, ...] = ()  # their folders are absolute
    cost: Cost
    slo: Slo
    failover: Failover
    load: Load
    spec_path: Path
