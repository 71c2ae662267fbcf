"""The rules: each a function from a subject to problems, all in one registry."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from moorage.plan import lock
from moorage.plan.kinds import KINDS
from moorage.plan.subject import Subject
from moorage.spec.problems import Problem
from moorage.spec.types import Target
from moorage.spec.words import nearest

_HUB_ID = re.compile(r"[\w.-]{1,96}/[\w.-]{1,96}", re.ASCII)


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """What is asked of every spec, in one line, and how grave a breach is."""

    says: str
    check: Callable[[Subject], Iterable[Problem]]
    severity: str = "error"


def check(subject: Subject) -> list[Problem]:
    """Every problem of one spec."""
    found = [
        dataclasses.replace(problem, severity=rule.severity)
        for rule in RULES.values()
        for problem in rule.check(subject)
    ]
    return sorted(found)


def _model_id(subject: Subject) -> Iterator[Problem]:
    model = subject.spec.model
    if subject.needs_hub and _HUB_ID.fullmatch(model.id) is None:
        says = f"{model.id[:100]!r} is neither a Hub repository (owner/name) nor a GGUF file"
        hint = "a path begins with /, ~/ or ./ or ends with .gguf"
        yield subject.problem("model-id", says, hint, "model", "id")


def _revision_missing(subject: Subject) -> Iterator[Problem]:
    revision = subject.spec.model.revision
    if not subject.needs_hub or (revision and lock.is_commit(revision)):
        return
    if revision is None:
        says = "the model has no revision, so it could change under you"
    else:
        says = f"{revision[:60]!r} is not a commit; branches and tags move"
    hint = "`moorage lock` tells the commit"
    yield subject.problem("revision-missing", says, hint, "model", "revision")


def _lock_missing(subject: Subject) -> Iterator[Problem]:
    if not subject.needs_hub or not _is_pinned(subject):
        return
    facts = subject.facts
    if facts.lock_fault is not None:
        yield facts.lock_fault
    elif facts.lock is None:
        says = f"{facts.lock_file} is not there, so nothing is known of the model"
        yield subject.problem("lock-missing", says, "write it with `moorage lock`", "model")


def _lock_stale(subject: Subject) -> Iterator[Problem]:
    locked, model = subject.facts.lock, subject.spec.model
    if not subject.needs_hub or not _is_pinned(subject) or locked is None:
        return
    pairs = {
        "id": (model.id, locked.model.id),
        "revision": (model.revision, locked.model.revision),
        "quantization": (model.quantization, locked.quantization),
    }
    for key, (wanted, known) in pairs.items():
        if wanted != known:
            says = f"{subject.facts.lock_file} was written for {key} {known[:100]!r}"
            hint = "write it anew with `moorage lock`"
            yield subject.problem("lock-stale", says, hint, "model", key)


def _file_pattern(subject: Subject) -> Iterator[Problem]:
    locked, quantization = subject.facts.lock, subject.spec.model.quantization
    if not subject.needs_hub:
        return
    if quantization == "none":
        says = "llama.cpp loads one GGUF file, and none is named"
        hint = "name it: quantization: gguf:<file name or pattern>"
        yield subject.problem("file-pattern", says, hint, "model", "quantization")
    elif locked is not None and locked.quantization == quantization:
        yield from pattern_problems(subject, [file.name for file in locked.model.files])


def pattern_problems(
    subject: Subject, names: list[str], *, there: list[str] | None = None
) -> Iterator[Problem]:
    """The names that a pattern matched must be one; `there` are all that it could have matched."""
    if len(names) == 1:
        return
    model = subject.spec.model
    pattern = model.quantization.removeprefix("gguf:")
    if names:
        says, hint = f"'{pattern}' matches {len(names)} files", f"name one: {_some(names)}"
    else:
        says = f"no file of {model.id} matches '{pattern}'"
        hint = "`moorage lock` lists what is there" if there is None else _offered(there, pattern)
    yield subject.problem("file-pattern", says, hint, "model", "quantization")


def _offered(there: list[str], pattern: str) -> str:
    if not there:
        return "it has no GGUF file at this commit"
    near = nearest(pattern, there)
    return f"did you mean '{near}'?" if near else f"it has {_some(there)}"


def _model_file_missing(subject: Subject) -> Iterator[Problem]:
    file = subject.facts.file
    if subject.loads_weights and file is not None and file.fault:
        says = f"{file.path}: {file.fault}"
        yield subject.problem("model-file-missing", says, "give a GGUF file", "model", "id")


def _task(subject: Subject) -> Iterator[Problem]:
    task = subject.spec.model.task
    for number, target in enumerate(subject.spec.providers):
        served = subject.catalog.kinds[target.kind].tasks
        if task not in served:
            says = f"kind {target.kind} does not serve {task}"
            hint = f"it serves {', '.join(served)}"
            yield subject.problem("task-not-served", says, hint, "providers", number)


def _privacy_tier(subject: Subject) -> Iterator[Problem]:
    tier = subject.spec.privacy.tier
    for number, target in enumerate(subject.spec.providers):
        kind = subject.catalog.kinds[target.kind]
        if tier in kind.tiers:
            yield from _refused(subject, number, target, "privacy-tier")
            continue
        says = f"kind {kind.name} cannot honour tier {tier}: {kind.tiers_because}"
        hint = f"it can honour {', '.join(kind.tiers)}"
        yield subject.problem("privacy-tier", says, hint, "providers", number, "kind")


def _key_in_clear(subject: Subject) -> Iterator[Problem]:
    for number, target in enumerate(subject.spec.providers):
        yield from _refused(subject, number, target, "key-in-clear")


def _refused(subject: Subject, number: int, target: Target, rule: str) -> Iterator[Problem]:
    refusal = KINDS[target.kind].refuse(target, subject.spec.privacy.tier)
    if refusal is not None and refusal.rule == rule:
        way = ("providers", number, refusal.option)
        yield subject.problem(rule, refusal.says, refusal.hint, *way)


def _price_missing(subject: Subject) -> Iterator[Problem]:
    for number, target in enumerate(subject.spec.providers):
        if KINDS[target.kind].price(target, subject.catalog.kinds[target.kind]) is None:
            says = "nobody has said what this server costs"
            hint = "state it: monthly_usd: 25 (0 where it costs you nothing)"
            yield subject.problem("price-missing", says, hint, "providers", number)


def _budget(subject: Subject) -> Iterator[Problem]:
    allowed = subject.spec.budget.monthly_usd
    prices = [
        price.cost.most_usd
        for target in subject.spec.providers
        if (price := KINDS[target.kind].price(target, subject.catalog.kinds[target.kind]))
    ]
    most = sum(prices, Decimal(0))
    if most > allowed:
        says = f"the worst case costs ${most:,.2f} a month, the budget is ${allowed:,.2f}"
        hint = "raise the budget or take a placement out"
        yield subject.problem("budget", says, hint, "budget", "monthly_usd")


def _failover_without_fallback(subject: Subject) -> Iterator[Problem]:
    failover = subject.spec.failover
    asked = failover.time_to_recover_s is not None or failover.lost_before_first_token is not None
    if asked and len(subject.spec.providers) < 2:
        says = "failover has criteria, and there is only one provider to fail over to"
        yield subject.problem("failover-without-fallback", says, "add a second one", "failover")


def _name_clash(subject: Subject) -> Iterator[Problem]:
    first = subject.names.get(subject.spec.name, subject.parsed.file)
    if first != subject.parsed.file:
        says = f"the name '{subject.spec.name}' is taken by {first}"
        yield subject.problem("name-clash", says, "choose another name", "name")


def _port_clash(subject: Subject) -> Iterator[Problem]:
    seen: set[int] = set()
    for number, target in enumerate(subject.spec.providers):
        port = target.options.get("port")
        if port is not None and port in seen:
            says = f"port {port} is taken by another entry of this spec"
            hint = "choose another, or leave it out and a free one is found"
            yield subject.problem("port-clash", says, hint, "providers", number, "port")
        if port is not None:
            seen.add(port)


def _is_pinned(subject: Subject) -> bool:
    revision = subject.spec.model.revision
    return revision is not None and lock.is_commit(revision)


def _some(names: list[str]) -> str:
    return ", ".join(names[:5]) + (" …" if len(names) > 5 else "")


RULES: Final[dict[str, Rule]] = {
    "model-id": Rule(says="a model is a Hub repository or a GGUF file", check=_model_id),
    "revision-missing": Rule(says="a Hub model is pinned to a commit", check=_revision_missing),
    "lock-missing": Rule(says="a Hub model has a lock beside its spec", check=_lock_missing),
    "lock-stale": Rule(says="the lock was written for this model", check=_lock_stale),
    "file-pattern": Rule(says="gguf:<pattern> names exactly one file", check=_file_pattern),
    "model-file-missing": Rule(says="a path leads to a GGUF file", check=_model_file_missing),
    "task-not-served": Rule(says="every kind serves the task", check=_task),
    "privacy-tier": Rule(says="every kind honours the privacy tier", check=_privacy_tier),
    "key-in-clear": Rule(says="no key travels unencrypted", check=_key_in_clear),
    "price-missing": Rule(says="every placement has a price", check=_price_missing),
    "budget": Rule(says="the worst case is within the budget", check=_budget),
    "failover-without-fallback": Rule(
        says="failover criteria need a second placement", check=_failover_without_fallback
    ),
    "name-clash": Rule(says="a service's name is unique among all specs", check=_name_clash),
    "port-clash": Rule(says="no two placements ask for one port", check=_port_clash),
}
