"""Which providers of the Hugging Face router a placement uses, in order; pure."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from msgspec.structs import replace

from moorage.plan.catalogue.offers import Kind
from moorage.plan.choice import regions
from moorage.plan.facts import Route
from moorage.plan.types import Passed
from moorage.plan.world import Choice, World
from moorage.spec.tasks import TASKS

AUTO: Final = "auto"

# The router's words for tasks are its own.
_TASKS: Final = {
    "text-generation": ("conversational", "text-generation"),
    "image-text-to-text": ("conversational", "image-text-to-text"),
    "sentence-similarity": ("sentence-similarity", "feature-extraction"),
}


def choose(world: World, choice: Choice) -> Choice:
    """The providers that may be used; the others with the reason why not."""
    known = {route.provider: route for route in _served(world)}
    used: list[Route] = []
    passed: list[Passed] = []
    for slug in _asked(choice, known):
        why = refusal(world, choice.kind, slug, known.get(slug))
        if why:
            passed.append(Passed(name=slug, why=why))
        else:
            used.append(known[slug])
    used = _ordered(used, choice)
    return replace(
        choice, routes=tuple(used), passed_over=tuple(passed), sound=bool(used), open=_auto(choice)
    )


def usable(world: World, kind: Kind) -> tuple[str, ...]:
    """Every provider of this model that could be named instead."""
    known = {route.provider: route for route in _served(world)}
    return tuple(slug for slug in sorted(known) if not refusal(world, kind, slug, known[slug]))


def refusal(world: World, kind: Kind, slug: str, route: Route | None) -> str:
    """Why a provider cannot or may not be used; empty where it can and may."""
    if route is None:
        return "the router does not offer this model there"
    if route.status != "live":
        return f"the router says {route.status}"
    task = world.spec.model.task
    if not _speaks(kind, slug, task):
        return f"it answers {task} in words of its own, not in OpenAI's"
    wanted = world.spec.model.max_model_len
    if wanted is not None and route.context_tokens is not None and route.context_tokens < wanted:
        return f"it takes {route.context_tokens} tokens, the spec asks for {wanted}"
    return next(_unfit(world, kind, slug), "")


def _speaks(kind: Kind, slug: str, task: str) -> bool:
    """Whether OpenAI's clients can ask it; of chats the router itself sees to that."""
    if TASKS[task].chats:
        return True
    ways = kind.routers.get(slug)
    return ways is not None and any(word in ways.speaks for word in _words(task))


def _unfit(world: World, kind: Kind, slug: str) -> Iterator[str]:
    """What the spec's privacy and the policy have against a provider."""
    privacy, ways = world.spec.privacy, kind.routers.get(slug)
    tier = world.policy.tiers.get(privacy.tier)
    listed = tier is not None and tier.routers is not None and slug in tier.routers
    if tier is not None and tier.routers is not None and not listed:
        yield f"the policy does not list it for tier {privacy.tier}"
    # On the policy's list somebody has read its terms; without, only what is openly known counts.
    if privacy.tier != "public" and not listed:
        if privacy.tier == "confidential":
            yield "tier confidential wants it on the policy's list of router providers"
        if ways is None or ways.trains is None or ways.retention_days is None:
            yield f"nobody says what it keeps, tier {privacy.tier} wants to know"
        elif ways.trains:
            yield "it may train on what it gets"
    most = privacy.retention_days
    if most is not None and (ways is None or ways.retention_days is None):
        yield f"nobody says how long it keeps requests, the spec allows {most:g} days"
    elif most is not None and ways is not None and (ways.retention_days or 0) > most:
        yield f"it keeps requests for {ways.retention_days:g} days, the spec allows {most:g}"
    yield regions.allowed(world, None, ways.areas if ways else ())


def _served(world: World) -> Iterator[Route]:
    words = _words(world.spec.model.task)
    lock = world.lock
    return (route for route in (lock.model.routes if lock else ()) if route.task in words)


def _words(task: str) -> tuple[str, ...]:
    return _TASKS.get(task, (task,))


def _asked(choice: Choice, known: dict[str, Route]) -> list[str]:
    if _auto(choice):
        return sorted(known)
    named = choice.target.options["provider"]
    return [named] if isinstance(named, str) else list(dict.fromkeys(named))


def _auto(choice: Choice) -> bool:
    return bool(choice.target.options.get("provider", AUTO) == AUTO)


def _ordered(routes: list[Route], choice: Choice) -> list[Route]:
    """As the team wrote them; under auto the cheapest first, those without a price last."""
    return sorted(routes, key=_dearness) if _auto(choice) else routes


def _dearness(route: Route) -> tuple[bool, Decimal, str]:
    into, out = route.input_usd_per_mtok, route.output_usd_per_mtok
    return into is None or out is None, (into or Decimal(0)) + (out or Decimal(0)), route.provider
