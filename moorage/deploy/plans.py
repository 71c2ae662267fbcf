"""A plan is a preview that somebody reviewed; an up that is bound to it does that and no more.

The file holds digests, never values: salted, so that nobody learns a value by trying. Secrets are
not even in the digests, as the engine masks them before anybody sees them: that a secret changes
is part of a plan, what it becomes is not.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from moorage import __version__
from moorage.deploy.options import Options
from moorage.deploy.session import Session
from moorage.deploy.steps import Step, Steps
from moorage.deploy.stored import snapshot
from moorage.deploy.urns import is_internal, label
from moorage.errors import Exit, MoorageError

FORMAT: Final = "moorage-plan/1"
_CIPHERTEXT: Final = "ciphertext"  # differs each time that the same secret is sealed
_BOOKKEEPING: Final = ("sourcePosition", "stackTrace")  # differ from machine to machine
# What of the options decides which steps there are; a bound up takes it from the plan.
_LISTS: Final = ("targets", "exclude", "replace")
_BOUND: Final = (*_LISTS, "target_dependents", "refresh")


@dataclass(frozen=True, kw_only=True, slots=True)
class Planned:
    """One step of a plan."""

    urn: str
    kind: str
    paths: tuple[str, ...]
    inputs: str  # digest


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What was reviewed, and of which state and program."""

    project: str
    stack: str
    backend: str
    created: str
    moorage: str
    cli: str
    options: Mapping[str, Any]
    salt: str = field(repr=False)
    state: Mapping[str, str]  # URN -> digest
    steps: tuple[Planned, ...]
    outputs: str  # digest of the stack's outputs, as far as they are known before

    def bound(self, options: Options) -> Options:
        """The options of the plan, with those of the caller that do not decide the steps."""
        ours = {key: self.options[key] for key in _BOUND}
        lists = {key: tuple(value) for key, value in ours.items() if isinstance(value, list)}
        rest = {name: getattr(options, name) for name in _FREE}
        return Options(**{**ours, **lists, **rest})


_FREE: Final = ("parallel", "continue_on_error", "message")


def draw(session: Session, options: Options, steps: Steps, *, salt: str = "") -> Plan:
    """The plan that a preview amounts to."""
    salt = salt or secrets.token_hex(16)
    where = session.where
    return Plan(
        project=where.project,
        stack=where.stack,
        backend=_without_credentials(where.backend),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        moorage=__version__,
        cli=str(session.command.version),
        options={key: getattr(options, key) for key in _BOUND},
        salt=salt,
        state=_state(session.deployment(), salt),
        steps=tuple(_planned(step, salt) for step in _ordered(steps.changes)),
        outputs=_digest(steps.outputs, salt),
    )


def write(path: Path, plan: Plan) -> None:
    """Write a plan for those who review it and the up that is bound to it."""
    if not path.name:
        msg = f"{path} cannot be written: it is no name of a file"
        raise MoorageError(msg)
    text = json.dumps({"format": FORMAT, **asdict(plan)}, indent=2) + "\n"
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        draft.replace(path)
    except OSError as error:
        msg = f"{path} cannot be written: {error.strerror}"
        raise MoorageError(msg) from None


def read(path: Path) -> Plan:
    """A plan that `write` wrote; anything else is refused."""
    try:
        loaded = json.loads(path.read_text(encoding="utf-8"))
        told = loaded.pop("format")
        if told != FORMAT:
            msg = f"{path} is a plan of another format ({told}), this moorage knows {FORMAT}"
            raise MoorageError(msg)
        steps = [Planned(**{**one, "paths": tuple(one["paths"])}) for one in loaded.pop("steps")]
        plan = Plan(**loaded, steps=tuple(steps))
        plan.bound(Options())
        bytes.fromhex(plan.salt)
        _prove_kinds(plan)
    except OSError as error:
        msg = f"{path} cannot be read: {error.strerror}"
        raise MoorageError(msg) from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        msg = f"{path} is no plan, or not a whole one; `moorage preview --save` writes them"
        raise MoorageError(msg) from None
    return plan


def _prove_kinds(plan: Plan) -> None:
    lists = [plan.options[name] for name in _LISTS]
    are_lists = all(isinstance(one, list) for one in lists)
    if not are_lists or not all(isinstance(one, str) for one in _texts(plan)):
        raise TypeError("something else stands where a text or a list belongs")


def _texts(plan: Plan) -> Iterator[Any]:
    """Whatever of a plan is a text."""
    yield from (plan.project, plan.stack, plan.backend, plan.created, plan.outputs)
    yield from (*plan.state.keys(), *plan.state.values())
    yield from (one for name in _LISTS for one in plan.options[name])
    for step in plan.steps:
        yield from (step.urn, step.kind, step.inputs, *step.paths)


def prove_place(session: Session, path: Path, plan: Plan) -> None:
    """Refuse a plan that was made for another stack."""
    where = session.where
    ours = (where.project, where.stack, _without_credentials(where.backend))
    theirs = (plan.project, plan.stack, plan.backend)
    if ours != theirs:
        msg = f"{path} is a plan for {_place(theirs)}, this is {_place(ours)}"
        raise MoorageError(msg)


def compare(path: Path, reviewed: Plan, now: Plan) -> None:
    """Refuse to go on when state, steps or outputs are not those that were reviewed."""
    differences = [*_of_state(reviewed, now), *_of_steps(reviewed, now)]
    if not differences and reviewed.outputs != now.outputs:
        differences = ["the program's outputs are not those that were reviewed"]
    if differences:
        told = "".join(f"\n  {line}" for line in differences)
        msg = (
            f"{path} of {reviewed.created} is not what would be done now; nothing was done:{told}\n"
            f"  preview again: moorage preview --stack {reviewed.stack} --save {path}"
        )
        raise MoorageError(msg, exit_code=Exit.PROBLEMS)


def _of_state(reviewed: Plan, now: Plan) -> Iterable[str]:
    for urn in dict.fromkeys([*reviewed.state, *now.state]):
        before, after = reviewed.state.get(urn), now.state.get(urn)
        if before != after and not is_internal(urn.removesuffix(" (old)")):
            what = "is new" if before is None else "is gone" if after is None else "has changed"
            yield f"{label(urn)}: {what} in the state since the review"


def _of_steps(reviewed: Plan, now: Plan) -> Iterable[str]:
    before = {(step.urn, step.kind): step for step in reviewed.steps}
    after = {(step.urn, step.kind): step for step in now.steps}
    for key, step in before.items():
        if key not in after:
            yield f"{label(step.urn)}: {step.kind}{_of(step)} was reviewed, and is not wanted now"
    for key, step in after.items():
        known = before.get(key)
        if known is None:
            yield f"{label(step.urn)}: {step.kind}{_of(step)} was not reviewed"
        elif known.paths != step.paths:
            yield (
                f"{label(step.urn)}: {step.kind} of {', '.join(step.paths) or 'nothing'}, "
                f"where {', '.join(known.paths) or 'nothing'} was reviewed"
            )
        elif known.inputs != step.inputs:
            yield f"{label(step.urn)}: {step.kind} with other values than those reviewed"


def _of(step: Planned) -> str:
    return f" of {', '.join(step.paths)}" if step.paths else ""


def _ordered(steps: Iterable[Step]) -> list[Step]:
    """In one order, whichever the engine came to first."""
    return sorted(steps, key=lambda step: (step.urn, step.kind))


def _planned(step: Step, salt: str) -> Planned:
    digest = _digest(step.inputs, salt)
    return Planned(urn=step.urn, kind=step.kind, paths=step.paths, inputs=digest)


def _state(found: snapshot.Deployment, salt: str) -> dict[str, str]:
    digests: dict[str, str] = {}
    for one in snapshot.resources(found):
        key = f"{one['urn']} (old)" if one.get("delete") else str(one["urn"])
        kept = {k: v for k, v in one.items() if k not in _BOOKKEEPING}
        digests[key] = _digest([digests.get(key, ""), _sealed(kept)], salt)
    return digests


def _sealed(value: Any) -> Any:
    """The value without what differs each time that it is written."""
    if isinstance(value, dict):
        return {key: _sealed(item) for key, item in value.items() if key != _CIPHERTEXT}
    return [_sealed(item) for item in value] if isinstance(value, list) else value


def _digest(value: Any, salt: str) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), default=str)
    return hmac.new(bytes.fromhex(salt), text.encode(), hashlib.sha256).hexdigest()


def _without_credentials(backend: str) -> str:
    parts = urlsplit(backend)
    return backend.replace(f"{parts.netloc}", parts.netloc.rpartition("@")[2], 1)


def _place(place: tuple[str, str, str]) -> str:
    project, stack, backend = place
    return f"stack {stack} of project {project} in {backend}"
