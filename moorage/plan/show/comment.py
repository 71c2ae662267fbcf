"""The pull-request comment: verdict, costs, what changes, what is wrong; under 60 lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Final

from moorage.plan.load import Loaded
from moorage.plan.show.compare import Against, code, markdown_changes, plain
from moorage.plan.types import Plan
from moorage.spec.problems import Problem
from moorage.spec.report import summary

_PLANS_SHOWN: Final = 12
_PROBLEMS_SHOWN: Final = 12


def comment(loaded: Loaded, against: Against | None = None) -> str:
    """The comment as Markdown."""
    lines = [f"### moorage plan: {'refused' if _refused(loaded) else 'good to go'}", ""]
    lines += [summary(len(loaded.files), loaded.problems) + _together(loaded.plans), ""]
    if against is not None:
        lines += [f"Against {code(against.ref)}:", "", *markdown_changes(against.changes), ""]
    elif loaded.plans:
        lines += [*_table(loaded.plans), ""]
    lines += _problems(loaded.problems)
    return "\n".join(lines).rstrip("\n") + "\n"


def _together(plans: Sequence[Plan]) -> str:
    if not plans:
        return ""
    likely = sum((plan.cost.expected_usd for plan in plans), Decimal(0))
    most = sum((plan.cost.most_usd for plan in plans), Decimal(0))
    return f"; {usd(likely)} a month expected, {usd(most)} at most"


def _table(plans: Sequence[Plan]) -> Iterator[str]:
    yield "| service | model | where | expected a month | most | tier |"
    yield "|---|---|---|---|---|---|"
    yield from map(_row, plans[:_PLANS_SHOWN])
    if (more := len(plans) - _PLANS_SHOWN) > 0:
        yield f"| and {more} more | | | | | |"


def _row(plan: Plan) -> str:
    where = ", then ".join(placement.name for placement in plan.placements)
    cells = (
        plain(plan.service),
        plain(plan.model_id),
        plain(where),
        usd(plan.cost.expected_usd),
        usd(plan.cost.most_usd),
        plan.privacy_tier,
    )
    return f"| {' | '.join(cells)} |"


def _problems(problems: Sequence[Problem]) -> Iterator[str]:
    """Errors first; the rest is told by `moorage check`."""
    ranked = sorted(problems, key=lambda row: (row.severity != "error", row))
    yield from (f"- {plain(str(row), length=400)}" for row in ranked[:_PROBLEMS_SHOWN])
    if (more := len(ranked) - _PROBLEMS_SHOWN) > 0:
        yield f"- and {more} more; `moorage check` tells all"


def _refused(loaded: Loaded) -> bool:
    return any(problem.severity == "error" for problem in loaded.problems)


def usd(amount: Decimal) -> str:
    """Dollars as people read them."""
    return f"${amount:,.2f}"
