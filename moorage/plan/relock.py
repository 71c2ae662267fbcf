"""What `moorage lock` makes of the Hub's answer: a lock to write, or what is wrong; pure."""

from __future__ import annotations

from moorage.plan import lock
from moorage.plan.facts import Lock, ModelFacts
from moorage.plan.rules import pattern_problems
from moorage.plan.subject import Subject
from moorage.spec.problems import Problem


def relock(subject: Subject, answer: ModelFacts) -> Lock | list[Problem]:
    """The lock of a spec; problems where its revision is no commit or its file is not one."""
    model = subject.spec.model
    if model.revision is None or not lock.is_commit(model.revision):
        return [_pin(subject, answer)]
    if answer.revision != model.revision:
        says = f"the Hub resolves it to another commit, {answer.revision}"
        return [subject.problem("revision-missing", says, "", "model", "revision")]
    new = lock.make(model, answer)
    names = [file.name for file in new.model.files]
    if len(names) == 1:
        return new
    there = [file.name for file in answer.files if file.name.endswith(".gguf")]
    return list(pattern_problems(subject, names, there=there))


def moved(subject: Subject, new: Lock) -> list[Problem]:
    """What the Hub says otherwise than the lock beside the spec."""
    facts = subject.facts
    if facts.lock_fault is not None:
        return [facts.lock_fault]
    if facts.lock is None:
        says = f"{facts.lock_file} is not there"
        return [subject.problem("lock-missing", says, "write it with `moorage lock`", "model")]
    return [
        Problem(file=facts.lock_file, rule="lock-moved", says=says, hint="review, `moorage lock`")
        for says in lock.differences(facts.lock, new)
    ]


def _pin(subject: Subject, answer: ModelFacts) -> Problem:
    revision = subject.spec.model.revision
    stands = f"{revision[:60]!r} stands" if revision else "the main branch stands"
    says = f"{stands} at {answer.revision} today"
    hint = f"write 'revision: {answer.revision}'"
    return subject.problem("revision-missing", says, hint, "model", "revision")
