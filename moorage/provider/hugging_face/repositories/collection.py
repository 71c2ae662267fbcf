"""Collection: models, datasets, Spaces and papers of the Hub, in order and with notes."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any, Final

from moorage.errors import Exit, MoorageError
from moorage.provider.handler import Change, Context, Created, Found, Handler, State
from moorage.provider.hugging_face import hub, things
from moorage.provider.hugging_face.client import Refused
from moorage.provider.hugging_face.faults import Asked
from moorage.provider.hugging_face.hub import Call, Done, Hub
from moorage.provider.hugging_face.repositories import collection_record, collection_shape
from moorage.provider.hugging_face.repositories.collection_record import SCOPE, Record

_MAY_BE_ABSENT: Final = frozenset({"owner", "namespace"})
_ROUNDS: Final = 5
_PAUSE_S: Final = 0.5
_LOOKS_S: Final = (0.0, 0.3, 1.0, 3.0)
_CONFLICT: Final = 409


def preview(inputs: State, state: State | None) -> State:
    """Where it will be is told by the Hub alone."""
    return things.foreseen(inputs, state, "url")


def diff(changes: list[Change], _old: State, _new: State) -> list[Change]:
    """What is filled in by what is there does not differ from what is left out."""
    return things.besides(changes, _MAY_BE_ABSENT)


def create(inputs: State, context: Context) -> Created:
    """Make it, or adopt the one of this title that is ours already."""
    at, owner = hub.hub(), things.owner_of(inputs, context)
    account = things.account_of(inputs, context)
    found = _made(inputs, account, owner, at, context)
    if found.mark != collection_record.mark_of(owner):
        whose = "belongs to another stack" if found.mark else "was not made by moorage"
        message = f"collection {found.id} has this title already and {whose}"
        message += "; choose another title, or import it"
        raise MoorageError(message, exit_code=Exit.NEEDS_PERSON)
    return Created(id=found.id, state=_bring(found, inputs, {}, owner, at, context))


def _made(inputs: State, account: str, owner: str, at: Hub, context: Context) -> Record:
    """The Hub itself refuses a second one of the same title, and then tells the first."""
    what = f"collection {inputs['title']!r} of {account}"
    asked = at.asked(what, account, SCOPE)
    body = {
        "title": inputs["title"],
        "namespace": account,
        "private": inputs["visibility"] == "private",
        "description": collection_record.marked(collection_record.described(inputs), owner),
    }
    context.progress(f"creating {what}")
    outcome = hub.write(at, asked, hub.post("/api/collections", body), context)
    if isinstance(outcome, Refused) and outcome.status != _CONFLICT:
        raise outcome.fail()
    slug = _slug(outcome)
    steady = context.steady()  # what was made is known to be there before anybody stops
    for pause_s in _LOOKS_S:
        steady.pause(pause_s)
        found = collection_record.look(at, slug, steady) if slug else None
        found = found or next(collection_record.named(at, account, inputs["title"], steady), None)
        if found is not None:
            return found
    why = "it is not to be seen" if isinstance(outcome, (Done, Refused)) else str(outcome)
    message = f"{what}: {why}; run up again, it takes on what is there by then"
    raise MoorageError(message, exit_code=Exit.UNANSWERED)


def _slug(outcome: Any) -> str:
    """As a good answer or a conflict tells it."""
    told: Any = outcome.value if isinstance(outcome, Done) else None
    if isinstance(outcome, Refused):
        with suppress(ValueError):
            told = json.loads(outcome.answer.text)
    slug = told.get("slug") if isinstance(told, dict) else None
    return slug if isinstance(slug, str) else ""


def read(id_: str, state: State, inputs: State, context: Context) -> Found | None:
    """What is there by its id alone."""
    at = hub.hub()
    found = collection_record.look(at, id_, context)
    if found is None or (state and not _is_ours(found, state, inputs, context)):
        return None
    outputs = collection_record.outputs(found, at)
    if not inputs:
        told = collection_record.declared(found)
        told_of_it = {"isImported": found.mark is None, "drift": None}
        return Found(state={**told, **outputs, **told_of_it}, inputs=told)
    is_imported = bool(state.get("isImported"))
    drift = collection_record.drift(inputs, found, is_imported=is_imported)
    return Found(state={**state, **outputs, "drift": drift}, inputs=inputs)


def update(id_: str, state: State, inputs: State, context: Context) -> State:
    """Make it as declared; when it is so already, nothing is written."""
    at = hub.hub()
    found = things.there(collection_record.look(at, id_, context), f"collection {id_}")
    owner = things.owner_of(inputs, context)
    if not _is_ours(found, state, inputs, context):
        message = f"collection {id_} belongs to another stack by now; choose another title"
        raise MoorageError(message, exit_code=Exit.NEEDS_PERSON)
    things.refuse_move(f"collection {id_}", id_.partition("/")[0], inputs, state)
    return _bring(found, inputs, state, owner, at, context)


def delete(id_: str, state: State, context: Context) -> None:
    """Take it away; what it holds stays, and so does what is not ours."""
    at = hub.hub()
    asked = at.asked(f"collection {id_}", id_.partition("/")[0], SCOPE)
    for _ in range(things.TRIES):
        found = collection_record.look(at, id_, context)
        if found is None:
            return
        if not _is_ours(found, state, state, context):
            things.leave_foreign(asked.what, found.mark and "another stack", context)
            return
        things.settled(
            hub.write(at, asked, lambda api: api.delete_collection(id_, missing_ok=True), context)
        )
        if collection_record.look(at, id_, context) is None:
            return
        context.pause(_PAUSE_S)
    raise things.still_there(asked.what)


def locate(inputs: State, context: Context) -> str | None:
    """The id of what an interrupted create left behind."""
    at = hub.hub()
    account = things.account_of(inputs, context)
    mark = collection_record.mark_of(things.owner_of(inputs, context))
    found = collection_record.named(at, account, inputs["title"], context)
    return next((one.id for one in found if one.mark == mark), None)


def _is_ours(found: Record, state: State, inputs: State, context: Context) -> bool:
    """Marked as ours now, or as it was when it came into the stack."""
    marks = {
        state.get("mark"),
        collection_record.mark_of(things.owner_of(inputs, context)),
        collection_record.mark_of(things.owner_of(state, context)),
    }
    # Its slug ends in an id that no other has: without any mark it is the same all the same.
    return things.is_ours(found.mark, marks, state, is_same=lambda: bool(state))


def _bring(
    found: Record, inputs: State, state: State, owner: str, at: Hub, context: Context
) -> State:
    def told(one: Record) -> State:
        more = {"isImported": bool(state.get("isImported")), "drift": None}
        return {**inputs, **collection_record.outputs(one, at), **more}

    context.exists(found.id, told(found))
    asked = at.asked(f"collection {found.id}", found.id.partition("/")[0], SCOPE)
    lost = ""
    for _ in range(_ROUNDS):
        steps = collection_record.steps(inputs, found, owner)
        if not steps:
            return told(found)
        if lost:
            context.pause(_PAUSE_S)
        lost = _write(steps, asked, at, context)
        found = things.still(collection_record.look(at, found.id, context), asked.what)
    if not collection_record.steps(inputs, found, owner):
        return told(found)
    message = f"{asked.what}: {lost or 'the Hub keeps it as it was'}; run up again"
    raise MoorageError(message, exit_code=Exit.UNANSWERED)


def _write(steps: list[Call], asked: Asked, at: Hub, context: Context) -> str:
    """Do the steps until an answer is lost; what was lost is looked for before the rest."""
    for step in steps:
        outcome = hub.write(at, asked, step, context)
        if not things.settled(outcome):
            return str(outcome)
    return ""


HANDLER: Final = Handler(
    shape=collection_shape.SHAPE,
    create=create,
    read=read,
    update=update,
    delete=delete,
    check=collection_shape.check,
    diff=diff,
    preview=preview,
    locate=locate,
    needs=("huggingface_hub.hf_api",),
)
