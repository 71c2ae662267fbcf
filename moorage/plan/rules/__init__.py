"""The rules: what is asked of every spec, each a function from a subject to problems."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from msgspec.structs import replace

from moorage.plan.rules import engine, hosts, model, money, place, privacy, published, service
from moorage.plan.rules.rule import Rule
from moorage.plan.subject import Subject
from moorage.plan.world import World
from moorage.spec.policy import Policy, Waiver
from moorage.spec.problems import Problem

OFF: Final = "off"

RULES: Final[dict[str, Rule]] = {
    **model.RULES,
    **engine.RULES,
    **place.RULES,
    **hosts.RULES,
    **privacy.RULES,
    **money.RULES,
    **service.RULES,
    **published.RULES,
}


def check(subject: Subject) -> list[Problem]:
    """Every problem of one spec, as grave as the policy says."""
    severities = subject.policy.rules
    found = [
        _as_grave(problem, severity)
        for slug, rule in RULES.items()
        if (severity := severities.get(slug, rule.severity)) != OFF
        for problem in rule.check(subject)
    ]
    return sorted(_waived(subject.world, found))


def graded(policy: Policy, slug: str, usual: str, found: Iterable[Problem]) -> list[Problem]:
    """The problems of one rule with the severity that the policy gives it."""
    severity = policy.rules.get(slug, usual)
    return [] if severity == OFF else _graded(found, severity)


def _graded(found: Iterable[Problem], severity: str) -> list[Problem]:
    return [_as_grave(problem, severity) for problem in found]


def _as_grave(problem: Problem, severity: str) -> Problem:
    if problem.severity == severity:
        return problem
    return replace(problem, severity=severity)


def _waived(world: World, found: list[Problem]) -> list[Problem]:
    """A waiver that still holds makes a warning of an error, and says who answers for it."""
    waivers = {row.rule: row for row in world.policy.waivers if row.service == world.spec.name}
    if not waivers:
        return found
    return [_excused(row, waivers.get(row.rule), world) for row in found]


def _excused(problem: Problem, waiver: Waiver | None, world: World) -> Problem:
    if waiver is None or problem.severity != "error":
        return problem
    if world.today is not None and world.today > waiver.expires:
        late = f"the waiver of {waiver.owner} ended on {waiver.expires.isoformat()}"
        hint = f"{problem.hint}; {late}" if problem.hint else late
        return replace(problem, hint=hint)
    until = f"waived until {waiver.expires.isoformat()} by {waiver.owner}: {waiver.reason}"
    return replace(problem, severity="warning", hint=until)
