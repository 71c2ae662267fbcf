"""Bringing a Space to what is declared: one write after the other, each looked for when lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from moorage.errors import Exit, MoorageError
from moorage.provider.handler import Context, State
from moorage.provider.hugging_face import hub, things
from moorage.provider.hugging_face.client import Refused
from moorage.provider.hugging_face.hub import Call, Done, Hub
from moorage.provider.hugging_face.repositories import repo_files
from moorage.provider.hugging_face.repositories.repo_files import Difference
from moorage.provider.hugging_face.spaces import space_record
from moorage.provider.hugging_face.spaces.space_record import Record
from moorage.provider.hugging_face.spaces.space_shape import FREE_HARDWARE, GUARD, OWNER

_ROUNDS: Final = 4
_PAUSE_S: Final = 0.5
_STALE: Final = 412
_MESSAGE: Final = "Deploy by moorage"


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One write, in words; `secret` names the one that it sets."""

    words: str
    call: Call = field(repr=False)
    secret: str = ""
    is_commit: bool = False
    restarts: bool = True  # the app


@dataclass(kw_only=True, slots=True)
class Changes:
    """What was changed so far, and the Space as it is now."""

    found: Record
    is_pushed: bool = False
    is_restarted: bool = False
    secrets_set: set[str] = field(default_factory=set)


def bring(
    found: Record, inputs: State, state: State, owner: str, *, at: Hub, context: Context
) -> Changes:
    """Write what differs; `state` tells which secrets are known to be set already."""
    changes, lost = Changes(found=found), ""
    for number in range(_ROUNDS):
        wanted = list(_steps(changes, inputs, state, owner))
        if not wanted:
            return changes
        if number:
            context.pause(_PAUSE_S)
        lost = _write(wanted, changes, at, context)
        changes.found = things.still(space_record.look(at, found.id, context), f"Space {found.id}")
    wanted = list(_steps(changes, inputs, state, owner))
    if not wanted:
        return changes
    why = lost or f"the Hub takes {wanted[0].words} and keeps it as it was"
    message = f"Space {found.id}: {why}; run up again"
    raise MoorageError(message, exit_code=Exit.UNANSWERED)


def _write(wanted: list[Step], changes: Changes, at: Hub, context: Context) -> str:
    """Do the steps until an answer is lost; what was lost is looked for before the rest."""
    asked = at.asked(f"Space {changes.found.id}", changes.found.id.partition("/")[0])
    for step in wanted:
        context.progress(f"Space {changes.found.id}: {step.words}")
        send = hub.commit if step.is_commit else hub.write
        outcome = send(at, asked, step.call, context)
        if isinstance(outcome, Refused):
            if step.is_commit and outcome.status == _STALE:
                context.warn(f"{asked.what}: somebody else pushes to it; looking again")
                return "somebody else pushes to it all the time"
            raise outcome.fail()
        changes.is_pushed |= step.is_commit
        changes.is_restarted |= step.restarts
        if not isinstance(outcome, Done):
            return str(outcome)
        if step.secret:
            changes.secrets_set.add(step.secret)
    return ""


def _steps(changes: Changes, inputs: State, state: State, owner: str) -> Iterator[Step]:
    """Who may see it first; its files last, since they start it."""
    found = changes.found
    yield from _visibility(found, inputs)
    yield from _hardware(found, inputs)
    yield from _variables(found, inputs, owner)
    yield from _secrets(changes, inputs, state)
    yield from _volumes(found, inputs)
    yield from _files(found, inputs)


def _visibility(found: Record, inputs: State) -> Iterator[Step]:
    id_, wanted = found.id, inputs["visibility"]
    if not found.is_visible_as(wanted):
        yield Step(
            words=f"making it {wanted}",
            call=lambda api: api.update_repo_settings(id_, repo_type="space", visibility=wanted),
            restarts=False,
        )
    group = inputs.get("resourceGroup")
    if group is not None and group != found.group:
        path = f"/api/spaces/{id_}/resource-group"
        yield Step(
            words=f"moving it to the resource group {group}",
            call=hub.post(path, {"resourceGroupId": group}),
            restarts=False,
        )


def _hardware(found: Record, inputs: State) -> Iterator[Step]:
    id_, wanted, sleep_s = found.id, inputs["hardware"], inputs.get("sleepSeconds")
    if found.hardware != wanted:
        yield Step(
            words=f"asking for {wanted}",
            call=lambda api: api.request_space_hardware(id_, wanted, sleep_time=sleep_s),
        )
    elif sleep_s not in (None, found.sleep_s) and wanted != FREE_HARDWARE:
        yield Step(
            words="setting when it sleeps",
            call=lambda api: api.set_space_sleep_time(id_, sleep_s),
            restarts=False,
        )


def _variables(found: Record, inputs: State, owner: str) -> Iterator[Step]:
    wanted = {**inputs.get("variables", {}), OWNER: owner}
    for key, value in wanted.items():
        if found.variables.get(key) != value:
            yield Step(words=f"setting {key}", call=_set("variable", found.id, key, value))
    for key in found.variables.keys() - wanted.keys() - {GUARD}:
        yield Step(words=f"removing {key}", call=_unset("variable", found.id, key))


def _secrets(changes: Changes, inputs: State, state: State) -> Iterator[Step]:
    found, wanted = changes.found, inputs.get("secrets", {})
    for key, value in wanted.items():
        if key not in changes.secrets_set and not is_set(key, value, found, state):
            call = _set("secret", found.id, key, value)
            yield Step(words=f"setting {key}", call=call, secret=key)
    ours_before = state.get("secrets", {}).keys()
    for key in (ours_before - wanted.keys()) & found.secrets_set_at.keys():
        yield Step(words=f"removing {key}", call=_unset("secret", found.id, key))


def is_set(key: str, value: str, found: Record, state: State) -> bool:
    """Whether a secret is known to have this value: written by us, and by nobody since."""
    set_at = found.secrets_set_at.get(key)
    recorded = (state.get("secretsSetAt") or {}).get(key)
    return set_at is not None and recorded == set_at and state.get("secrets", {}).get(key) == value


def _set(kind: str, id_: str, key: str, value: str) -> Call:
    return lambda api: getattr(api, f"add_space_{kind}")(id_, key, value)


def _unset(kind: str, id_: str, key: str) -> Call:
    return lambda api: getattr(api, f"delete_space_{kind}")(id_, key)


def _volumes(found: Record, inputs: State) -> Iterator[Step]:
    wanted = space_record.volumes(inputs.get("volumes", ()))
    if wanted == space_record.volumes(found.runtime.get("volumes") or ()):
        return
    if not wanted:
        yield Step(
            words="unmounting its volumes", call=lambda api: api.delete_space_volumes(found.id)
        )
        return
    yield Step(words="mounting its volumes", call=_mount(found.id, wanted))


def _mount(id_: str, wanted: list[dict[str, Any]]) -> Call:
    def call(api: Any) -> Any:
        from huggingface_hub import Volume

        return api.set_space_volumes(id_, [Volume(**one) for one in wanted])

    return call


def _files(found: Record, inputs: State) -> Iterator[Step]:
    local = space_record.local_files(inputs)
    if local is None:
        return
    difference = repo_files.between(local, found.files)
    if difference:
        call = push(found.id, "space", found.sha, local, difference)
        yield Step(words="pushing its files", call=call, is_commit=True)


def push(
    id_: str, kind: str, parent: str, local: repo_files.Local, difference: Difference
) -> Callable[[Any], Any]:
    """A commit that fails when somebody else has pushed meanwhile."""

    def call(api: Any) -> Any:
        return api.create_commit(
            id_,
            repo_type=kind,
            operations=repo_files.operations(local, difference),
            commit_message=_MESSAGE,
            parent_commit=parent or None,
        )

    return call
