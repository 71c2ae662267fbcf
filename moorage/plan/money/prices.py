"""What the chosen offers cost under a spec's load, at the prices that were reviewed; pure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

from msgspec.structs import replace

from moorage.plan.catalogue.offers import Offer
from moorage.plan.facts import LockedOffer
from moorage.plan.fit.speed import load_concurrency
from moorage.plan.money import cost
from moorage.plan.money.cost import Beside, Bill, Use
from moorage.plan.world import Choice, World
from moorage.spec import units

_MS_PER_MINUTE: Final = 60_000
_SPOT: Final = "spot"
_SPACE: Final = "hf-space"
_MILLION: Final = 1_000_000

APP_HARDWARE: Final = "cpu-basic"  # of an app that does not say; it is free

# Tasks of which the router tells no price, and the option by which a spec states it.
STATED: Final = {
    "feature-extraction": "usd_per_mtok",
    "sentence-similarity": "usd_per_mtok",
    "text-to-image": "usd_per_image",
}


def routed(world: World, choice: Choice, *, first: bool = False) -> Choice:
    """The choice with what its routes cost."""
    use = _use(world, choice, first=first)
    bill = cost.routed(choice.routes, use) if choice.routes else None
    return replace(choice, bill=bill)


def request_usd(world: World, choice: Choice) -> Decimal | None:
    """What one request costs at the router by the spec's own word; None where it says nothing."""
    option = STATED.get(world.spec.model.task, "")
    stated = choice.target.options.get(option)
    if stated is None:
        return None
    usd = Decimal(str(stated))
    return usd * world.spec.load.input_tokens / _MILLION if option == "usd_per_mtok" else usd


def bought(world: World, choice: Choice, *, first: bool = False) -> Choice:
    """The choice with what its offer costs; a price of the lock is the one that was reviewed."""
    stated = choice.target.options.get("monthly_usd")
    if stated is not None:
        amount = Decimal(str(stated))
        return replace(choice, bill=cost.flat(amount, "as the spec states it"))
    taken = choice.taken
    if taken is None or taken.offer is None:
        return choice
    offer = reviewed(world, taken.offer)
    return replace(
        choice,
        taken=replace(taken, offer=offer),
        bill=cost.monthly(offer, _use(world, choice, first=first)),
    )


def first(world: World, choice: Choice) -> Choice:
    """The choice as it is billed where those before it are left out."""
    bill = routed if choice.kind.routers else bought
    return bill(world, choice, first=True)


def app(world: World) -> Bill | None:
    """What the Space in front of a service costs; None where there is none that is known."""
    offer = app_offer(world)
    if offer is None or world.spec.app is None:
        return None
    kind, asleep = world.catalog.kinds[_SPACE], world.spec.app.options.get("sleep_after")
    use = Use(
        load=world.load,
        scale_to_zero=bool(asleep),
        idle_minutes=_minutes(asleep),
        billed_while_starting=kind.billed_while_starting,
        billing_minimum_s=kind.billing_minimum_s,
    )
    return cost.monthly(reviewed(world, offer), use)


def app_offer(world: World) -> Offer | None:
    """The hardware of that Space, as the catalogue sells it."""
    if world.spec.app is None:
        return None
    name = world.spec.app.options.get("hardware", APP_HARDWARE)
    return next((row for row in world.catalog.kinds[_SPACE].offers if row.name == name), None)


def reviewed(world: World, offer: Offer) -> Offer:
    """The row as the lock has it, where it has it."""
    row = locked(world, offer)
    return offer if row is None else replace(offer, usd=row.usd, date=row.date)


def locked(world: World, offer: Offer) -> LockedOffer | None:
    rows = world.lock.offers if world.lock is not None else ()
    key = offer.key if rows else ""
    return next((row for row in rows if row.key == key and row.per == offer.per), None)


def rows(choice: Choice) -> Iterator[Offer]:
    """The rows of the catalogue that price a choice: its own, and what spot can come to cost."""
    offer = choice.taken.offer if choice.taken else None
    if offer is not None:
        yield offer
    dearest = _on_demand(choice)
    if dearest is not None:
        yield dearest


def _use(world: World, choice: Choice, *, first: bool) -> Use:
    kind, options = choice.kind, choice.target.options
    idle = options.get("scale_to_zero_after") or options.get("stop_when_idle_after")
    dearest = _on_demand(choice)
    asleep = options.get("sleep_after")  # a Space is one replica, which sleeps as a whole
    return Use(
        load=world.load,
        first=first or choice.number == 0,
        replicas_min=choice.replicas_min,
        replicas_max=choice.replicas_max,
        replicas_needed=replicas_needed(world, choice),
        scale_to_zero=bool(asleep) or (bool(idle) and choice.replicas_min == 0),
        idle_minutes=_minutes(asleep or idle),
        billed_while_starting=kind.billed_while_starting,
        billing_minimum_s=kind.billing_minimum_s,
        beside=tuple(_beside(choice)),
        request_usd=request_usd(world, choice),
        dearest=None if dearest is None else reviewed(world, dearest),
    )


def replicas_needed(world: World, choice: Choice) -> int:
    """Replicas that carry the spec's load: requests at a time, by those that one answers."""
    proof = choice.taken.fit if choice.taken else None
    if proof is None or proof.concurrency_load <= 0:
        return 1
    most = proof.flags.get("max-num-seqs")
    at_a_time = min(proof.concurrency_load, most) if most else proof.concurrency_load
    return max(1, math.ceil(load_concurrency(world.load, world.spec.slo) / at_a_time))


def _minutes(duration: Any) -> Decimal:
    return Decimal(str(units.duration_ms(duration))) / _MS_PER_MINUTE if duration else Decimal(0)


def _beside(choice: Choice) -> Iterator[Beside]:
    """What is billed along with an instance, in the quantity that the options say."""
    given: Mapping[str, Any] = choice.kind.defaults | dict(choice.target.options)
    for offer in choice.kind.extras.values():
        if offer.per == "gb-month":
            yield Beside(offer=offer, quantity=int(given.get("disk_gib", 1)))
        elif given.get("public_address", True):
            yield Beside(offer=offer)


def _on_demand(choice: Choice) -> Offer | None:
    """What a spot instance comes to cost when there is no market for it."""
    offer = choice.taken.offer if choice.taken else None
    if offer is None or offer.market != _SPOT:
        return None
    same = (
        row
        for row in choice.kind.offers
        if (row.name, row.region) == (offer.name, offer.region) and row.market != _SPOT
    )
    return next(same, None)
