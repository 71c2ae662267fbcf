"""Rules about hardware and places: sold, offered there, large enough, scaled as it can be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from moorage.plan.catalogue.offers import Kind, Offer
from moorage.plan.choice import hardware, regions
from moorage.plan.fit.obstacles import copies
from moorage.plan.money import prices
from moorage.plan.rules.rule import Rule
from moorage.plan.subject import Subject
from moorage.plan.world import Candidate, Choice
from moorage.spec.problems import Problem
from moorage.spec.words import nearest

_NAMED: Final = ("instance", "hardware")  # options that name a row of the catalogue itself
_DIVIDES: Final = ("vllm", "sglang")  # memory models of engines that are told among how many GPUs
_IDLE: Final = ("scale_to_zero_after", "stop_when_idle_after")  # what ends min: 0, by kind
_SUFFIX_CHARACTERS = 9  # a hyphen and the hash that keeps remote names apart


def _hardware(subject: Subject) -> Iterator[Choice]:
    """The entries that stand for hardware."""
    return (choice for choice in subject.choices if choice.kind.weights == "hub")


def _offer_unknown(subject: Subject) -> Iterator[Problem]:
    for choice in _hardware(subject):
        options = choice.target.options
        gpu = options.get("gpu")
        known = subject.catalog.gpus
        if choice.taken is not None or choice.nearest is not None:
            taken = choice.taken
            if gpu is not None and taken is not None and not _is_named(taken, str(gpu)):
                yield _no_gpu(subject, choice, str(gpu), [*known])
            continue
        names = sorted({row.gpu or row.name for row in choice.kind.offers})
        if gpu is not None and gpu not in names:
            yield _no_gpu(subject, choice, str(gpu), names)
            continue
        key = next((key for key in _NAMED if key in options), "")
        sold = sorted({row.name for row in choice.kind.offers})
        if key and options[key] not in sold:
            yield _unsold(subject, choice.kind, str(options[key]), sold, *choice.way, key)
            continue
        says = f"kind {choice.kind.name} sells nothing such as this entry asks for"
        yield subject.of(choice, "offer-unknown", says, _sold(choice))
    yield from _app(subject)


def _app(subject: Subject) -> Iterator[Problem]:
    """The Space in front has hardware too, which is paid."""
    app = subject.spec.app
    if app is not None and prices.app_offer(subject.world) is None:
        kind = subject.catalog.kinds[app.kind]
        sold = [row.name for row in kind.offers]
        yield _unsold(subject, kind, str(app.options["hardware"]), sold, "app", "hardware")


def _is_named(taken: Candidate, gpu: str) -> bool:
    """Whether a GPU, or an instance without one, goes by this name."""
    return taken.gpu is not None or (taken.offer is not None and gpu in taken.offer.name)


def _no_gpu(subject: Subject, choice: Choice, gpu: str, names: list[str]) -> Problem:
    return _unsold(subject, choice.kind, gpu, names, *choice.way, "gpu")


def _unsold(subject: Subject, kind: Kind, name: str, names: list[str], *way: str | int) -> Problem:
    near = nearest(name, names)
    hint = f"did you mean '{near}'?" if near else f"known: {', '.join(names)}"
    return subject.problem("offer-unknown", f"kind {kind.name} knows no {name[:60]!r}", hint, *way)


def _sold(choice: Choice) -> str:
    """What is sold that comes nearest to what is asked for: the same thing elsewhere, if any."""
    options = choice.kind.defaults | dict(choice.target.options)
    named = next((row for row in choice.kind.offers if row.name == options.get("instance")), None)
    if named is not None and not _agrees(named, options):
        has = f"{named.count} x {named.gpu}" if named.gpu else "no GPU"
        return f"{named.name} has {has}: let gpu and count say so too, or leave them out"
    there = [row for row in choice.kind.offers if row.status != "deprecated"]
    most = max((_likeness(row, options) for row in there), default=())
    near = [row for row in there if _likeness(row, options) == most]
    names = sorted({_where(row) for row in near})
    return f"it sells {', '.join(names[:8])}" + (" …" if len(names) > 8 else "")


def _likeness(offer: Offer, options: Mapping[str, Any]) -> tuple[bool, ...]:
    """In what a row is as an entry asks for it: what it is counts before where it is."""
    return (
        options.get("instance") in (None, offer.name),
        options.get("gpu") in (None, offer.gpu),
        options.get("vendor") in (None, offer.vendor),
        options.get("market") in (None, offer.market),
        offer.region is None or options.get("region") in (None, offer.region),
        options.get("count") in (None, offer.count),
    )


def _where(offer: Offer) -> str:
    spot = " on spot" if offer.market == "spot" else ""
    return f"{offer.name} in {offer.region or offer.vendor or 'any region'}{spot}"


def _agrees(offer: Offer, options: Mapping[str, Any]) -> bool:
    """Whether an instance has the GPUs that are asked for beside its name."""
    return options.get("gpu") in (None, offer.gpu) and options.get("count") in (None, offer.count)


def _offer_unavailable(subject: Subject) -> Iterator[Problem]:
    for choice in _hardware(subject):
        offer = choice.taken.offer if choice.taken else None
        if offer is not None and offer.status not in ("available", "low-availability"):
            says = f"{offer.name} is {offer.status}, says {offer.source} ({offer.date})"
            hint = "choose hardware that can be had, or leave the choice open"
            yield subject.of(choice, "offer-unavailable", says, hint, "gpu")


def _region(subject: Subject) -> Iterator[Problem]:
    for choice in _hardware(subject):
        options, kind = choice.target.options, choice.kind
        region, vendor = options.get("region"), options.get("vendor")
        if region is None or not kind.regions:
            continue
        if regions.of(kind, vendor, str(region)) is None:
            there = [row.name for row in kind.regions if vendor in (None, row.vendor)]
            near = nearest(str(region), there)
            hint = f"did you mean '{near}'?" if near else f"it has {', '.join(there) or 'none'}"
            says = f"kind {kind.name} has no region {str(region)[:60]!r}"
            says += f" of {vendor}" if vendor else ""
            yield subject.of(choice, "region-not-offered", says, hint, "region")


def _replicas(subject: Subject) -> Iterator[Problem]:
    for choice in subject.choices:
        low, high, idle = choice.replicas_min, choice.replicas_max, _idle(choice)
        if low > high:
            says = f"at least {low} replicas are more than at most {high}"
            yield subject.of(choice, "replicas", says, "let max be min or more", "replicas")
        if low == 0 and idle not in choice.target.options:
            says = "min: 0 replicas, and nothing says when the last one stops"
            hint = f"add {idle}: 1h, or write min: 1"
            yield subject.of(choice, "replicas", says, hint, "replicas")


def _never_sleeps(subject: Subject) -> Iterator[Problem]:
    for choice in subject.choices:
        low, idle = choice.replicas_min, _idle(choice)
        if idle in choice.target.options and low > 0:
            says = f"{idle} does nothing while at least {low} replicas run"
            hint = f"write replicas: {{min: 0, …}}, or take {idle} out"
            yield subject.of(choice, "never-scales-to-zero", says, hint, idle)


def _idle(choice: Choice) -> str:
    """The option of a kind that says when nobody is there any more."""
    known = choice.kind.options.get("properties", {})
    return next((key for key in _IDLE if key in known), _IDLE[0])


def _name_too_long(subject: Subject) -> Iterator[Problem]:
    for choice in subject.choices:
        limit = choice.kind.name_limit
        if limit is None:
            continue
        room = limit - _SUFFIX_CHARACTERS
        if len(subject.spec.name) > room:
            says = f"kind {choice.kind.name} has names of at most {limit} characters, and "
            says += f"{_SUFFIX_CHARACTERS} of them keep stacks apart"
            hint = f"choose a name of at most {room} characters"
            yield subject.problem("name-too-long", says, hint, "name")
            return


def _memory(subject: Subject) -> Iterator[Problem]:
    for choice in _proven(subject):
        taken = choice.taken
        if taken is None or taken.fit is None or taken.fit.verdict != "does-not-fit":
            continue
        hint = hardware.remedy(subject.world, choice)
        yield subject.of(choice, "memory-fit", f"{taken.name}: {taken.fit.because}", hint, "gpu")


def _tight(subject: Subject) -> Iterator[Problem]:
    for choice in _proven(subject):
        taken = choice.taken
        if taken is not None and taken.fit is not None and taken.fit.verdict == "tight":
            hint = f"try {', or '.join(taken.fit.changes[:2])}" if taken.fit.changes else ""
            says = f"{taken.name}: {taken.fit.because}"
            yield subject.of(choice, "memory-tight", says, hint, "gpu")


def _unproven(subject: Subject) -> Iterator[Problem]:
    for choice in _proven(subject):
        taken = choice.taken
        if taken is not None and taken.fit is not None and taken.fit.verdict == "unknown":
            says = f"{taken.name}: whether it fits is not known: {taken.fit.because}"
            hint = "try it with a small budget first, and measure"
            if taken.gpu is None and taken.host_gib is None:
                hint = "say how much the host has: memory_gib: 64"
            yield subject.of(choice, "memory-unknown", says, hint)


def _proven(subject: Subject) -> Iterator[Choice]:
    return (row for row in _hardware(subject) if not row.open or row.sound)


def _idle_gpus(subject: Subject) -> Iterator[Problem]:
    """What is paid for, or kept from others, and never computes."""
    for choice in subject.choices:
        taken, engine = choice.taken, choice.engine
        if taken is None or engine is None or taken.gpu is None or taken.obstacles:
            continue
        flags = taken.fit.flags if taken.fit is not None else {}
        parts = _parts(subject, engine.fit, flags) or taken.count
        used = parts * copies(subject.spec.serving.args, engine.fit)
        if used < taken.count:
            says = f"{engine.name} uses {used} of the {taken.count} GPUs of {taken.name}"
            yield subject.of(choice, "gpus-idle", says, _busier(engine.fit, used), "count")


def _parts(subject: Subject, model: str, flags: Mapping[str, Any]) -> int | None:
    """Among how many GPUs an engine divides the model; None where it takes all that there are."""
    if model == "tei":
        return 1
    if model not in _DIVIDES:
        return None
    told = flags.get("tensor-parallel-size") or flags.get("tp-size")
    return told or subject.spec.serving.tensor_parallel


def _busier(model: str, used: int) -> str:
    more = {
        "tei": "and replicas or entries of their own where more are wanted",
        "vllm": "or copies of the model by serving.args: {data-parallel-size: …}",
        "sglang": "or copies of the model by serving.args: {dp-size: …}",
    }
    return f"take count: {used}, {more[model]}"


def _no_offer(subject: Subject) -> Iterator[Problem]:
    for choice in _hardware(subject):
        near = choice.nearest
        if choice.open and not choice.sound and near is not None:
            says = f"no offer of {choice.kind.name} will do; closest is {near.name}: {near.why}"
            hint = "ask for less memory, widen privacy.regions, or choose another kind"
            yield subject.of(choice, "no-offer-fits", says, hint, "kind")


def _ceiling(subject: Subject) -> Iterator[Problem]:
    allow, most = subject.policy.gpus_allow, subject.policy.gpus_per_service
    total = 0
    for choice in subject.choices:
        taken = choice.taken
        if taken is None or taken.gpu is None:
            continue
        total += hardware.gpus_at_most(choice)
        if allow is not None and taken.gpu.name not in allow:
            says = f"{subject.policy.file} does not allow {taken.gpu.name}"
            hint = f"it allows {', '.join(allow)}"
            yield subject.of(choice, "gpu-ceiling", says, hint, "gpu")
    if most is not None and total > most:
        says = f"all placements at full scale have {total} GPUs"
        hint = f"{subject.policy.file} allows {most} a service"
        yield subject.problem("gpu-ceiling", says, hint, "providers")


RULES: Final[dict[str, Rule]] = {
    "offer-unknown": Rule(says="the hardware is sold", check=_offer_unknown),
    "offer-unavailable": Rule(
        says="the hardware can be had", check=_offer_unavailable, severity="warning"
    ),
    "no-offer-fits": Rule(says="an open choice has an answer", check=_no_offer),
    "region-not-offered": Rule(says="the region is offered", check=_region),
    "replicas": Rule(says="replica limits fit scale to zero", check=_replicas),
    "never-scales-to-zero": Rule(
        says="what shall scale to zero can", check=_never_sleeps, severity="warning"
    ),
    "name-too-long": Rule(says="the name leaves room for what is added", check=_name_too_long),
    "memory-fit": Rule(says="the model fits into the memory", check=_memory),
    "memory-tight": Rule(
        says="the model fits with room to spare", check=_tight, severity="warning"
    ),
    "memory-unknown": Rule(
        says="whether the model fits is known", check=_unproven, severity="warning"
    ),
    "gpus-idle": Rule(says="every GPU has work", check=_idle_gpus, severity="warning"),
    "gpu-ceiling": Rule(says="the policy allows the GPUs and their number", check=_ceiling),
}
