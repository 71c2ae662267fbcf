"""What `moorage lock` makes of the Hub's answers: a lock to write, or what is wrong; pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from moorage.plan.choice.resolve import offers_used
from moorage.plan.facts import Lock, ModelFacts
from moorage.plan.locks import lock
from moorage.plan.locks.references import Wanted, wanted
from moorage.plan.locks.weights import GGUF
from moorage.plan.rules.model import pattern_problems
from moorage.plan.subject import Subject
from moorage.spec.problems import Problem


def relock(subject: Subject, answer: ModelFacts) -> Lock | list[Problem]:
    """The lock of a spec; problems where a revision is no commit or its file is not one.

    `answer` holds the references in the order of `wanted(spec)`.
    """
    problems = [*_unpinned(subject, answer), *_unmatched(subject, answer)]
    if problems:
        return problems
    model, table = subject.spec.model, subject.catalog.licenses
    new = lock.make(model, answer, licenses=table)
    return lock.make(model, answer, licenses=table, offers=offers_used(subject.world, new))


def moved(subject: Subject, new: Lock, *, head: str) -> list[Problem]:
    """What the Hub says otherwise than the lock beside the spec.

    A commit stays what it is; that the main branch went on from it to `head` is only news.
    """
    facts = subject.facts
    if facts.lock_fault is not None:
        return [facts.lock_fault]
    if facts.lock is None:
        says = f"{facts.lock_file} is not there"
        return [subject.problem("lock-missing", says, "write it with `moorage lock`", "model")]
    told = [
        Problem(file=facts.lock_file, rule="lock-moved", says=says, hint="review, `moorage lock`")
        for says in lock.differences(facts.lock, new)
    ]
    return [*told, *_newer(subject, head)]


def _newer(subject: Subject, head: str) -> Iterator[Problem]:
    if head != subject.spec.model.revision:
        says = f"the main branch went on to {head}"
        hint = "look at what changed there; nothing changes here before you pin it"
        problem = subject.problem("revision-behind", says, hint, "model", "revision")
        yield replace(problem, severity="warning")


def _unpinned(subject: Subject, answer: ModelFacts) -> Iterator[Problem]:
    model = subject.spec.model
    itself = Wanted(role="model", id=model.id, revision=model.revision, way=("model",))
    yield from _pin(subject, itself, answer.revision)
    for one, found in zip(wanted(subject.spec), answer.references, strict=True):
        yield from _pin(subject, one, found.revision)


def _pin(subject: Subject, one: Wanted, commit: str) -> Iterator[Problem]:
    """A revision that is no commit, and the commit that it stands for today."""
    way = (*one.way, "revision")
    if one.revision is None or not lock.is_commit(one.revision):
        stands = f"{one.revision[:60]!r} stands" if one.revision else "the main branch stands"
        says = f"{stands} at {commit} today"
        yield subject.problem("revision-missing", says, f"write 'revision: {commit}'", *way)
    elif commit != one.revision:
        says = f"the Hub resolves it to another commit, {commit}"
        yield subject.problem("revision-missing", says, "", *way)


def _unmatched(subject: Subject, answer: ModelFacts) -> Sequence[Problem]:
    model = subject.spec.model
    if not model.quantization.startswith(GGUF):
        return ()
    names = [file.name for file in lock.make(model, answer, licenses={}).model.files]
    there = [file.name for file in answer.files if file.name.endswith(".gguf")]
    return tuple(pattern_problems(subject, names, there=there))
