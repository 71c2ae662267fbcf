"""What sleeps while nobody asks is not expected to be paid for all month."""

from __future__ import annotations

from decimal import Decimal

import pytest
from msgspec import structs

from moorage.plan.catalogue import catalog
from moorage.plan.facts import Facts
from moorage.plan.money import prices
from moorage.plan.types import Cost
from moorage.plan.world import Candidate, Choice, World
from moorage.spec.types import Target
from tests.spec.support import HELLO, ROOT, parsed

CATALOG = catalog.read(ROOT / "catalog")
BY_KEY = {offer.key: offer for kind in CATALOG.kinds.values() for offer in kind.offers}


def cost(kind: str, offer: str, *, least: int = 1, **options: object) -> Cost:
    spec = parsed(HELLO).spec
    assert spec is not None
    half = structs.replace(spec, load=structs.replace(spec.load, active=0.5))
    choice = Choice(
        number=0,
        target=Target(kind=kind, options=options),
        kind=CATALOG.kinds[kind],
        taken=Candidate(name=offer, offer=BY_KEY[offer]),
        replicas_min=least,
    )
    bill = prices.bought(World(spec=half, facts=Facts(), catalog=CATALOG), choice).bill
    assert bill is not None
    return bill.cost


@pytest.mark.parametrize(
    ("kind", "offer", "option", "least"),
    [
        ("hf-space", "hf-space/l4x1", "sleep_after", 1),
        ("hf-endpoint", "hf-endpoint/aws/nvidia-l4-x1", "scale_to_zero_after", 0),
    ],
)
def test_what_sleeps_costs_less(kind: str, offer: str, option: str, least: int) -> None:
    awake, asleep = cost(kind, offer), cost(kind, offer, least=least, **{option: "1h"})
    assert awake.least_usd == awake.expected_usd == Decimal("584.00")
    assert asleep.least_usd == 0
    # half the month, 30 hours of idleness, 30 starts of 10 minutes at $0.80 an hour
    assert asleep.expected_usd == Decimal("0.80") * (365 + 30 + 5)
    assert asleep.most_usd >= Decimal("584.00")


def test_an_instance_that_is_stopped_keeps_its_disk() -> None:
    offer = "ec2-gpu/aws/us-east-1/g6.xlarge"
    asleep = cost("ec2-gpu", offer, least=0, stop_when_idle_after="1h", disk_gib=100)
    assert asleep.least_usd == Decimal("8.00")
