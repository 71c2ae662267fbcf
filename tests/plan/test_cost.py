"""What a month costs, told by sums that can be checked by hand."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from moorage.plan.catalogue.offers import Offer
from moorage.plan.facts import Route
from moorage.plan.money import cost
from moorage.plan.money.cost import Beside, Use
from moorage.spec.types import Load

L40S = Offer(
    kind="hf-endpoint",
    name="nvidia-l40s-x1",
    vendor="aws",
    gpu="nvidia-l40s",
    count=1,
    usd=Decimal("1.80"),
    per="hour",
    source="a price list",
    date="2026-08-20",
    confidence="published",
)
DISK = structs.replace(L40S, name="disk-gp3", usd=Decimal("0.08"), per="gb-month")
ADDRESS = structs.replace(L40S, name="public-address", usd=Decimal("0.005"))
BUSY_HALF = Load(rps=4, input_tokens=500, output_tokens=500, active=0.5)


def dollars(bill: cost.Bill | None) -> tuple[str, str, str]:
    assert bill is not None
    return (str(bill.cost.least_usd), str(bill.cost.expected_usd), str(bill.cost.most_usd))


def route(provider: str, prompts: str | None, answers: str | None) -> Route:
    known = [Decimal(price) if price is not None else None for price in (prompts, answers)]
    return Route(
        provider=provider,
        task="conversational",
        status="live",
        input_usd_per_mtok=known[0],
        output_usd_per_mtok=known[1],
    )


def test_one_replica_that_always_runs_costs_730_hours() -> None:
    bill = cost.monthly(L40S, Use())
    assert dollars(bill) == ("1314.00", "1314.00", "1314.00")
    assert bill.most == "1 x nvidia-l40s-x1 at $1.80 an hour all month"


def test_the_worst_month_runs_all_replicas_and_pays_for_starting_them() -> None:
    use = Use(replicas_min=1, replicas_max=2, load=BUSY_HALF, billed_while_starting=True)
    bill = cost.monthly(L40S, use)
    # 2 x 730 h, and 4 starts of 10 minutes each
    most = Decimal("1.80") * 2 * (730 + Decimal(4) * 10 / 60)
    assert dollars(bill) == ("1314.00", "1314.00", f"{most:.2f}")
    assert "4 starts of 10 min" in bill.most


def test_the_load_needs_more_replicas_while_it_is_there() -> None:
    use = Use(replicas_min=1, replicas_max=4, replicas_needed=3, load=BUSY_HALF)
    bill = cost.monthly(L40S, use)
    assert dollars(bill)[:2] == ("1314.00", "2628.00")  # 3 for half the month, 1 for the other half
    assert bill.expected == (
        "3 x nvidia-l40s-x1 at $1.80 an hour for 50 % of the month, 1 for the rest, 4 starts"
    )


def test_no_more_replicas_are_expected_than_may_run() -> None:
    use = Use(replicas_min=1, replicas_max=2, replicas_needed=9)
    assert dollars(cost.monthly(L40S, use))[1] == "2628.00"


def test_what_scales_to_zero_costs_nothing_while_nobody_asks() -> None:
    use = Use(
        replicas_min=0,
        load=BUSY_HALF,
        scale_to_zero=True,
        idle_minutes=Decimal(30),
        billed_while_starting=True,
    )
    bill = cost.monthly(L40S, use)
    # half the month, 30 times 30 minutes of idleness, 30 starts of 10 minutes
    hours = Decimal(365) + 15 + 5
    assert dollars(bill)[:2] == ("0.00", f"{Decimal('1.80') * hours:.2f}")
    assert bill.least == "nothing runs while nobody asks"


def test_idleness_is_never_longer_than_the_time_without_load() -> None:
    load = structs.replace(BUSY_HALF, active=0.99)
    use = Use(replicas_min=0, load=load, scale_to_zero=True, idle_minutes=Decimal(600))
    assert dollars(cost.monthly(L40S, use))[1] == "1314.00"


def test_a_start_is_billed_for_the_least_that_the_seller_bills() -> None:
    use = Use(
        billed_while_starting=True, start_minutes=Decimal("0.1"), billing_minimum_s=3600, starts=1
    )
    assert dollars(cost.monthly(L40S, use))[2] == f"{Decimal('1.80') * 731:.2f}"


def test_a_fallback_is_expected_to_wait() -> None:
    warm = cost.monthly(L40S, Use(first=False, replicas_max=2, replicas_needed=2))
    assert dollars(warm) == ("1314.00", "1314.00", "2628.00")
    asleep = cost.monthly(L40S, Use(first=False, replicas_min=0, scale_to_zero=True))
    assert dollars(asleep) == ("0.00", "0.00", "1314.00")
    assert asleep.expected == "a fallback is expected to wait: nothing"


def test_an_instance_pays_for_its_disk_even_while_it_is_stopped() -> None:
    use = Use(
        replicas_min=0,
        replicas_max=1,
        scale_to_zero=True,
        first=False,
        beside=(Beside(offer=DISK, quantity=200), Beside(offer=ADDRESS)),
    )
    bill = cost.monthly(L40S, use)
    assert dollars(bill) == ("16.00", "16.00", f"{Decimal('1.805') * 730 + 16:.2f}")
    assert bill.most.endswith("with 200 x disk-gp3 and 1 x public-address each")
    assert bill.least == "nothing runs while nobody asks, only the disk of what is stopped"


def test_spot_may_rise_to_the_price_on_demand() -> None:
    spot = structs.replace(L40S, market="spot", usd=Decimal("0.60"))
    bill = cost.monthly(spot, Use(dearest=L40S))
    assert dollars(bill) == ("438.00", "438.00", "1314.00")
    assert "as dear as on demand" in bill.most


def test_what_is_stated_is_what_it_costs() -> None:
    bill = cost.flat(Decimal("19.99"), "as the spec states it")
    assert dollars(bill) == ("19.99", "19.99", "19.99")
    assert bill.why == "as the spec states it"
    monthly = structs.replace(L40S, per="month", usd=Decimal(25))
    assert dollars(cost.monthly(monthly, Use())) == ("25", "25", "25")


def test_tokens_are_paid_as_they_are_used() -> None:
    # 1 request a second: 2.628 million requests a month
    load = Load(rps=1, input_tokens=1000, output_tokens=100, active=0.25)
    bill = cost.routed(
        [route("together", "0.10", "0.40"), route("novita", "0.20", "0.50")], Use(load=load)
    )
    full, dear = Decimal("262.80") + Decimal("105.12"), Decimal("525.60") + Decimal("131.40")
    assert dollars(bill) == ("0.00", f"{full / 4:.2f}", f"{dear:.2f}")
    assert bill is not None
    assert bill.most == "1 requests a second all month at the dearest of together, novita"
    assert bill.cost.usd_per_mtok == Decimal("0.1273")  # (1000 x 0.10 + 100 x 0.40) / 1100


def test_a_fallback_at_the_router_is_expected_to_cost_nothing() -> None:
    bill = cost.routed([route("together", "1", "1")], Use(first=False))
    assert dollars(bill)[:2] == ("0.00", "0.00")
    assert bill is not None
    assert bill.expected == "a fallback is expected to be asked nothing"
    assert bill.cost.most_usd > 0


@pytest.mark.parametrize(
    "routes",
    [
        [],
        [route("a", None, "1")],
        [route("a", "1", None)],
        [route("a", "1", "1"), route("b", None, None)],
    ],
)
def test_a_price_that_nobody_knows_is_not_zero(routes: list[Route]) -> None:
    assert cost.routed(routes, Use()) is None


def test_a_token_price_is_not_taken_for_an_hourly_one() -> None:
    per_token = structs.replace(L40S, per="mtok-input")
    with pytest.raises(ValueError, match="is billed per mtok-input"):
        cost.monthly(per_token, Use())


def test_a_low_load_makes_tokens_dear() -> None:
    # facts: H200 at $5 an hour and 5,800 tokens a second is $0.24 per million at full load
    h200 = structs.replace(L40S, usd=Decimal(5))
    full = Load(rps=5.8, input_tokens=500, output_tokens=500)
    assert cost.monthly(h200, Use(load=full)).cost.usd_per_mtok == Decimal("0.2395")
    low = structs.replace(full, active=0.2)
    assert cost.monthly(h200, Use(load=low)).cost.usd_per_mtok == Decimal("1.1973")


uses = st.builds(
    Use,
    load=st.builds(
        Load,
        rps=st.floats(0.01, 1000),
        input_tokens=st.integers(1, 100_000),
        output_tokens=st.integers(1, 100_000),
        active=st.floats(0, 1),
    ),
    first=st.booleans(),
    replicas_min=st.integers(0, 5),
    replicas_max=st.integers(5, 9),
    replicas_needed=st.integers(0, 12),
    scale_to_zero=st.booleans(),
    idle_minutes=st.integers(0, 2000).map(Decimal),
    billed_while_starting=st.booleans(),
    beside=st.sampled_from([(), (Beside(offer=DISK, quantity=100), Beside(offer=ADDRESS))]),
)


@given(uses, st.decimals("0.001", 200, places=3))
def test_least_expected_and_most_never_cross(use: Use, usd: Decimal) -> None:
    bill = cost.monthly(structs.replace(L40S, usd=usd), use)
    assert 0 <= bill.cost.least_usd <= bill.cost.expected_usd
    assert bill.cost.expected_usd <= bill.cost.most_usd
    assert "\n" not in bill.why


@given(uses)
def test_tokens_never_cost_more_than_at_most(use: Use) -> None:
    bill = cost.routed([route("a", "0.5", "1.5"), route("b", "0.1", "9")], use)
    assert bill is not None
    assert bill.cost.least_usd == 0
    assert bill.cost.expected_usd <= bill.cost.most_usd


@pytest.mark.parametrize(
    ("usd", "shown"),
    [("0.5", "0.50"), ("20", "20.00"), ("100", "100.00"), ("0.033", "0.033"), ("0", "0.00")],
)
def test_dollars_have_their_cents(usd: str, shown: str) -> None:
    assert cost.dollars(Decimal(usd)) == shown
