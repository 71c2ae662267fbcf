"""What planning must know of each placement kind beyond its catalogue: the one registry of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from moorage.plan.address import reach
from moorage.plan.offers import Kind
from moorage.plan.types import Cost
from moorage.spec.types import Target


@dataclass(frozen=True, kw_only=True, slots=True)
class Price:
    """What a placement costs, and who says so."""

    cost: Cost
    why: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Refusal:
    """Why an entry of `providers` will not do; `option` is the key that says it."""

    rule: str
    option: str
    says: str
    hint: str


@dataclass(frozen=True, kw_only=True, slots=True)
class KindRules:
    """A price is None where nobody knows it; `refuse` judges an entry against a privacy tier."""

    price: Callable[[Target, Kind], Price | None]
    refuse: Callable[[Target, str], Refusal | None]


def _local_price(_target: Target, kind: Kind) -> Price | None:
    return _offered(kind, "this-machine")


def _local_refuse(_target: Target, _tier: str) -> Refusal | None:
    return None


def _openai_price(target: Target, kind: Kind) -> Price | None:
    stated = target.options.get("monthly_usd")
    if stated is not None:
        return _flat(Decimal(str(stated)), "as the spec states it")
    own = reach(target.options["url"]) != "public"
    return _offered(kind, "own-network") if own else None


def _openai_refuse(target: Target, tier: str) -> Refusal | None:
    url, key = target.options["url"], target.options.get("api_key_env")
    distance = reach(url)
    if key and distance != "loopback" and url.startswith("http://"):
        says = "the key and every prompt would travel unencrypted to another machine"
        return Refusal(rule="key-in-clear", option="url", says=says, hint="use https://")
    if tier == "public" or distance != "public" or key:
        return None
    says = f"tier {tier} wants authenticated access, and this entry has no key"
    hint = "name the variable that holds it: api_key_env: MY_SERVER_KEY"
    return Refusal(rule="privacy-tier", option="url", says=says, hint=hint)


def _offered(kind: Kind, name: str) -> Price:
    offer = next(offer for offer in kind.offers if offer.name == name)
    return _flat(offer.usd, offer.source)


def _flat(usd: Decimal, why: str) -> Price:
    return Price(cost=Cost(least_usd=usd, expected_usd=usd, most_usd=usd), why=why)


KINDS: Final[dict[str, KindRules]] = {
    "local": KindRules(price=_local_price, refuse=_local_refuse),
    "openai": KindRules(price=_openai_price, refuse=_openai_refuse),
}
