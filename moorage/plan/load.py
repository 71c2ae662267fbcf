"""The one door from files to plans: the same for `moorage check`, `moorage plan` and a stack."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from functools import partial
from pathlib import Path
from typing import NamedTuple

from msgspec import Struct, field
from msgspec.structs import replace

from moorage.plan import devices, files, fleet, rules
from moorage.plan.decide import decide
from moorage.plan.devices import Assigned
from moorage.plan.facts import Lock
from moorage.plan.fleet import Entry
from moorage.plan.ground import Ground, prepare
from moorage.plan.parallel import spread
from moorage.plan.subject import Subject
from moorage.plan.types import Plan
from moorage.plan.world import World
from moorage.spec import source
from moorage.spec.parse import parse
from moorage.spec.policy import Policy
from moorage.spec.problems import Problem


class Read(NamedTuple):
    """Every file that was looked at, those that could be understood, and what is wrong so far."""

    files: tuple[str, ...]
    subjects: tuple[Subject, ...]
    problems: tuple[Problem, ...]


class Loaded(Struct, frozen=True, kw_only=True):
    """The plans of all specs without errors, and everything that is wrong with the others."""

    plans: tuple[Plan, ...]
    problems: tuple[Problem, ...]
    files: tuple[str, ...] = ()
    locks: Mapping[str, Lock] = field(
        default_factory=dict
    )  # of each planned service, if it has one
    policy: Policy = field(default_factory=Policy)


class _Judged(NamedTuple):
    """What is kept of one spec: little, since there may be ten thousand."""

    problems: tuple[Problem, ...]
    entry: Entry | None = None
    plan: Plan | None = None
    lock: Lock | None = None


def load(
    paths: Sequence[Path],
    *,
    root: Path,
    today: date | None = None,
    plans: bool = True,
    processes: int = 1,
) -> Loaded:
    """Judge and plan every spec that the paths mean: files, folders or globs.

    `root` is the project; without `today` no price is stale and no waiver ends; `plans=False`
    only judges; `processes` share the work where there is much of it.
    """
    ground = prepare(root, today=today)
    found = files.specs(paths)
    judge = partial(_judge, ground=ground, plans=plans)
    judged = spread(judge, found, processes)
    names = tuple(files.shown(path, root) for path in found)
    return _together(judged, names, ground)


def read(paths: Sequence[Path], *, root: Path, today: date | None = None) -> Read:
    """Read every spec, its lock and its model's file; judge nothing but the shape."""
    ground = prepare(root, today=today)
    subjects: list[Subject] = []
    problems: list[Problem] = list(ground.problems)
    found = files.specs(paths)
    for path in found:
        result = _read(path, ground)
        if isinstance(result, Subject):
            subjects.append(result)
        else:
            problems += result
    names = tuple(files.shown(path, root) for path in found)
    return Read(files=names, subjects=tuple(subjects), problems=tuple(problems))


def _judge(path: Path, *, ground: Ground, plans: bool) -> _Judged:
    """One spec's file becomes its problems and, where it may have one, its plan."""
    subject = _read(path, ground)
    if not isinstance(subject, Subject):
        return _Judged(problems=subject)
    found = tuple(rules.check(subject))
    refused = any(problem.severity == "error" for problem in found)
    wanted = plans and not refused
    return _Judged(
        problems=found,
        entry=fleet.entry(subject),
        plan=decide(subject.world, subject.choices) if wanted else None,
        lock=subject.world.lock if wanted else None,
    )


def _together(judged: Iterable[_Judged], names: tuple[str, ...], ground: Ground) -> Loaded:
    """What all specs together show; a spec that it speaks against has no plan either."""
    problems, entries, plans, locks = list(ground.problems), [], [], {}
    for row in judged:
        problems += row.problems
        if row.entry is not None:
            entries.append(row.entry)
        if row.plan is not None:
            plans.append(row.plan)
        if row.plan is not None and row.lock is not None:
            locks[row.plan.service] = row.lock
    shared = fleet.check(entries, ground.policy)
    against = {row.file for row in shared if row.severity == "error"}
    kept = tuple(plan for plan in plans if plan.spec_path.as_posix() not in against)
    assigned = devices.assign(wish for row in entries for wish in row.devices)
    kept = tuple(_with_devices(plan, assigned) for plan in kept)
    found = tuple(sorted({*problems, *shared}))
    return Loaded(plans=kept, problems=found, files=names, locks=locks, policy=ground.policy)


def _with_devices(plan: Plan, assigned: Assigned) -> Plan:
    """Only all specs together know which GPUs of a host are left for a container."""
    if not any((plan.service, row.name) in assigned for row in plan.placements):
        return plan
    placed = tuple(
        replace(row, device_ids=assigned.get((plan.service, row.name), ()))
        for row in plan.placements
    )
    return replace(plan, placements=placed)


def _read(path: Path, ground: Ground) -> Subject | tuple[Problem, ...]:
    name = files.shown(path, ground.root)
    text = source.text(path, file=name)
    if isinstance(text, Problem):
        return (text,)
    parsed = parse(text, name, schema=ground.schema)
    if parsed.spec is None:
        return parsed.problems
    world = World(
        spec=parsed.spec,
        facts=files.facts(parsed.spec, path, ground.root),
        catalog=ground.catalog,
        policy=ground.policy,
        today=ground.today,
    )
    return Subject(world=world, parsed=parsed)
