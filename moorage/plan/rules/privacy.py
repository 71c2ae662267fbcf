"""Rules about privacy: the tier holds for every placement, its fallbacks and its app."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from moorage.plan.choice import regions, routing
from moorage.plan.choice.address import reach
from moorage.plan.choice.kinds import KINDS
from moorage.plan.choice.resolve import options
from moorage.plan.rules.rule import Rule
from moorage.plan.subject import Subject
from moorage.plan.world import Choice
from moorage.spec.problems import Problem

_NO_ROUTER: Final = "choose another kind, or have the policy list a provider for this tier"
# Who may come in by an app: it is a door to the model, which computes elsewhere. The code of a
# protected Space is hidden, the app is open to all.
_APPS: Final[dict[str, tuple[str, ...]]] = {
    "public": ("public",),
    "protected": ("public",),
    "private": ("public", "internal", "confidential"),
}
# A repository has no door to the model, and is for all the world or for members.
_REPOSITORIES: Final[dict[str, tuple[str, ...]]] = {
    "public": ("public",),
    "private": ("public", "internal", "confidential"),
}
_CLOSED: Final = "none of the values of visibility"


def _tier(subject: Subject) -> Iterator[Problem]:
    tier = subject.spec.privacy.tier
    for choice in subject.choices:
        kind = choice.kind
        if tier not in kind.tiers:
            says = f"kind {kind.name} cannot honour tier {tier}: {kind.tiers_because}"
            hint = f"it can honour {', '.join(kind.tiers)}"
            yield subject.of(choice, "privacy-tier", says, hint, "kind")
            continue
        yield from _refused(subject, choice, "privacy-tier")
        yield from _not_listed(subject, choice)
    yield from _app(subject)
    yield from _restricted(subject)


def _not_listed(subject: Subject, choice: Choice) -> Iterator[Problem]:
    """What the policy says of kinds for this tier."""
    policy, tier = subject.policy, subject.spec.privacy.tier
    allowed = policy.tiers[tier].kinds if tier in policy.tiers else None
    if allowed is not None and choice.kind.name not in allowed:
        says = f"{policy.file} does not allow kind {choice.kind.name} for tier {tier}"
        hint = f"it allows {', '.join(allowed) or 'none'}"
        yield subject.of(choice, "privacy-tier", says, hint, "kind")


def _app(subject: Subject) -> Iterator[Problem]:
    app, tier = subject.spec.app, subject.spec.privacy.tier
    if app is None:
        return
    if tier == "restricted":
        says = "tier restricted keeps everything on own hosts, and the app would be a Space"
        yield subject.problem("privacy-tier", says, "take the app out", "app")
        return
    seen = str(app.options.get("visibility", "private"))
    if tier not in _APPS[seen]:
        yield _too_open(subject, seen, _APPS, "app", "visibility")


def _restricted(subject: Subject) -> Iterator[Problem]:
    """What is trained for a service may tell of what people asked it."""
    if subject.spec.publish and subject.spec.privacy.tier == "restricted":
        says = "tier restricted keeps everything on own hosts, and what is published leaves them"
        yield subject.problem("privacy-tier", says, "take it out", "publish")


def _visibility(subject: Subject) -> Iterator[Problem]:
    tier = subject.spec.privacy.tier
    for choice in subject.choices:
        seen = options(subject.world, choice).get("visibility")
        known = choice.kind.visibility
        if tier not in choice.kind.tiers:
            continue  # `privacy-tier` tells it; no visibility would help
        if seen is not None and known and tier not in known.get(str(seen), ()):
            way = ("providers", choice.number, "visibility")
            yield _too_open(subject, str(seen), known, *way)
    for number, row in enumerate(subject.spec.publish):
        if tier != "restricted" and tier not in _REPOSITORIES[row.visibility]:
            way = ("publish", number, "visibility")
            yield _too_open(subject, row.visibility, _REPOSITORIES, *way)


def _too_open(
    subject: Subject, seen: str, known: Mapping[str, tuple[str, ...]], *way: str | int
) -> Problem:
    tier = subject.spec.privacy.tier
    fine = [value for value, tiers in known.items() if tier in tiers]
    says = f"visibility {seen} lets in more people than tier {tier} allows"
    hint = f"write visibility: {fine[0]}" if fine else f"{_CLOSED} is closed enough"
    return subject.problem("visibility", says, hint, *way)


def _region(subject: Subject) -> Iterator[Problem]:
    for choice in subject.choices:
        why = _misplaced(subject, choice)
        if why:
            key = "region" if "region" in choice.kind.options.get("properties", {}) else "kind"
            says = f"{choice.name}: {why}"
            hint = "choose another region or kind, or widen privacy.regions"
            yield subject.of(choice, "region-not-allowed", says, hint, key)


def _misplaced(subject: Subject, choice: Choice) -> str:
    """Why a placement computes where it may not; empty where it may."""
    if choice.kind.routers:
        return ""  # each of its providers is judged by `router-provider`
    if choice.kind.name == "openai":
        far = reach(str(choice.target.options["url"])) == "public"
        return regions.allowed(subject.world, None, ()) if far else ""
    if choice.kind.weights != "hub" or choice.taken is None:
        return ""
    if _is_nowhere(choice) or _is_unsaid(choice):
        return ""  # told by a rule of its own
    return regions.allowed(subject.world, choice.taken.region, choice.taken.areas)


def _region_unknown(subject: Subject) -> Iterator[Problem]:
    """A host of one's own stands where one says it does."""
    for choice in subject.choices:
        if _is_unsaid(choice) and regions.allowed(subject.world, None, ()):
            says = f"{choice.name}: nobody says where {choice.target.options['host']} stands"
            hint = f"say it: region: {(subject.spec.privacy.regions or ('eu',))[0]}"
            yield subject.of(choice, "region-unknown", says, hint, "host")


def _is_unsaid(choice: Choice) -> bool:
    return choice.kind.name == "docker-host" and "region" not in choice.target.options


def _is_nowhere(choice: Choice) -> bool:
    """A region that the kind does not have; `region-not-offered` tells it."""
    name, kind = choice.taken.region if choice.taken else None, choice.kind
    return bool(kind.regions) and name is not None and regions.of(kind, None, name) is None


def _retention(subject: Subject) -> Iterator[Problem]:
    most = subject.spec.privacy.retention_days
    if most is None:
        return
    for choice in subject.choices:
        kept = choice.kind.retention_days
        if kept is None:
            says = f"nobody says how long kind {choice.kind.name} keeps requests"
        elif kept > most:
            says = f"kind {choice.kind.name} keeps requests or logs of them for {kept:g} days"
        else:
            continue
        hint = f"the spec allows {most:g} days: choose another kind, or allow more"
        yield subject.of(choice, "retention", says, hint, "kind")


def _router(subject: Subject) -> Iterator[Problem]:
    """A provider that was asked for by name must be one that can and may be used."""
    for choice in subject.choices:
        if not choice.kind.routers or subject.world.lock is None:
            continue
        if choice.open and not choice.routes:
            reasons = "; ".join(f"{row.name}: {row.why}" for row in choice.passed_over[:3])
            says = f"no provider of the router will do ({reasons or 'none serves this model'})"
            yield subject.of(choice, "router-provider", says, _NO_ROUTER, "kind")
        for row in () if choice.open else choice.passed_over:
            says = f"provider {row.name}: {row.why}"
            fine = routing.usable(subject.world, choice.kind)
            hint = f"these may be used: {', '.join(fine[:5])}" if fine else _NO_ROUTER
            yield subject.of(choice, "router-provider", says, hint, "provider")


def _key_in_clear(subject: Subject) -> Iterator[Problem]:
    for choice in subject.choices:
        yield from _refused(subject, choice, "key-in-clear")


def _refused(subject: Subject, choice: Choice, rule: str) -> Iterator[Problem]:
    tier = subject.spec.privacy.tier
    refusal = KINDS[choice.kind.name].refuse(choice.target.options, tier)
    if refusal is not None and refusal.rule == rule:
        yield subject.of(choice, rule, refusal.says, refusal.hint, refusal.option)


RULES: Final[dict[str, Rule]] = {
    "privacy-tier": Rule(says="every placement honours the privacy tier", check=_tier),
    "visibility": Rule(says="nobody is let in whom the tier keeps out", check=_visibility),
    "region-not-allowed": Rule(says="requests are computed where they may be", check=_region),
    "region-unknown": Rule(
        says="it is said where one's own hosts stand", check=_region_unknown, severity="warning"
    ),
    "retention": Rule(says="nobody keeps requests longer than the spec allows", check=_retention),
    "router-provider": Rule(says="a router's provider can and may be used", check=_router),
    "key-in-clear": Rule(says="no key travels unencrypted", check=_key_in_clear),
}
