"""Space: an app on the Hub, made from files, set before its first start, and proven to answer."""

from __future__ import annotations

from typing import Final

from moorage import login
from moorage.errors import Exit, MoorageError
from moorage.provider.handler import Change, Context, Created, Found, Handler, State
from moorage.provider.hugging_face import client, hub, things
from moorage.provider.hugging_face.hub import Done, Hub
from moorage.provider.hugging_face.spaces import (
    space_change,
    space_make,
    space_record,
    space_shape,
    space_wait,
)
from moorage.provider.hugging_face.spaces.space_record import Record
from moorage.provider.hugging_face.spaces.space_shape import SHAPE

_MADE_UP: Final = "hf_thisTokenWasMadeUpToBeTurnedAway"
_GONE_PAUSE_S: Final = 0.5
# Inputs that need not be declared: what is there fills them in, and that is no change.
_MAY_BE_ABSENT: Final = frozenset({"owner", "namespace", "region", "sleepSeconds"})
_DELETING: Final = "DELETING"


def preview(inputs: State, state: State | None) -> State:
    """Where it will be, and what it goes on to cost; the rest is told by the Hub."""
    told = things.foreseen(inputs, state, "url", "appUrl")
    if state is None or inputs.get("hardware") != state.get("hardware"):
        return told
    price, rests = state.get("pricePerHour"), inputs.get("paused")
    if rests is False and not state.get("paused"):
        return told | {"pricePerHour": price, "hourlyUsd": state.get("hourlyUsd")}
    return told | {"pricePerHour": price} | ({"hourlyUsd": 0} if rests is True else {})


def diff(changes: list[Change], _old: State, _new: State) -> list[Change]:
    """What is filled in by what is there does not differ from what is left out."""
    return things.besides(changes, _MAY_BE_ABSENT)


def create(inputs: State, context: Context) -> Created:
    """Adopt what is ours already, or make it; then bring it to what is declared."""
    at = hub.hub()
    id_ = f"{things.account_of(inputs, context)}/{inputs['name']}"
    owner = things.owner_of(inputs, context)
    price = _price(inputs, at, context)
    known: State = {}
    found = space_record.look(at, id_, context)
    if found is None:
        found, known = space_make.make(id_, inputs, owner, at=at, context=context)
    things.refuse_foreign(f"Space {id_}", found.mark, owner)
    return Created(id=id_, state=_bring(found, inputs, known, owner, price, at, context))


def read(id_: str, state: State, inputs: State, context: Context) -> Found | None:
    """What is there by its id alone; files and secrets are told by digest and date only."""
    at = hub.hub()
    found = space_record.look(at, id_, context)
    if found is None or found.stage == _DELETING:
        return None
    if state and not _is_ours(found, state, inputs, at, context):
        return None  # another one took its place
    told = space_record.declared(found)
    prices = space_record.prices(at, context) or {}
    price = prices.get(found.hardware, state.get("pricePerHour"))
    outputs = space_record.outputs(found, at, price)
    if not inputs:
        is_imported = found.mark is None
        return Found(
            state={**told, **outputs, "isImported": is_imported, "drift": None}, inputs=told
        )
    drift = space_record.drift(inputs, state, found)
    if found.is_guarded:
        context.warn(f"Space {id_}: the budget guard has paused it")
    kept = {name: state.get(name) for name in ("isImported", "secretsSetAt")}
    return Found(state={**state, **outputs, **kept, "drift": drift}, inputs=inputs)


def update(id_: str, state: State, inputs: State, context: Context) -> State:
    """Make it as declared; when it is so already, nothing is written."""
    at = hub.hub()
    found = things.there(space_record.look(at, id_, context), f"Space {id_}")
    owner = things.owner_of(inputs, context)
    if not _is_ours(found, state, inputs, at, context):
        things.refuse_foreign(f"Space {id_}", found.mark, owner)
    things.refuse_move(f"Space {id_}", id_.partition("/")[0], inputs, state)
    price = _price(inputs, at, context)
    return _bring(found, inputs, state, owner, price, at, context)


def delete(id_: str, state: State, context: Context) -> None:
    """Take it away and wait until it is gone; what is not ours stays."""
    at = hub.hub()
    asked = at.asked(f"Space {id_}", id_.partition("/")[0])
    found = space_record.look(at, id_, context)
    if found is None:
        return
    if not _is_ours(found, state, state, at, context):
        things.leave_foreign(asked.what, found.mark, context)
        return
    for _ in range(things.TRIES):
        outcome = hub.write(at, asked, lambda api: api.delete_repo(id_, repo_type="space"), context)
        if isinstance(outcome, client.Refused) and outcome.status == hub.NOT_FOUND:
            return
        things.settled(outcome)
        while (found := space_record.look(at, id_, context)) and found.stage == _DELETING:
            context.progress(f"waiting for Space {id_} to go")
            context.pause(_GONE_PAUSE_S)
        if found is None:
            return
        context.pause(_GONE_PAUSE_S)
    raise things.still_there(asked.what)


def locate(inputs: State, context: Context) -> str | None:
    """The id of what an interrupted create left behind."""
    at = hub.hub()
    id_ = f"{things.account_of(inputs, context)}/{inputs['name']}"
    found = space_record.look(at, id_, context)
    return id_ if found and found.mark == things.owner_of(inputs, context) else None


def _is_ours(found: Record, state: State, inputs: State, at: Hub, context: Context) -> bool:
    def is_same() -> bool:
        asked = at.asked(f"Space {found.id}", found.id.partition("/")[0])
        return things.has_commit(at, asked, "space", found.id, state.get("sha"), context)

    owners = things.owner_of(inputs, context), things.owner_of(state, context)
    return things.is_ours(found.mark, owners, state, is_same=is_same)


def _price(inputs: State, at: Hub, context: Context) -> float | None:
    """Dollars an hour; hardware that nobody sells is refused before anything is made."""
    known = space_record.prices(at, context)
    wanted = inputs["hardware"]
    if known and wanted not in known:
        names = ", ".join(sorted(known, key=lambda name: (known[name], name)))
        message = f"hardware {wanted}: Spaces have no such; there are {names}"
        raise MoorageError(message)
    if known is None:
        context.warn(f"what {wanted} costs is not known: the Hub does not tell its prices now")
    return known.get(wanted) if known else None


def _bring(
    found: Record,
    inputs: State,
    state: State,
    owner: str,
    price: float | None,
    at: Hub,
    context: Context,
) -> State:
    """From whatever it is to what is declared, its state told before every long wait."""
    # Secrets that are declared no more are in state until they are taken away.
    secrets = {**state.get("secrets", {}), **inputs.get("secrets", {})}
    begun = {**inputs, "secrets": secrets} if secrets else inputs
    context.exists(found.id, _state(found, begun, state, at, price))
    changes = space_change.bring(found, inputs, state, owner, at=at, context=context)
    sure = {**state, **inputs, "secretsSetAt": changes.found.secrets_set_at}
    context.exists(found.id, _state(changes.found, inputs, sure, at, price))
    _start_or_stop(changes, inputs, at, context)
    found = space_record.look(at, found.id, context) or changes.found
    return _state(found, inputs, sure, at, price)


def _state(found: Record, inputs: State, state: State, at: Hub, price: float | None) -> State:
    """The outputs; a secret counts as set only where it is known to be."""
    given = inputs.get("secrets", {})
    sure = {
        key: found.secrets_set_at[key]
        for key, value in given.items()
        if space_change.is_set(key, value, found, state)
    }
    return {
        **inputs,
        **space_record.outputs(found, at, price),
        "secretsSetAt": sure,
        "isImported": bool(state.get("isImported")),
        "drift": None,
    }


def _start_or_stop(changes: space_change.Changes, inputs: State, at: Hub, context: Context) -> None:
    """Have it stand still, or serve and turn strangers away."""
    found = changes.found
    asked = at.asked(f"Space {found.id}", found.id.partition("/")[0])
    if inputs["paused"]:
        if found.stage != "PAUSED":
            things.settled(hub.write(at, asked, lambda api: api.pause_space(found.id), context))
        return
    if found.is_guarded:
        context.warn(f"{asked.what}: the budget guard has paused it; it is left so")
        return
    if found.stage == "PAUSED":
        context.warn(f"{asked.what}: somebody had paused it; it is declared to run, so it starts")
        things.settled(hub.write(at, asked, lambda api: api.restart_space(found.id), context))
    is_changed = (changes.is_restarted and inputs["sdk"] != "static") or found.stage == "PAUSED"
    space_wait.until_serving(
        found.id, found.app_url, inputs, is_changed=is_changed, at=at, context=context
    )
    _prove_closed(found, inputs, at, context)


def _prove_closed(found: Record, inputs: State, at: Hub, context: Context) -> None:
    """A private app that lets strangers in is stopped at once."""
    if inputs["visibility"] != "private" or not inputs["checkAccess"]:
        return
    strangers = {"somebody without a token": None, "a made-up token": _MADE_UP}
    if foreign := login.foreign_token():
        strangers["the token of another account"] = foreign
    url = found.app_url + inputs["readyPath"]
    for who, token in strangers.items():
        is_open = space_wait.open_to(url, token, context)
        if is_open is None:
            context.warn(f"Space {found.id}: whether {who} gets in cannot be told; run up again")
        if is_open:
            asked = at.asked(f"Space {found.id}", found.id.partition("/")[0])
            outcome = hub.write(at, asked, lambda api: api.pause_space(found.id), context)
            done = "it was paused" if isinstance(outcome, Done) else "pause it at once"
            message = f"Space {found.id}: it is private, and {who} gets in; {done}"
            raise MoorageError(message, exit_code=Exit.NEEDS_PERSON)


HANDLER: Final = Handler(
    shape=SHAPE,
    create=create,
    read=read,
    update=update,
    delete=delete,
    check=space_shape.check,
    diff=diff,
    preview=preview,
    locate=locate,
    needs=("huggingface_hub.hf_api",),
)
