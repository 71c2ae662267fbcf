"""What plans want of Hugging Face, as plain values; pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, TypeVar

from moorage.plan.choice.routing import AUTO
from moorage.plan.types import Machine, Placement, Plan

T = TypeVar("T")

ENDPOINT: Final = "hf-endpoint"
ROUTER: Final = "hf-router"
SPACE: Final = "hf-space"
KINDS: Final = frozenset({ENDPOINT, ROUTER, SPACE})
_FREE_HARDWARE: Final = "cpu-basic"  # of a Space
_WRITE: Final = "repo.write"
OWN: Final = ""  # the token's own account, before anybody knows its name


@dataclass(frozen=True, kw_only=True, slots=True)
class Hardware:
    """The instances of one placement at full scale."""

    name: str  # support-chat hf-endpoint-1
    account: str
    vendor: str
    region: str
    instance: str  # nvidia-l4-x1
    replicas: int  # at most
    usd: Decimal | None = None  # an hour, as it was reviewed
    mark: str = ""  # the tag that an endpoint of this placement carries

    @property
    def kind(self) -> str:
        """The instance without its size: quotas are counted by it."""
        return self.instance.rpartition("-")[0]


@dataclass(frozen=True, kw_only=True, slots=True)
class Model:
    """A repository that the platform will load."""

    id: str
    revision: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Route:
    """Providers of the router that one placement uses, and who pays."""

    name: str
    model: str
    providers: tuple[str, ...]
    is_open: bool = False  # whether any of them will do
    payer: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Space:
    """A Space that an account is to have."""

    account: str
    is_free: bool  # by its hardware
    is_protected: bool  # its code is hidden, and its app is not

    @property
    def wants_plan(self) -> bool:
        """Whether it takes a paid plan: hardware that is paid takes no more than that."""
        return self.is_free or self.is_protected


@dataclass(frozen=True, kw_only=True, slots=True)
class Wishes:
    """Everything that a stack wants, each thing once."""

    hardware: tuple[Hardware, ...] = ()
    models: tuple[Model, ...] = ()
    routes: tuple[Route, ...] = ()
    spaces: tuple[Space, ...] = ()
    private: tuple[str, ...] = ()  # the accounts whose endpoints only members may ask
    published: tuple[tuple[str, str], ...] = ()  # account, permission that keeping it there takes

    @property
    def accounts(self) -> tuple[str, ...]:
        """Whoever is to have an endpoint, a Space or a repository."""
        spaces = [space.account for space in self.spaces]
        return _once([*self.paying, *spaces, *(account for account, _ in self.published)])

    @property
    def paying(self) -> tuple[str, ...]:
        """Whoever is to have what costs something."""
        spaces = [space.account for space in self.spaces if not space.is_free]
        return _once([*(row.account for row in self.hardware), *spaces])

    @property
    def kept(self) -> tuple[tuple[str, str], ...]:
        """The permissions that it takes to make Spaces and repositories, by the account."""
        return _once([*((space.account, _WRITE) for space in self.spaces), *self.published])

    @property
    def asks(self) -> bool:
        """Whether anything there is to be asked by the gateway."""
        return bool(self.hardware or self.routes or self.spaces)


def concerned(plans: Iterable[Plan]) -> bool:
    """Whether anything of the plans is at Hugging Face."""
    return any(plan.app or plan.publish or any(map(_is_theirs, plan.placements)) for plan in plans)


def wishes(plans: Iterable[Plan], *, owner: str, prices: Mapping[str, Decimal]) -> Wishes:
    """What the plans want; `owner` is project/stack, `prices` an hour by the offer's key."""
    placed = [(plan, one) for plan in plans for one in plan.placements]
    endpoints = [(plan, one) for plan, one in placed if one.kind == ENDPOINT]
    spaces = [_space(one.options) for _, one in placed if one.kind == SPACE]
    apps = [_space(plan.app.options) for plan in plans if plan.app]
    private = [_account(one) for _, one in endpoints if one.options.get("visibility") == "private"]
    return Wishes(
        hardware=tuple(
            _hardware(plan, one, one.machine, owner, prices)
            for plan, one in endpoints
            if one.machine is not None
        ),
        models=_once(
            Model(id=plan.model_id, revision=plan.revision)
            for plan, one in placed
            if one.kind in (ENDPOINT, SPACE)
        ),
        routes=tuple(_route(plan, one) for plan, one in placed if one.kind == ROUTER),
        spaces=_once([*spaces, *apps]),
        private=_once(private),
        published=_once(one for plan in plans for one in _published(plan)),
    )


def _published(plan: Plan) -> Iterator[tuple[str, str]]:
    """The permissions that it takes to keep what a plan publishes."""
    for row in plan.publish:
        account = row.namespace or OWN
        yield account, _WRITE
        if row.changes_by == "pull-request":
            yield account, "discussion.write"
        if row.collection:
            yield account, "collection.write"


def _hardware(
    plan: Plan, placement: Placement, machine: Machine, owner: str, prices: Mapping[str, Decimal]
) -> Hardware:
    return Hardware(
        name=f"{plan.service} {placement.name}",
        account=_account(placement),
        vendor=machine.vendor or "",
        region=machine.region or "",
        instance=machine.instance or "",
        replicas=machine.replicas_max,
        usd=prices.get(machine.offer or ""),
        mark=_mark(f"{owner}/{plan.service}-{placement.name}"),
    )


def _mark(owner: str) -> str:
    """The tag by which the provider knows an endpoint of ours again."""
    return f"moorage-owner-{hashlib.sha256(owner.encode()).hexdigest()[:24]}"


def _route(plan: Plan, placement: Placement) -> Route:
    return Route(
        name=f"{plan.service} {placement.name}",
        model=plan.model_id,
        providers=placement.routes,
        is_open=placement.options.get("provider", AUTO) == AUTO,
        payer=placement.options.get("bill_to"),
    )


def _space(options: Mapping[str, Any]) -> Space:
    return Space(
        account=str(options.get("namespace") or OWN),
        is_free=options.get("hardware", _FREE_HARDWARE) == _FREE_HARDWARE,
        is_protected=options.get("visibility") == "protected",
    )


def _account(placement: Placement) -> str:
    return str(placement.options.get("namespace") or OWN)


def _is_theirs(placement: Placement) -> bool:
    return placement.kind in KINDS


def _once(values: Iterable[T]) -> tuple[T, ...]:
    return tuple(dict.fromkeys(values))


def by_quota(hardware: Iterable[Hardware]) -> Iterator[tuple[str, str, str]]:
    """Every account with a vendor and a kind of its instances that it is to have."""
    return iter(_once((row.account, row.vendor, row.kind) for row in hardware))
