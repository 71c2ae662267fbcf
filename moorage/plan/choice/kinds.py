"""What each placement kind could mean by an entry of `providers`: the one registry of it; pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from moorage.plan.catalogue.offers import Catalog, Kind, Offer
from moorage.plan.choice import regions
from moorage.plan.choice.address import reach
from moorage.plan.world import Candidate, World

Options = Mapping[str, Any]


class Refusal(NamedTuple):
    """Why an entry of `providers` will not do; `option` is the key that says it."""

    rule: str
    option: str
    says: str
    hint: str


class KindRules(NamedTuple):
    """What an entry could mean, whether hardware is left open, and what speaks against it."""

    candidates: Callable[[World, Kind, Options], Iterator[Candidate]]
    is_open: Callable[[Options], bool] = lambda _options: False
    refuse: Callable[[Options, str], Refusal | None] = lambda _options, _tier: None


def _local(_world: World, kind: Kind, _options: Options) -> Iterator[Candidate]:
    yield Candidate(name="this machine", offer=_named(kind, "this-machine"))


def _openai(_world: World, kind: Kind, options: Options) -> Iterator[Candidate]:
    own = reach(options["url"]) != "public"
    offer = _named(kind, "own-network") if own else None
    yield Candidate(name=str(options["url"]), offer=offer)


def _openai_refuse(options: Options, tier: str) -> Refusal | None:
    url, key = options["url"], options.get("api_key_env")
    distance = reach(url)
    if key and distance != "loopback" and url.startswith("http://"):
        says = "the key and every prompt would travel unencrypted to another machine"
        return Refusal(rule="key-in-clear", option="url", says=says, hint="use https://")
    if tier == "public" or distance != "public" or key:
        return None
    says = f"tier {tier} wants authenticated access, and this entry has no key"
    hint = "name the variable that holds it: api_key_env: MY_SERVER_KEY"
    return Refusal(rule="privacy-tier", option="url", says=says, hint=hint)


def _endpoint(world: World, kind: Kind, options: Options) -> Iterator[Candidate]:
    for offer in kind.offers:
        if _is_meant(kind, offer, options):
            place = _place(world, kind, offer, options)
            yield _bought(world.catalog, offer, *place)


def _space(world: World, kind: Kind, options: Options) -> Iterator[Candidate]:
    for offer in kind.offers:
        if offer.name == options["hardware"]:
            yield _bought(world.catalog, offer, None, kind.areas)


def _ec2(world: World, kind: Kind, options: Options) -> Iterator[Candidate]:
    market = options.get("market", "on-demand")
    for offer in kind.offers:
        if offer.market == market and _is_meant(kind, offer, options):
            yield _bought(world.catalog, offer, *_place(world, kind, offer, options))


def _docker(world: World, kind: Kind, options: Options) -> Iterator[Candidate]:
    gpu = world.catalog.gpus.get(str(options.get("gpu", "")))
    named = len(options.get("device_ids", ())) or 1
    count = int(options.get("count", named)) if gpu else 0
    region = options.get("region")
    what = f"{gpu.name} x{count}" if gpu else "no GPU"
    areas = (str(region),) if region else ()
    yield Candidate(
        name=f"{what} of {options['host']}",
        offer=_named(kind, "own-host"),
        region=region,
        areas=areas,
        gpu=gpu,
        count=count,
        host_gib=options.get("memory_gib"),
    )


def _router(_world: World, _kind: Kind, _options: Options) -> Iterator[Candidate]:
    return iter(())


def _is_meant(kind: Kind, offer: Offer, options: Options) -> bool:
    """Whether a row is one of those that an entry describes; what it leaves out, it leaves open."""
    vendor, region = options.get("vendor"), options.get("region")
    return (
        _is_hardware(offer, options)
        and (vendor is None or offer.vendor is None or offer.vendor == vendor)
        and (region is None or _is_there(kind, offer, str(region)))
    )


def _is_there(kind: Kind, offer: Offer, region: str) -> bool:
    """Whether a row is sold in a region; a region that nobody has is for the rules to tell."""
    if offer.region is not None:
        return offer.region == region
    known = regions.of(kind, None, region) is not None
    return not known or regions.of(kind, offer.vendor, region) is not None


def _is_hardware(offer: Offer, options: Options) -> bool:
    gpu = options.get("gpu")
    if gpu is not None and offer.gpu is not None and offer.gpu != gpu:
        return False  # first, since most rows end here
    count, instance = options.get("count"), options.get("instance")
    if instance is not None and instance != offer.name:
        return False
    if offer.gpu is not None:
        return count in (None, offer.count)
    if gpu is None:
        return instance is not None  # without a GPU it is never chosen unless it is named
    # A CPU instance is sold by size: intel-spr with count 4 is intel-spr-x4.
    return offer.name == f"{gpu}-x{count or 1}" or offer.name == gpu


def _place(
    world: World, kind: Kind, offer: Offer, options: Options
) -> tuple[str | None, tuple[str, ...]]:
    """The region that is asked for; else the first of the seller's where one may compute."""
    asked = options.get("region") or offer.region
    if asked is not None:
        known = regions.of(kind, offer.vendor, str(asked))
        return str(asked), (known.area,) if known else ()
    there = [row for row in kind.regions if row.vendor == offer.vendor]
    fine = (row for row in there if not regions.allowed(world, row.name, (row.area,)))
    best = next(fine, there[0] if there else None)
    return (best.name, (best.area,)) if best else (None, ())


def _bought(
    catalog: Catalog, offer: Offer, region: str | None, areas: tuple[str, ...]
) -> Candidate:
    where = " ".join(part for part in (offer.vendor, region) if part)
    gpu = catalog.gpus.get(offer.gpu or "")
    return Candidate(
        name=f"{_called(offer)} in {where}" if where else _called(offer),
        offer=offer,
        region=region,
        areas=areas,
        gpu=gpu,
        count=offer.count,
        host_gib=offer.memory_gib,
    )


def _called(offer: Offer) -> str:
    return f"{offer.gpu} x{offer.count}" if offer.gpu else offer.name


def _named(kind: Kind, name: str) -> Offer | None:
    return next((offer for offer in kind.offers if offer.name == name), None)


def _no_gpu_named(options: Options) -> bool:
    return options.get("gpu") is None and options.get("instance") is None


KINDS: Final[dict[str, KindRules]] = {
    "local": KindRules(candidates=_local),
    "openai": KindRules(candidates=_openai, refuse=_openai_refuse),
    "hf-endpoint": KindRules(candidates=_endpoint, is_open=_no_gpu_named),
    "hf-space": KindRules(candidates=_space),
    "hf-router": KindRules(candidates=_router),
    "docker-host": KindRules(candidates=_docker),
    "ec2-gpu": KindRules(candidates=_ec2, is_open=_no_gpu_named),
}
