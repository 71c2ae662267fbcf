"""What a decision is made from, and the choices that it weighs: values only."""

from __future__ import annotations

from datetime import date

from msgspec import Struct, field
from msgspec.structs import replace

from moorage.plan.catalogue.offers import Catalog, Engine, Gpu, Kind, Offer
from moorage.plan.facts import Facts, Lock, Route
from moorage.plan.fit.types import Fit, Obstacle
from moorage.plan.money.cost import Bill
from moorage.plan.types import Passed
from moorage.spec.policy import Policy
from moorage.spec.tasks import TASKS
from moorage.spec.types import Load, Spec, Target


class World(Struct, frozen=True, kw_only=True):
    """Everything that a verdict and a plan depend on; the same world, the same answer."""

    spec: Spec
    facts: Facts
    catalog: Catalog
    policy: Policy = field(default_factory=Policy)
    today: date | None = None  # None: nothing is ever stale

    @property
    def load(self) -> Load:
        """What is asked and answered; an embedding or a rank is no token."""
        load = self.spec.load
        if TASKS[self.spec.model.task].generates:
            return load
        return replace(load, output_tokens=0)

    @property
    def lock(self) -> Lock | None:
        """The lock, where it was written for just this model."""
        lock, model = self.facts.lock, self.spec.model
        if lock is None or lock.model.id != model.id or lock.model.revision != model.revision:
            return None
        return lock if lock.quantization == model.quantization else None


class Candidate(Struct, frozen=True, kw_only=True):
    """One thing that an entry of `providers` could mean, and what is known of it."""

    name: str  # as people say it: nvidia-l40s x1 in aws eu-west-1
    offer: Offer | None = None
    region: str | None = None
    areas: tuple[str, ...] = ()  # where it computes; empty: nobody knows
    gpu: Gpu | None = None
    count: int = 0  # GPUs
    host_gib: float | None = None  # main memory
    obstacles: tuple[Obstacle, ...] = ()
    fit: Fit | None = None


class Choice(Struct, frozen=True, kw_only=True):
    """What becomes of one entry of `providers`."""

    number: int  # its place in `providers`, from 0
    target: Target
    kind: Kind
    engine: Engine | None = None
    version: str | None = None
    taken: Candidate | None = None  # what the plan uses, or would if it could
    sound: bool = True  # whether what is taken has no obstacle and does not lack memory
    open: bool = False  # whether the choice of hardware was left to us
    routes: tuple[Route, ...] = ()  # of the router, in order
    passed_over: tuple[Passed, ...] = ()
    nearest: Passed | None = None  # where nothing was sound: what came closest, and what it lacks
    bill: Bill | None = None  # what it costs; None: nobody knows
    replicas_min: int = 1
    replicas_max: int = 1

    @property
    def name(self) -> str:
        """The placement's name."""
        return f"{self.kind.name}-{self.number + 1}"

    @property
    def way(self) -> tuple[str, int]:
        """Where its entry stands in the spec."""
        return "providers", self.number
