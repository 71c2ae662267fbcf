"""Which placements a budget keeps: all of them, or those that `on_breach` leaves; pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import NamedTuple

from moorage.plan.money import prices
from moorage.plan.money.cost import Bill
from moorage.plan.types import Cost, Passed
from moorage.plan.world import Choice, World


class Affordable(NamedTuple):
    choices: tuple[Choice, ...]
    passed_over: tuple[Passed, ...] = ()
    app: Bill | None = None  # of the Space in front, where there is one

    @property
    def cost(self) -> Cost:
        """What a month of all of it costs."""
        costs = tuple(self._costs())
        return Cost(
            least_usd=sum((cost.least_usd for cost in costs), Decimal(0)),
            expected_usd=sum((cost.expected_usd for cost in costs), Decimal(0)),
            most_usd=sum((cost.most_usd for cost in costs), Decimal(0)),
        )

    def _costs(self) -> Iterator[Cost]:
        bills = (*(choice.bill for choice in self.choices), self.app)
        return (bill.cost for bill in bills if bill is not None)


def affordable(world: World, choices: Sequence[Choice]) -> Affordable:
    """Under `cheapest-route` the dearest entries go until the worst case is paid for.

    The last one stays, whatever it costs: the rule `budget` speaks of it.
    """
    wish, app = world.spec.budget, prices.app(world)
    kept, passed = list(choices), []
    while (
        wish.on_breach == "cheapest-route"
        and len(kept) > 1
        and Affordable(tuple(kept), app=app).cost.most_usd > wish.monthly_usd
    ):
        dearest = max(kept, key=lambda row: (_most(row), row.number))
        why = f"costs ${_most(dearest):,.2f} a month at most, more than the budget leaves"
        passed.append(Passed(name=dearest.name, why=why))
        kept.remove(dearest)
    return Affordable(_led(world, kept), tuple(passed), app)


def _led(world: World, kept: Sequence[Choice]) -> tuple[Choice, ...]:
    """Who comes first now is asked first, and billed so."""
    if not kept or kept[0].number == 0:
        return tuple(kept)
    return prices.first(world, kept[0]), *kept[1:]


def _most(choice: Choice) -> Decimal:
    return choice.bill.cost.most_usd if choice.bill is not None else Decimal(0)
