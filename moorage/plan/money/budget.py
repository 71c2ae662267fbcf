"""Which placements a budget keeps: all of them, or those that `on_breach` leaves; pure."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from moorage.plan.types import Passed
from moorage.plan.world import Choice
from moorage.spec.types import Budget


class Affordable(NamedTuple):
    choices: tuple[Choice, ...]
    passed_over: tuple[Passed, ...] = ()


def worst(choices: Sequence[Choice]) -> Decimal:
    """Dollars that a month of all these placements costs at most."""
    return sum((row.bill.cost.most_usd for row in choices if row.bill), Decimal(0))


def expected(choices: Sequence[Choice]) -> Decimal:
    return sum((row.bill.cost.expected_usd for row in choices if row.bill), Decimal(0))


def affordable(budget: Budget, choices: Sequence[Choice]) -> Affordable:
    """Under `cheapest-route` the dearest entries go until the worst case is paid for.

    The last one stays, whatever it costs: the rule `budget` speaks of it.
    """
    kept, passed = list(choices), []
    while (
        budget.on_breach == "cheapest-route" and len(kept) > 1 and worst(kept) > budget.monthly_usd
    ):
        dearest = max(kept, key=lambda row: (worst([row]), row.number))
        why = f"costs ${worst([dearest]):,.2f} a month at most, more than the budget leaves"
        passed.append(Passed(name=dearest.name, why=why))
        kept.remove(dearest)
    return Affordable(choices=tuple(kept), passed_over=tuple(passed))
