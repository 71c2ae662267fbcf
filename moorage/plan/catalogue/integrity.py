"""Whether a catalogue can be believed: what every row, kind and GPU of it must pass; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, Final

from moorage.plan.catalogue.offers import Bounds, Catalog, Kind, Offer
from moorage.spec.language import TIERS
from moorage.spec.problems import Problem
from moorage.spec.tasks import TASKS

WORDS: Final[dict[str, frozenset[str]]] = {
    "per": frozenset({"hour", "month", "gb-month", "mtok-input", "mtok-output"}),
    "market": frozenset({"on-demand", "spot"}),
    "status": frozenset(
        {"available", "low-availability", "not-available", "reserved", "deprecated"}
    ),
    "confidence": frozenset({"published", "observed", "remembered", "stated", "certain"}),
}
WEIGHTS: Final = ("hub", "gguf", "none")
# Eight GPUs cost about eight times one; a bigger box brings processors and memory along.
RATIO: Final = (Decimal("0.8"), Decimal(3))


def check(catalog: Catalog, today: date) -> list[Problem]:
    """Everything that is wrong with a catalogue; the list is empty where it can be believed."""
    return sorted(problem for rule in RULES.values() for problem in rule(catalog, today))


def check_rows(rows: Iterable[Offer], catalog: Catalog, today: date) -> list[Problem]:
    """What is wrong with rows that have just been read, before they are written."""
    found = (problem for row in rows for problem in _row(row, catalog, today))
    return sorted(found)


def _rows(catalog: Catalog, today: date) -> Iterator[Problem]:
    for kind in catalog.kinds.values():
        for offer in (*kind.offers, *kind.extras.values()):
            yield from _row(offer, catalog, today)


def _row(offer: Offer, catalog: Catalog, today: date) -> Iterator[Problem]:
    for judge in (_price, _words, _gpu, _region):
        yield from judge(offer, catalog)
    yield from _dated(offer.kind, offer.key, offer.source, offer.date, today)


def _price(offer: Offer, catalog: Catalog) -> Iterator[Problem]:
    if offer.currency != "USD":
        says = f"{offer.key} is priced in {offer.currency}, not USD"
        yield _problem(offer.kind, "price-currency", says)
    if offer.free or offer.usd <= 0:
        if not (offer.free and offer.usd == 0):
            says = f"{offer.key} costs ${offer.usd}"
            hint = "what is free says so: free: true"
            yield _problem(offer.kind, "price-zero", says, hint)
        return
    bounds, each = _bounds(offer, catalog), offer.usd / max(offer.count, 1)
    if bounds is not None and not bounds.least_usd <= each <= bounds.most_usd:
        what = f"a {offer.gpu} costs" if offer.gpu else "it costs"
        says = f"{offer.key} costs ${each.normalize():f} each; {what} "
        says += f"between ${bounds.least_usd} and ${bounds.most_usd}"
        yield _problem(offer.kind, "price-implausible", says, "catalog/bounds.yaml has the bounds")


def _bounds(offer: Offer, catalog: Catalog) -> Bounds | None:
    known = catalog.bounds.get(offer.gpu if offer.gpu and offer.per == "hour" else offer.per)
    spot = catalog.bounds.get("spot")
    if known is None or spot is None or offer.market != "spot":
        return known
    return Bounds(least_usd=known.least_usd * spot.least_usd, most_usd=known.most_usd)


def _words(offer: Offer, _catalog: Catalog) -> Iterator[Problem]:
    for name, known in WORDS.items():
        word = getattr(offer, name)
        if word not in known:
            says = f"{offer.key} has {name} {word!r}"
            yield _problem(offer.kind, "word-unknown", says, f"known: {', '.join(sorted(known))}")


def _gpu(offer: Offer, catalog: Catalog) -> Iterator[Problem]:
    if offer.gpu is not None and offer.gpu not in catalog.gpus:
        says = f"{offer.key} has {offer.gpu}, which catalog/gpus.yaml does not know"
        yield _problem(offer.kind, "gpu-unknown", says)
    if (offer.gpu is None) != (offer.count == 0) or offer.count < 0:
        says = f"{offer.key} has {offer.count} GPUs of {offer.gpu or 'no kind'}"
        yield _problem(offer.kind, "gpu-count", says)


def _region(offer: Offer, catalog: Catalog) -> Iterator[Problem]:
    regions = catalog.kinds[offer.kind].regions if offer.kind in catalog.kinds else ()
    known = {(region.vendor, region.name) for region in regions}
    if offer.region is not None and (offer.vendor, offer.region) not in known:
        says = f"{offer.key} lies in {offer.region}, which the kind does not list"
        yield _problem(offer.kind, "region-unknown", says, "add it with its area")


def _dated(kind: str, key: str, source: str, day: str, today: date) -> Iterator[Problem]:
    if not source.strip():
        yield _problem(kind, "source-missing", f"{key} has no source")
    try:
        read = date.fromisoformat(day) if len(day) == len("2026-01-01") else None
    except (TypeError, ValueError):
        read = None
    if read is None:
        yield _problem(kind, "date-wrong", f"{key} has the date {day!r}", "write YYYY-MM-DD")
    elif read > today:
        yield _problem(kind, "date-wrong", f"{key} was read on {day}, which is still to come")


def _duplicates(catalog: Catalog, _today: date) -> Iterator[Problem]:
    for kind in catalog.kinds.values():
        for key, count in Counter(offer.key for offer in kind.offers).items():
            if count > 1:
                yield _problem(kind.name, "row-twice", f"{key} stands {count} times")


def _ratios(catalog: Catalog, _today: date) -> Iterator[Problem]:
    """Several GPUs against as many single ones of the same seller and place."""
    for kind in catalog.kinds.values():
        singles = _singles(kind)
        for offer in kind.offers:
            single = singles.get(_market(offer))
            if offer.count < 2 or not single:
                continue
            ratio = offer.usd / (single * offer.count)
            if not RATIO[0] <= ratio <= RATIO[1]:
                says = f"{offer.key} costs {ratio:.2f} times as much as {offer.count} single ones"
                yield _problem(kind.name, "price-ratio", says)


def _singles(kind: Kind) -> dict[tuple[str | None, ...], Decimal]:
    found: dict[tuple[str | None, ...], Decimal] = {}
    for offer in kind.offers:
        if offer.count == 1 and offer.usd > 0:
            key = _market(offer)
            found[key] = min(found.get(key, offer.usd), offer.usd)
    return found


def _market(offer: Offer) -> tuple[str | None, ...]:
    return (offer.vendor, offer.region, offer.gpu, offer.market, offer.per)


def _kinds(catalog: Catalog, today: date) -> Iterator[Problem]:
    for kind in catalog.kinds.values():
        for what, fine in _complete(kind).items():
            if not fine:
                yield _problem(kind.name, "kind-incomplete", f"kind {kind.name}: {what}")
        yield from _known(kind, catalog)
        if kind.date:
            yield from _dated(kind.name, f"kind {kind.name}", kind.source, kind.date, today)


def _complete(kind: Kind) -> dict[str, bool]:
    """What must hold of a kind -> whether it does."""
    properties = kind.options.get("properties", {})
    visibility = properties.get("visibility", {}).get("enum", ())
    return {
        "it has no title": bool(kind.title),
        "it honours no privacy tier": bool(kind.tiers),
        "nobody says why it honours these tiers": bool(kind.tiers_because),
        "nobody says since when its privacy facts hold": bool(kind.source and kind.date),
        "it serves no task": bool(kind.tasks),
        f"weights are {' or '.join(WEIGHTS)}": kind.weights in WEIGHTS,
        "it has no price": bool(kind.offers or kind.routers),
        "every way of being visible needs its tiers": set(visibility) == set(kind.visibility),
        "only its options can make it be replaced": set(kind.replace_on) <= set(properties),
        "every region needs its area": all(region.area for region in kind.regions),
        "its options need a description": bool(kind.options.get("description")),
        "only its options can be required": set(kind.options.get("required", ()))
        <= set(properties),
    }


def _known(kind: Kind, catalog: Catalog) -> Iterator[Problem]:
    shown = {tier for tiers in kind.visibility.values() for tier in tiers}
    words: dict[str, tuple[set[str], Iterable[str]]] = {
        "tier": ({*kind.tiers, *shown}, TIERS),
        "task": (set(kind.tasks), TASKS),
        "engine": (set(kind.engines), catalog.engines),
        "visible tier": (shown, kind.tiers),
    }
    for what, (said, known) in words.items():
        for word in sorted(said - set(known)):
            says = f"kind {kind.name} speaks of the {what} {word!r}, which is not known"
            yield _problem(kind.name, "word-unknown", says)


def _options(catalog: Catalog, _today: date) -> Iterator[Problem]:
    for kind in catalog.kinds.values():
        for way in _undescribed(kind.options, ""):
            says = f"the option {way} of kind {kind.name} lacks its description or an example"
            yield _problem(kind.name, "option-undescribed", says)


def _undescribed(schema: Mapping[str, Any], way: str) -> Iterator[str]:
    for key, own in schema.get("properties", {}).items():
        here = f"{way}.{key}" if way else key
        shown = any(word in own for word in ("default", "examples", "enum"))
        if "description" not in own or not shown:
            yield here
        yield from _undescribed(own, here)


def _gpus(catalog: Catalog, today: date) -> Iterator[Problem]:
    for gpu in catalog.gpus.values():
        yield from _dated("gpus", gpu.name, gpu.source, gpu.date, today)
        if not 0 < gpu.usable_gib <= gpu.nominal_gb:
            says = f"{gpu.name} has {gpu.usable_gib} GiB usable of {gpu.nominal_gb} GB"
            yield _problem("gpus", "gpu-memory", says)


def _problem(kind: str, rule: str, says: str, hint: str = "") -> Problem:
    return Problem(file=f"catalog/{kind}.yaml", rule=rule, says=says, hint=hint)


RULES: Final[dict[str, Callable[[Catalog, date], Iterable[Problem]]]] = {
    "rows": _rows,
    "duplicates": _duplicates,
    "ratios": _ratios,
    "kinds": _kinds,
    "options": _options,
    "gpus": _gpus,
}
