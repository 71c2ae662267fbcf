"""What only all specs together can show: names taken twice, sums above a ceiling; pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Final, NamedTuple

from msgspec import Struct, field

from moorage.plan import devices, rules
from moorage.plan.choice.hardware import gpus_at_most
from moorage.plan.devices import Wish
from moorage.plan.money import budget
from moorage.plan.subject import Subject
from moorage.spec.policy import Policy
from moorage.spec.problems import Place, Problem


class Entry(Struct, frozen=True, kw_only=True):
    """The little of one spec that is kept when thousands are judged."""

    file: str
    name: str
    team: str
    worst_usd: Decimal = Decimal(0)
    gpus: int = 0  # at full scale
    ports: tuple[tuple[str, int, Place], ...] = ()  # host, port, where it is written
    published: tuple[tuple[str, Place], ...] = ()  # what, where it is written
    devices: tuple[Wish, ...] = ()  # GPUs of hosts that others may use too
    places: dict[str, Place] = field(default_factory=dict)  # of name, team, budget, providers

    def problem(self, rule: str, says: str, hint: str, key: str) -> Problem:
        at = self.places[key]
        return Problem(
            file=self.file, line=at.line, column=at.column, rule=rule, says=says, hint=hint
        )


class FleetRule(NamedTuple):
    """What is asked of all specs together."""

    says: str
    check: Callable[[Sequence[Entry], Policy], Iterable[Problem]]
    severity: str = "error"  # a policy may change it


def entry(subject: Subject) -> Entry:
    """What the rules here need to know of a spec."""
    spec, parsed = subject.spec, subject.parsed
    affordable = budget.affordable(subject.world, subject.choices)
    kept = affordable.choices
    return Entry(
        file=parsed.file,
        name=spec.name,
        team=spec.team,
        worst_usd=affordable.cost.most_usd,
        gpus=sum(gpus_at_most(choice) for choice in kept),
        ports=tuple(_ports(subject)),
        published=tuple(_published(subject)),
        devices=tuple(devices.wishes(subject, kept)),
        places={key: parsed.at(key) for key in ("name", "team", "budget", "providers")},
    )


def check(entries: Sequence[Entry], policy: Policy) -> list[Problem]:
    """Every problem that only all specs together show."""
    return [
        problem
        for slug, rule in FLEET_RULES.items()
        for problem in rules.graded(policy, slug, rule.severity, rule.check(entries, policy))
    ]


def _ports(subject: Subject) -> Iterator[tuple[str, int, Place]]:
    for number, target in enumerate(subject.spec.providers):
        port = target.options.get("port")
        if port is not None:
            host = str(target.options.get("host", "local"))
            yield host, int(port), subject.parsed.at("providers", number, "port")


def _published(subject: Subject) -> Iterator[tuple[str, Place]]:
    """Every repository that it keeps, and every collection once: they may hold several."""
    collections: set[str] = set()
    for number, row in enumerate(subject.spec.publish):
        yield row.what, subject.parsed.at("publish", number, "name")
        if row.collection is None:
            continue
        whose = f" of {row.namespace}" if row.namespace else ""
        what = f"collection '{row.collection}'{whose}"
        if what not in collections:
            collections.add(what)
            yield what, subject.parsed.at("publish", number, "collection")


def _name_clash(entries: Sequence[Entry], _policy: Policy) -> Iterator[Problem]:
    first: dict[str, str] = {}
    for row in entries:
        taken = first.setdefault(row.name, row.file)
        if taken != row.file:
            says = f"the name '{row.name}' is taken by {taken}"
            yield row.problem("name-clash", says, "choose another name", "name")


def _host_port_clash(entries: Sequence[Entry], _policy: Policy) -> Iterator[Problem]:
    first: dict[tuple[str, int], str] = {}
    for row in entries:
        for host, port, at in row.ports:
            taken = first.setdefault((devices.machine(host), port), row.file)
            if taken != row.file:
                where = "this machine" if host == "local" else host
                yield Problem(
                    file=row.file,
                    line=at.line,
                    column=at.column,
                    rule="host-port-clash",
                    says=f"port {port} of {where} is taken by {taken}",
                    hint="choose another, or leave it out and a free one is found",
                )


def _device_clash(entries: Sequence[Entry], _policy: Policy) -> Iterator[Problem]:
    return devices.clashes(wish for row in entries for wish in row.devices)


def _published_twice(entries: Sequence[Entry], _policy: Policy) -> Iterator[Problem]:
    first: dict[str, str] = {}
    for row in entries:
        for what, at in row.published:
            key = what.casefold()
            if key in first:
                taken = first[key] if first[key] != row.file else "another entry of this spec"
                yield Problem(
                    file=row.file,
                    line=at.line,
                    column=at.column,
                    rule="published-twice",
                    says=f"{what} is published by {taken}",
                    hint="only one may keep it: choose another name, or take one of them out",
                )
            first.setdefault(key, row.file)


def _team_budget(entries: Sequence[Entry], policy: Policy) -> Iterator[Problem]:
    for team, rows in _by_team(entries).items():
        known = (policy.teams or {}).get(team)
        if known is None or known.monthly_usd is None:
            continue
        usd = sum((row.worst_usd for row in rows), Decimal(0))
        if usd > known.monthly_usd:
            says = f"all services of team {team} cost ${usd:,.2f} a month at worst, "
            says += f"{policy.file} allows ${known.monthly_usd:,.2f}"
            yield _dearest(rows).problem("team-budget", says, _DEARER, "budget")


def _total_budget(entries: Sequence[Entry], policy: Policy) -> Iterator[Problem]:
    usd = sum((row.worst_usd for row in entries), Decimal(0))
    if policy.total_usd is not None and usd > policy.total_usd:
        says = f"all services cost ${usd:,.2f} a month at worst, "
        says += f"{policy.file} allows ${policy.total_usd:,.2f}"
        yield _dearest(entries).problem("total-budget", says, _DEARER, "budget")


def _gpu_total(entries: Sequence[Entry], policy: Policy) -> Iterator[Problem]:
    gpus = sum(row.gpus for row in entries)
    if policy.gpus_total is not None and gpus > policy.gpus_total:
        largest = max(entries, key=lambda row: row.gpus)
        says = f"all services have {gpus} GPUs at full scale, {policy.file} allows "
        says += f"{policy.gpus_total}"
        hint = "allow fewer replicas, or raise the ceiling; this service has the most of them"
        yield largest.problem("gpu-total", says, hint, "providers")


_DEARER: Final = "spend less or raise the ceiling; this service is the dearest of them"


def _dearest(rows: Sequence[Entry]) -> Entry:
    return max(rows, key=lambda row: row.worst_usd)


def _by_team(entries: Sequence[Entry]) -> dict[str, list[Entry]]:
    teams: dict[str, list[Entry]] = defaultdict(list)
    for row in entries:
        teams[row.team].append(row)
    return teams


FLEET_RULES: Final[dict[str, FleetRule]] = {
    "name-clash": FleetRule(says="a service's name is unique among all specs", check=_name_clash),
    "host-port-clash": FleetRule(
        says="no two services ask for one port of a host", check=_host_port_clash
    ),
    "device-clash": FleetRule(says="no two containers of a host use one GPU", check=_device_clash),
    "published-twice": FleetRule(
        says="nothing on the Hub is published by two", check=_published_twice
    ),
    "team-budget": FleetRule(
        says="a team's services together stay within its budget", check=_team_budget
    ),
    "total-budget": FleetRule(
        says="all services together stay within the budget", check=_total_budget
    ),
    "gpu-total": FleetRule(says="all services have no more GPUs than allowed", check=_gpu_total),
}
