"""What a placement costs a month: at least, as expected and at most, each with its reckoning; pure.

docs/cost.md says in words what the three numbers mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Final, NamedTuple

from msgspec import Struct, field

from moorage.plan.catalogue.offers import Offer
from moorage.plan.facts import Route
from moorage.plan.types import Cost
from moorage.spec.types import Load

HOURS_A_MONTH: Final = Decimal(730)
START_MINUTES: Final = Decimal(10)  # an image, the weights, the engine: what is billed before
RESTARTS: Final = 4  # a month: updates, and what dies
WAKES: Final = 30  # a month, of what scales to zero and is not asked all the time

_CENT = Decimal("0.01")
_TINY = Decimal("0.0001")
_MILLION = Decimal(1_000_000)
_ONE_TOKEN = 1 / _MILLION


class Beside(NamedTuple):
    """What is billed along with every instance: so many GB of disk, an address."""

    offer: Offer
    quantity: int = 1


class Use(Struct, frozen=True, kw_only=True):
    """How a placement is used: what its costs depend on besides its price."""

    load: Load = field(default_factory=Load)
    first: bool = True  # asked first; a fallback expects no load
    replicas_min: int = 1
    replicas_max: int = 1
    replicas_needed: int = 1  # for the load while it is there
    scale_to_zero: bool = False
    idle_minutes: Decimal = Decimal(0)  # billed before it scales to zero
    billed_while_starting: bool = False
    billing_minimum_s: int = 0
    starts: int | None = None  # a month; None: RESTARTS, or WAKES where it scales to zero
    start_minutes: Decimal = START_MINUTES
    beside: tuple[Beside, ...] = ()
    request_usd: Decimal | None = None  # at the router, where the spec states it
    dearest: Offer | None = None  # of a spot row: the on-demand row, which spot can come to cost

    @property
    def floor(self) -> int:
        """Replicas that run though nobody asks."""
        return 0 if self.scale_to_zero else self.replicas_min

    @property
    def busy(self) -> int:
        """Replicas that run while the load is there."""
        return min(max(self.replicas_needed, self.replicas_min, 1), max(self.replicas_max, 1))

    @property
    def active(self) -> Decimal:
        return Decimal(str(self.load.active))

    @property
    def starts_a_month(self) -> int:
        if self.starts is not None:
            return self.starts
        return WAKES if self.scale_to_zero and self.load.active < 1 else RESTARTS

    @property
    def mtok_a_month(self) -> Decimal:
        """Million tokens of prompts and answers, if the load were there all month."""
        return self._mtok(self.load.input_tokens + self.load.output_tokens)

    @property
    def requests_a_month(self) -> Decimal:
        """Requests, if the load were there all month."""
        return Decimal(str(self.load.rps)) * 3600 * HOURS_A_MONTH

    def input_mtok(self) -> Decimal:
        return self._mtok(self.load.input_tokens)

    def output_mtok(self) -> Decimal:
        return self._mtok(self.load.output_tokens)

    def _mtok(self, tokens: int) -> Decimal:
        return self.requests_a_month * tokens / _MILLION


class Bill(NamedTuple):
    """A cost, and in one line each how its three numbers come about."""

    cost: Cost
    least: str
    expected: str
    most: str

    @property
    def why(self) -> str:
        """All in one line; the worst case first."""
        if self.least == self.expected == self.most:
            return self.most
        return f"{self.most} (expected: {self.expected}; least: {self.least})"


def monthly(offer: Offer, use: Use) -> Bill:
    """What an offer costs that is billed by the hour (to the minute) or by the month."""
    if offer.per == "month":
        return flat(offer.usd, offer.source, use)
    if offer.per != "hour":
        message = f"{offer.key} is billed per {offer.per}; a placement cannot be"
        raise ValueError(message)
    return _hourly(offer, use)


def flat(usd: Decimal, why: str, use: Use | None = None) -> Bill:
    """The same every month, whatever is asked of it."""
    per_mtok = _per_mtok(usd, use) if use is not None else None
    cost = Cost(least_usd=usd, expected_usd=usd, most_usd=usd, usd_per_mtok=per_mtok)
    return Bill(cost=cost, least=why, expected=why, most=why)


def routed(routes: Sequence[Route], use: Use) -> Bill | None:
    """What requests cost at the router, in the order of the routes; None where one has no price."""
    priced = [_asked_usd(route, use) for route in routes]
    known = [usd for usd in priced if usd is not None]
    if not known or len(known) < len(priced):
        return None
    names = ", ".join(dict.fromkeys(route.provider for route in routes))
    busy, worst = known[0] * use.active, max(known)
    rate = f"{_number(Decimal(str(use.load.rps)))} requests a second"
    cost = Cost(
        least_usd=_cents(Decimal(0)),
        expected_usd=_cents(busy if use.first else Decimal(0)),
        most_usd=_cents(worst),
        usd_per_mtok=None if use.request_usd is not None else _tiny(known[0] / use.mtok_a_month),
    )
    expected = f"{rate} for {_percent(use.active)} of the month at {routes[0].provider}"
    return Bill(
        cost=cost,
        least="no request, no cost",
        expected=expected if use.first else "a fallback is expected to be asked nothing",
        most=f"{rate} all month at the dearest of {names}",
    )


def dollars(usd: Decimal) -> str:
    """An amount with its cents, and more digits only where it has them."""
    short = usd.normalize()
    digits = max(2, -int(short.as_tuple().exponent))
    return f"{short:.{digits}f}"


def _hourly(offer: Offer, use: Use) -> Bill:
    worst = use.dearest or offer
    cost = Cost(
        least_usd=_cents(_running(offer, use, _hours(use.floor)) + _kept(use, use.floor)),
        expected_usd=_cents(_expected(offer, use, first=use.first)),
        most_usd=_cents(_most(worst, use)),
        usd_per_mtok=_per_mtok(_expected(offer, use, first=True), use, share=use.active),
    )
    return Bill(
        cost=cost,
        least=_least_words(offer, use),
        expected=_expected_words(offer, use),
        most=_most_words(worst, use),
    )


def _hours(replicas: int, share: Decimal = Decimal(1)) -> Decimal:
    return replicas * share * HOURS_A_MONTH


def _expected(offer: Offer, use: Use, *, first: bool) -> Decimal:
    """While the load is there, the replicas that it needs; else those that always run."""
    if not first:
        return _running(offer, use, _hours(use.floor)) + _kept(use, use.floor)
    hours = _hours(use.busy, use.active) + _hours(use.floor, 1 - use.active)
    more = use.busy - use.floor
    if more > 0 and use.active < 1:
        idle = use.idle_minutes / 60 * use.starts_a_month * more
        # The tail of idleness cannot be longer than the time without load.
        hours += min(idle, _hours(more, 1 - use.active))
        hours += _starting(use) * more
    return _running(offer, use, hours) + _kept(use, use.busy)


def _most(offer: Offer, use: Use) -> Decimal:
    """Everything runs all month, and whatever starts anew is billed beside what still runs."""
    most = max(use.replicas_max, 1)
    hours = _hours(most) + _starting(use) * most
    return _running(offer, use, hours) + _kept(use, most)


def _starting(use: Use) -> Decimal:
    """Hours a month that one replica is billed for while it starts."""
    if not use.billed_while_starting:
        return Decimal(0)
    minutes = max(use.start_minutes, Decimal(use.billing_minimum_s) / 60)
    return minutes * use.starts_a_month / 60


def _running(offer: Offer, use: Use, hours: Decimal) -> Decimal:
    """What is billed by the hour while an instance runs."""
    also = (row.offer.usd * row.quantity for row in use.beside if row.offer.per == "hour")
    return (offer.usd + sum(also, Decimal(0))) * hours


def _kept(use: Use, replicas: int) -> Decimal:
    """What is billed by the month, also of an instance that is stopped: its disk."""
    by_month = (row for row in use.beside if row.offer.per in ("gb-month", "month"))
    each = sum((row.offer.usd * row.quantity for row in by_month), Decimal(0))
    return each * max(replicas, use.replicas_min, 1)


def _asked_usd(route: Route, use: Use) -> Decimal | None:
    """Dollars of a month at full load; an answer that costs nothing must be said to."""
    if use.request_usd is not None:
        return use.request_usd * use.requests_a_month
    if route.input_usd_per_mtok is None or route.output_usd_per_mtok is None:
        return None
    prompts = route.input_usd_per_mtok * use.input_mtok()
    return prompts + route.output_usd_per_mtok * use.output_mtok()


def _per_mtok(usd: Decimal, use: Use, *, share: Decimal | None = None) -> Decimal | None:
    """Per million tokens if this placement carries the spec's load alone."""
    mtok = use.mtok_a_month * (use.active if share is None else share)
    return _tiny(usd / mtok) if mtok >= _ONE_TOKEN else None


def _least_words(offer: Offer, use: Use) -> str:
    if use.floor == 0:
        disk = ", only the disk of what is stopped" if use.beside else ""
        return f"nothing runs while nobody asks{disk}"
    return f"{_count(use.floor, offer)} all month"


def _expected_words(offer: Offer, use: Use) -> str:
    if not use.first:
        idle = f"{_count(use.floor, offer)} all month" if use.floor else "nothing"
        return f"a fallback is expected to wait: {idle}"
    busy = f"{_count(use.busy, offer)} for {_percent(use.active)} of the month"
    if use.active == 1:
        return busy
    rest = f"{use.floor} for the rest"
    starts = f", {use.starts_a_month} starts" if use.busy > use.floor else ""
    return f"{busy}, {rest}{starts}"


def _most_words(offer: Offer, use: Use) -> str:
    words = f"{_count(max(use.replicas_max, 1), offer)} all month"
    if use.dearest is not None:
        words += ", as dear as on demand"
    if _starting(use):
        words += f", {use.starts_a_month} starts of {_number(use.start_minutes)} min"
    also = [f"{row.quantity} x {row.offer.name}" for row in use.beside]
    return f"{words}, with {' and '.join(also)} each" if also else words


def _count(replicas: int, offer: Offer) -> str:
    return f"{replicas} x {offer.name} at ${dollars(offer.usd)} an hour"


def _percent(share: Decimal) -> str:
    return f"{_number(share * 100)} %"


def _number(value: Decimal) -> str:
    """Without zeros at the end, and never as 1E+2."""
    return format(value.normalize(), "f")


def _cents(usd: Decimal) -> Decimal:
    return usd.quantize(_CENT, ROUND_HALF_UP)


def _tiny(usd: Decimal) -> Decimal:
    return usd.quantize(_TINY, ROUND_HALF_UP)
