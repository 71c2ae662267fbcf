"""Rules about the service: levels it can reach, fallbacks that are the same, an owner."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from moorage.plan.choice.differences import unproven
from moorage.plan.devices import machine
from moorage.plan.fit import speed
from moorage.plan.money.prices import replicas_needed
from moorage.plan.rules.rule import Rule
from moorage.plan.subject import Subject
from moorage.spec.problems import Problem
from moorage.spec.types import Slo


def _slo(subject: Subject) -> Iterator[Problem]:
    """Below what physics lets the hardware do, no tuning helps."""
    slo, lock = subject.spec.slo, subject.world.lock
    if lock is None:
        return
    for choice in subject.choices:
        taken = choice.taken
        if taken is None or taken.gpu is None or not taken.count:
            continue
        asked = (lock.model, taken.gpu, taken.count, subject.spec.load)
        if not list(_below(slo, speed.ceiling(*asked))):
            continue
        for key, wanted, least in _below(slo, speed.bounds(*asked)):
            says = f"{key} of {wanted:g} ms is less than {taken.name} can do for one request "
            says += f"alone, {least:.3g} ms"
            hint = "allow more, or choose faster hardware"
            yield subject.problem("slo-implausible", says, hint, "slo", key)


def _below(slo: Slo, bound: speed.Bounds) -> Iterator[tuple[str, float, float]]:
    """The levels that ask for less than a bound: key, wish and bound in milliseconds."""
    wishes = (
        ("ttft_p95", slo.ttft_p95_ms, bound.ttft_ms),
        ("tpot_p95", slo.tpot_p95_ms, bound.tpot_ms),
    )
    for key, wanted, least in wishes:
        if wanted is not None and least is not None and wanted < least:
            yield key, wanted, least


def _load(subject: Subject) -> Iterator[Problem]:
    if subject.spec.slo.tpot_p95_ms is None:
        return  # how long an answer takes, and so how many are in the house, nobody says
    for choice in subject.choices:
        needed = replicas_needed(subject.world, choice)
        if needed > choice.replicas_max:
            says = f"{choice.name}: the load wants about {needed} replicas, and there are at most "
            says += f"{choice.replicas_max}"
            hint = "allow more replicas, a larger GPU, or expect less load"
            yield subject.of(choice, "load-too-high", says, hint, "replicas")


def _failover_without_fallback(subject: Subject) -> Iterator[Problem]:
    failover = subject.spec.failover
    asked = failover.time_to_recover_s is not None or failover.lost_before_first_token is not None
    if asked and len(subject.spec.providers) < 2:
        says = "failover has criteria, and there is only one provider to fail over to"
        yield subject.problem("failover-without-fallback", says, "add a second one", "failover")


def _fallback_differs(subject: Subject) -> Iterator[Problem]:
    first = subject.choices[0]
    for choice in subject.choices[1:]:
        silent = [
            word
            for word in unproven(subject.world, choice, first)
            if word not in choice.target.differs and "model" not in choice.target.differs
        ]
        if silent:
            says = f"{choice.name} is not proven to have the same {', '.join(silent)} as "
            says += first.name
            hint = f"if that is fine, say so: differs: [{', '.join(silent)}]"
            yield subject.of(choice, "fallback-differs", says, hint, "kind")


def _owner(subject: Subject) -> Iterator[Problem]:
    policy, spec = subject.policy, subject.spec
    teams = policy.teams
    team = teams.get(spec.team) if teams is not None else None
    if teams is not None and team is None:
        says = f"{policy.file} knows no team '{spec.team}'"
        hint = f"known: {', '.join(teams) or 'none'}; the platform team adds teams"
        yield subject.problem("owner", says, hint, "team")
    elif policy.owner_needed and spec.owner is None and (team is None or team.owner is None):
        says = "nobody is named who is asked at three in the morning"
        yield subject.problem("owner", says, "add owner: <address or handle>", "team")


def _port_clash(subject: Subject) -> Iterator[Problem]:
    seen: set[tuple[str, int]] = set()
    for number, target in enumerate(subject.spec.providers):
        port = target.options.get("port")
        host = machine(str(target.options.get("host", "local")))
        if port is not None and (host, port) in seen:
            says = f"port {port} is taken by another entry of this spec"
            hint = "choose another, or leave it out and a free one is found"
            yield subject.problem("port-clash", says, hint, "providers", number, "port")
        if port is not None:
            seen.add((host, port))


def _adapter_name(subject: Subject) -> Iterator[Problem]:
    """A request names what it wants by one word."""
    model = subject.model
    seen = {subject.spec.name: "the service", model.id: "the model"}
    for number, adapter in enumerate(model.adapters):
        key = "name" if adapter.name else "id"
        if adapter.called in seen:
            says = f"requests for {adapter.called} get {seen[adapter.called]}, not this adapter"
            hint = "give it a name of its own"
            yield subject.problem("adapter-name", says, hint, "model", "adapters", number, key)
        seen.setdefault(adapter.called, "another adapter")


RULES: Final[dict[str, Rule]] = {
    "slo-implausible": Rule(says="the hardware can reach the service levels", check=_slo),
    "load-too-high": Rule(says="the replicas carry the load", check=_load, severity="warning"),
    "failover-without-fallback": Rule(
        says="failover criteria need a second placement", check=_failover_without_fallback
    ),
    "fallback-differs": Rule(
        says="a fallback serves the same, or says what differs",
        check=_fallback_differs,
        severity="warning",
    ),
    "owner": Rule(says="somebody answers for the service", check=_owner),
    "adapter-name": Rule(says="an adapter has a name of its own", check=_adapter_name),
    "port-clash": Rule(says="no two placements ask for one port", check=_port_clash),
}
