"""From what a team wrote to what is meant: every entry of `providers` becomes a choice; pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from moorage.plan.choice import engines, hardware, routing
from moorage.plan.choice.kinds import KINDS
from moorage.plan.facts import Lock, LockedOffer
from moorage.plan.money import prices
from moorage.plan.world import Choice, World
from moorage.spec.types import Target


def resolve(world: World) -> tuple[Choice, ...]:
    """The choice of every entry, in failover order."""
    return tuple(_resolve(world, target, at) for at, target in enumerate(world.spec.providers))


def offers_used(world: World, lock: Lock) -> tuple[LockedOffer, ...]:
    """The rows of the catalogue that a spec uses under a new lock, to be reviewed with it."""
    anew = replace(lock, offers=())
    facts = replace(world.facts, lock=anew, lock_fault=None)
    choices = resolve(replace(world, facts=facts))
    app = prices.app_offer(world)
    used = [
        *(offer for choice in choices for offer in prices.rows(choice)),
        *([app] if app else []),
    ]
    rows = {
        offer.key: LockedOffer(key=offer.key, usd=offer.usd, per=offer.per, date=offer.date)
        for offer in used
    }
    return tuple(rows[key] for key in sorted(rows))


def options(world: World, choice: Choice) -> dict[str, Any]:
    """The options of an entry with the defaults of its kind, as closed as the tier wants it."""
    usual = choice.kind.defaults
    tier, known = world.spec.privacy.tier, choice.kind.visibility
    if "visibility" in usual and tier not in known.get(usual["visibility"], ()):
        closed = next((seen for seen, tiers in known.items() if tier in tiers), None)
        usual["visibility"] = closed or usual["visibility"]
    return usual | dict(choice.target.options)


def _resolve(world: World, target: Target, number: int) -> Choice:
    kind = world.catalog.kinds[target.kind]
    engine, version = engines.choose(world, kind)
    given = kind.defaults | dict(target.options)
    low, high = _replicas(given)
    choice = Choice(
        number=number,
        target=target,
        kind=kind,
        engine=engine,
        version=version,
        open=KINDS[kind.name].is_open(given),
        replicas_min=low,
        replicas_max=high,
    )
    if kind.routers:
        return prices.routed(world, routing.choose(world, choice))
    found = tuple(KINDS[kind.name].candidates(world, kind, given))
    return prices.bought(world, hardware.choose(world, choice, found))


def _replicas(given: Mapping[str, Any]) -> tuple[int, int]:
    replicas = given.get("replicas", {})
    low = int(replicas.get("min", 1))
    return low, int(replicas.get("max", max(low, 1)))
