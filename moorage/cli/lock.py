"""`moorage lock`: ask the Hub once, and freeze its answer beside the spec."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from moorage.errors import Exit, MoorageError

if TYPE_CHECKING:
    from moorage.plan.facts import Lock, ModelFacts
    from moorage.plan.subject import Subject
    from moorage.spec.problems import Problem


def configure(parser: argparse.ArgumentParser) -> None:
    """Paths, and whether to write."""
    parser.add_argument("paths", metavar="PATH", nargs="*", help="files, folders, globs (specs/)")
    parser.add_argument("--check", action="store_true", help="only tell what has moved upstream")


def run(args: argparse.Namespace) -> int:
    """Lock every spec whose model lies on the Hub; a Hub that does not answer ends the run."""
    from moorage.plan.load import read
    from moorage.plan.project import find_root
    from moorage.spec import report

    root = find_root(Path.cwd())
    seen = read([Path(path) for path in args.paths] or [root / "specs"], root=root)
    faults: list[MoorageError] = []
    problems = list(seen.problems)
    for subject in seen.subjects:
        try:
            problems += _lock(subject, check=args.check)
        except MoorageError as error:
            faults.append(error)
            if error.exit_code == Exit.UNANSWERED:
                break  # the next spec would wait as long for the same silence
    for problem in problems:
        print(problem)
    if faults:
        for fault in faults[1:]:
            print(f"moorage: {fault}", file=sys.stderr)
        raise faults[0]
    return int(report.exit_code(problems))


def _lock(subject: Subject, *, check: bool) -> list[Problem]:
    from moorage.plan.relock import moved, relock

    if not subject.needs_hub or subject.spec.model.is_path:
        print(f"{subject.parsed.file}: nothing to lock, its model is not loaded from the Hub")
        return []
    answer = _ask(subject)
    new = answer if isinstance(answer, list) else relock(subject, answer)
    if isinstance(new, list):
        return new
    if check:
        from moorage import hub

        news = moved(subject, new, head=hub.head(subject.spec.model.id))
        if not news:
            print(f"{subject.facts.lock_file}: nothing has moved upstream")
        return news
    _write(subject, new)
    return []


def _ask(subject: Subject) -> ModelFacts | list[Problem]:
    """The model with everything else that the spec names, or what the Hub refuses of it."""
    from msgspec.structs import replace

    from moorage import hub
    from moorage.plan.locks.references import wanted

    model = subject.spec.model
    routed = any(target.kind == "hf-router" for target in subject.spec.providers)
    place: tuple[str | int, ...] = ("model", "id")
    references = []
    try:
        answer = hub.facts(model.id, model.revision, quantization=model.quantization, routes=routed)
        for one in wanted(subject.spec):
            place = (*one.way, "id")
            references.append(hub.reference(one))
    except MoorageError as error:
        if error.exit_code != Exit.PROBLEMS:
            raise
        return [subject.problem("hub-refused", str(error), "", *place)]
    return replace(answer, references=tuple(references))


def _write(subject: Subject, new: Lock) -> None:
    from moorage.plan.locks import lock

    name = subject.facts.lock_file
    if subject.facts.lock is not None and lock.same(subject.facts.lock, new):
        print(f"{name}: unchanged")
        return
    path = subject.facts.lock_path
    temporary = path.with_name(f".{path.name}.new")  # the old lock stays whole until the new one is
    try:
        temporary.write_text(lock.render(new), encoding="utf-8")
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        message = f"{name}: cannot be written: {error.strerror}"
        raise MoorageError(message) from error
    print(f"{name}: written")
