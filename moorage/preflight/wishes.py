"""What plans want of Hugging Face, as plain values; pure."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, TypeVar

from moorage.plan.choice.routing import AUTO
from moorage.plan.money.prices import APP_HARDWARE
from moorage.plan.types import Machine, Placement, Plan

T = TypeVar("T")

ENDPOINT: Final = "hf-endpoint"
ROUTER: Final = "hf-router"
SPACE: Final = "hf-space"
KINDS: Final = frozenset({ENDPOINT, ROUTER, SPACE})
_WRITE: Final = "repo.write"
_DISCUSS: Final = "discussion.write"
_COLLECT: Final = "collection.write"
OWN: Final = ""  # the token's own account, before anybody knows its name


@dataclass(frozen=True, kw_only=True, slots=True)
class Hardware:
    """The instances of one placement at full scale."""

    name: str  # of the endpoint, at Hugging Face
    account: str
    vendor: str
    region: str
    instance: str  # nvidia-l4-x1
    replicas: int  # at most
    visibility: str = "private"  # who may ask it: public, authenticated or private
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

    model: str
    providers: tuple[str, ...]
    is_open: bool = False  # whether any of them will do
    payer: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Space:
    """A Space that an account is to have."""

    name: str
    account: str
    is_free: bool  # by its hardware
    is_protected: bool  # its code is hidden, and its app is not

    @property
    def wants_plan(self) -> bool:
        """Whether it takes a paid plan: hardware that is paid takes no more than that."""
        return self.is_free or self.is_protected


@dataclass(frozen=True, kw_only=True, slots=True)
class Right:
    """A permission that it takes to keep a repository."""

    permission: str
    account: str
    kind: str  # model, dataset or space
    name: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Wishes:
    """Everything that a stack wants, each thing once."""

    hardware: tuple[Hardware, ...] = ()
    models: tuple[Model, ...] = ()
    routes: tuple[Route, ...] = ()
    spaces: tuple[Space, ...] = ()
    published: tuple[Right, ...] = ()  # what it takes to keep what is published
    delete_first: bool = False  # whether what is replaced goes before its replacement comes

    @property
    def accounts(self) -> tuple[str, ...]:
        """Whoever is to have an endpoint, a Space or a repository."""
        spaces = [space.account for space in self.spaces]
        return _once([*self.paying, *spaces, *(right.account for right in self.published)])

    def visible(self, visibility: str) -> tuple[str, ...]:
        """The accounts that are to have endpoints which may be asked so."""
        return _once(row.account for row in self.hardware if row.visibility == visibility)

    @property
    def paying(self) -> tuple[str, ...]:
        """Whoever is to have what costs something."""
        spaces = [space.account for space in self.spaces if not space.is_free]
        return _once([*(row.account for row in self.hardware), *spaces])

    @property
    def kept(self) -> tuple[Right, ...]:
        """What it takes to make Spaces and repositories."""
        spaces = (
            Right(permission=_WRITE, account=space.account, kind="space", name=space.name)
            for space in self.spaces
        )
        return _once([*spaces, *self.published])

    @property
    def asks(self) -> bool:
        """Whether anything there is to be asked by the gateway."""
        return bool(self.hardware or self.routes or self.spaces)


def concerned(plans: Iterable[Plan]) -> bool:
    """Whether anything of the plans is at Hugging Face."""
    return any(plan.app or plan.publish or any(map(_is_theirs, plan.placements)) for plan in plans)


@dataclass(frozen=True, kw_only=True, slots=True)
class Site:
    """What is known of a stack beside its plans."""

    owner: str  # project/stack
    prices: Mapping[str, Decimal]  # an hour by the offer's key, as they were reviewed
    named: Callable[[Plan, Placement | None], str]  # as it is called there; None: the plan's app
    delete_first: bool = False  # the policy's word: nothing stands beside its replacement


def wishes(plans: Iterable[Plan], site: Site) -> Wishes:
    """What the plans want."""
    placed = [(plan, one) for plan in plans for one in plan.placements]
    endpoints = [(plan, one) for plan, one in placed if one.kind == ENDPOINT]
    spaces = [
        _space(one.options, site.named(plan, one)) for plan, one in placed if one.kind == SPACE
    ]
    apps = [_space(plan.app.options, site.named(plan, None)) for plan in plans if plan.app]
    return Wishes(
        hardware=tuple(
            _hardware(plan, one, one.machine, site)
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
        published=_once(one for plan in plans for one in _published(plan)),
        delete_first=site.delete_first,
    )


def _published(plan: Plan) -> Iterator[Right]:
    """What it takes to keep what a plan publishes."""
    for row in plan.publish:
        asks = row.changes_by == "pull-request"
        permissions = [_WRITE, *[_DISCUSS] * asks, *[_COLLECT] * bool(row.collection)]
        for one in permissions:
            yield Right(permission=one, account=row.namespace or OWN, kind=row.kind, name=row.name)


def _hardware(plan: Plan, placement: Placement, machine: Machine, site: Site) -> Hardware:
    return Hardware(
        name=site.named(plan, placement),
        account=_account(placement),
        vendor=machine.vendor or "",
        region=machine.region or "",
        instance=machine.instance or "",
        replicas=machine.replicas_max,
        visibility=str(placement.options.get("visibility", "authenticated")),
        usd=site.prices.get(machine.offer or ""),
        mark=_mark(f"{site.owner}/{plan.service}-{placement.name}"),
    )


def _mark(owner: str) -> str:
    """The tag by which the provider knows an endpoint of ours again."""
    return f"moorage-owner-{hashlib.sha256(owner.encode()).hexdigest()[:24]}"


def _route(plan: Plan, placement: Placement) -> Route:
    return Route(
        model=plan.model_id,
        providers=placement.routes,
        is_open=placement.options.get("provider", AUTO) == AUTO,
        payer=placement.options.get("bill_to"),
    )


def _space(options: Mapping[str, Any], name: str) -> Space:
    return Space(
        name=name,
        account=str(options.get("namespace") or OWN),
        is_free=options.get("hardware", APP_HARDWARE) == APP_HARDWARE,
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
