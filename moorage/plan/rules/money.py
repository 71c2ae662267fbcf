"""Rules about money: every price known and fresh, the worst case paid for, the test too."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Final

from moorage.plan.catalogue.offers import Kind, Offer
from moorage.plan.money import budget, prices
from moorage.plan.money.prices import STATED, request_usd
from moorage.plan.rules.rule import Rule
from moorage.plan.subject import Subject
from moorage.plan.world import Choice
from moorage.spec.problems import Problem

_SURE: Final = ("certain", "stated")  # a price that no day makes wrong
_TEST_SECONDS: Final = 600  # of the load that a load test sends, all profiles together
_MILLION: Final = Decimal(1_000_000)
_REVIEW: Final = "review it: `moorage lock`"


def _price_missing(subject: Subject) -> Iterator[Problem]:
    for choice in subject.choices:
        if choice.bill is not None:
            continue
        if choice.kind.routers:
            unknown = [
                route.provider
                for route in choice.routes
                if route.input_usd_per_mtok is None or route.output_usd_per_mtok is None
            ]
            if unknown:
                says = f"nobody says what {', '.join(unknown)} takes for {_unit(subject)}"
                yield subject.of(choice, "price-missing", says, _unpriced(subject), "provider")
        elif choice.taken is not None:
            says = "nobody has said what this server costs"
            hint = "state it: monthly_usd: 25 (0 where it costs you nothing)"
            yield subject.of(choice, "price-missing", says, hint)


def _price_unused(subject: Subject) -> Iterator[Problem]:
    """A price that is not of the task would be passed over without a word."""
    task = subject.spec.model.task
    wanted = STATED.get(task)
    for choice in subject.choices:
        for option in sorted({*STATED.values()} & choice.target.options.keys() - {wanted}):
            says = f"{option} is no price of {task}"
            hint = "take it out: the router tells what a token costs"
            if wanted is not None:
                stated = wanted in choice.target.options
                hint = "take it out" if stated else f"write {wanted} in its place"
            yield subject.of(choice, "price-unused", says, hint, option)


def _unit(subject: Subject) -> str:
    return "an image" if subject.spec.model.task == "text-to-image" else "a token"


def _unpriced(subject: Subject) -> str:
    """What to do where the router does not tell a price."""
    option = STATED.get(subject.spec.model.task)
    return "name another provider" if option is None else f"state it by its own page: {option}: ..."


def _price_stale(subject: Subject) -> Iterator[Problem]:
    """Old prices are doubtful; those older than the policy allows are `price-too-old`."""
    policy = subject.policy
    for choice, age in _aged(subject):
        if policy.price_warn_days < age <= policy.price_refuse_days:
            yield _old(subject, choice, age, "price-stale")


def _price_too_old(subject: Subject) -> Iterator[Problem]:
    for choice, age in _aged(subject):
        if age > subject.policy.price_refuse_days:
            yield _old(subject, choice, age, "price-too-old")


def _old(subject: Subject, choice: Choice, age: int, rule: str) -> Problem:
    says = f"the price of {_what(choice)} is {age} days old"
    hint = "read it anew: `moorage catalog refresh`, then `moorage lock`"
    return subject.of(choice, rule, says, hint, "kind")


def _aged(subject: Subject) -> Iterator[tuple[Choice, int]]:
    """The entries whose price has a day, and how many days ago that was."""
    today = subject.world.today
    for choice in subject.choices:
        day = _read_on(subject, choice)
        if today is not None and day is not None:
            yield choice, (today - day).days


def _read_on(subject: Subject, choice: Choice) -> date | None:
    if choice.kind.routers:
        lock = subject.world.lock
        return _day(lock.model.asked_on) if lock is not None and choice.routes else None
    offer = choice.taken.offer if choice.taken else None
    stated = "monthly_usd" in choice.target.options
    if offer is None or stated or offer.confidence in _SURE:
        return None
    return _day(offer.date)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _what(choice: Choice) -> str:
    if choice.kind.routers:
        return f"{choice.kind.name} ({', '.join(route.provider for route in choice.routes[:3])})"
    return choice.taken.name if choice.taken else choice.kind.name


def _price_moved(subject: Subject) -> Iterator[Problem]:
    for choice in subject.choices:
        for offer in prices.rows(choice):
            if says := _moved(subject, choice.kind, offer):
                yield subject.of(choice, "price-moved", says, _REVIEW, "kind")
    app = prices.app_offer(subject.world)
    if app is not None and (says := _moved(subject, subject.catalog.kinds[app.kind], app)):
        yield subject.problem("price-moved", says, _REVIEW, "app", "hardware")


def _moved(subject: Subject, kind: Kind, offer: Offer) -> str:
    """How the catalogue's price of today differs from the lock's; empty where it does not."""
    same = (row for row in kind.offers if row.name == offer.name)
    row = next((row for row in same if row.key == offer.key), None)
    known = prices.locked(subject.world, offer)
    if row is None or known is None or row.usd == known.usd:
        return ""
    return (
        f"the lock has ${known.usd} an {known.per} for {row.key}, the catalogue "
        f"${row.usd} since {row.date}"
    )


def _budget(subject: Subject) -> Iterator[Problem]:
    wish = subject.spec.budget
    cost = budget.affordable(subject.world, subject.choices).cost
    most, likely = cost.most_usd, cost.expected_usd
    if most <= wish.monthly_usd:
        return
    says = f"the worst case costs ${most:,.2f} a month, the budget is ${wish.monthly_usd:,.2f}"
    hint = "raise the budget or take a placement out"
    if subject.spec.app is not None:
        hint = "raise the budget, or take the app or a placement out"
    if wish.on_breach == "scale-to-zero":
        if likely <= wish.monthly_usd:
            return
        says = f"${likely:,.2f} a month are expected, the budget is ${wish.monthly_usd:,.2f}"
    yield subject.problem("budget", says, hint, "budget", "monthly_usd")


def _budget_at_risk(subject: Subject) -> Iterator[Problem]:
    wish = subject.spec.budget
    if wish.on_breach != "scale-to-zero":
        return
    cost = budget.affordable(subject.world, subject.choices).cost
    most, likely = cost.most_usd, cost.expected_usd
    if likely <= wish.monthly_usd < most:
        says = f"${likely:,.2f} a month are expected, and the worst case, ${most:,.2f}, "
        says += f"is more than the budget of ${wish.monthly_usd:,.2f}"
        hint = "watch it, or write on_breach: refuse"
        yield subject.problem("budget-at-risk", says, hint, "budget", "on_breach")


def _each_usd(subject: Subject, choice: Choice) -> list[Decimal]:
    """What one request of the load costs at each of its providers, where that is known."""
    stated, load = request_usd(subject.world, choice), subject.spec.load
    if stated is not None:
        return [stated]
    told = [(route.input_usd_per_mtok, route.output_usd_per_mtok) for route in choice.routes]
    return [
        (into * load.input_tokens + out * load.output_tokens) / _MILLION
        for into, out in told
        if into is not None and out is not None
    ]


def _test_load(subject: Subject) -> Iterator[Problem]:
    load, allowed = subject.spec.load, subject.spec.budget.test_usd
    requests = Decimal(str(load.rps)) * _TEST_SECONDS
    for choice in subject.choices:
        usd = requests * max(_each_usd(subject, choice), default=Decimal(0))
        if usd > allowed:
            says = f"a load test of {_TEST_SECONDS} s at {load.rps:g} requests a second costs "
            says += f"${usd:,.2f} at {choice.name}, budget.test_usd is ${allowed:,.2f}"
            hint = "test with fewer requests or tokens, or raise budget.test_usd"
            yield subject.problem("test-load", says, hint, "load")


RULES: Final[dict[str, Rule]] = {
    "price-missing": Rule(says="every placement has a price", check=_price_missing),
    "price-unused": Rule(says="a stated price is of the task", check=_price_unused),
    "price-stale": Rule(says="every price is fresh", check=_price_stale, severity="warning"),
    "price-too-old": Rule(says="no price is older than the policy allows", check=_price_too_old),
    "price-moved": Rule(
        says="the price is the one that was reviewed", check=_price_moved, severity="warning"
    ),
    "budget": Rule(says="the worst case is within the budget", check=_budget),
    "budget-at-risk": Rule(
        says="what is expected leaves room for the worst case",
        check=_budget_at_risk,
        severity="warning",
    ),
    "test-load": Rule(says="a load test is affordable", check=_test_load),
}
