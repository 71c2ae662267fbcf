"""InferenceEndpoint: a model on hardware of its own at Hugging Face, proven by a real request."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Final

from moorage.errors import MoorageError
from moorage.provider.handler import Change, Context, Created, Found, Handler, State
from moorage.provider.hugging_face import client, things
from moorage.provider.hugging_face.client import Record
from moorage.provider.hugging_face.endpoints import (
    endpoint_drift,
    endpoint_inputs,
    endpoint_owner,
    endpoint_place,
    endpoint_price,
    endpoint_probe,
    endpoint_proof,
    endpoint_shape,
    endpoint_state,
    endpoint_wait,
    endpoint_writes,
)
from moorage.provider.hugging_face.endpoints.endpoint_place import Place
from moorage.provider.hugging_face.endpoints.endpoint_probe import Door
from moorage.provider.hugging_face.endpoints.endpoint_shape import SHAPE
from moorage.provider.hugging_face.endpoints.endpoint_states import Since
from moorage.provider.hugging_face.endpoints.endpoint_wait import Ready

_DROPPABLE: Final = ("revision", "scaleToZeroMinutes", "scalingMetric")
# Maps beside whose members the service fills in its own, so that no look tells what was dropped.
_SHARED: Final = (
    *("engineOptions", "customRouter", "notifications", "experimentalFeatures", "network"),
)
_FAILED: Final = frozenset({"failed", "updateFailed"})
# About the deployment and not about the endpoint: nothing has to be done when these change.
_HARMLESS: Final = frozenset({"readyTimeoutSeconds"})
_HARMLESS_WHEN_NEW: Final = frozenset({"owner", "probe"})


def diff(changes: list[Change], old: State, new: State) -> list[Change]:
    """What an imported endpoint could not tell, and what is left open, is no change."""
    before, now = (endpoint_inputs.own_options(one) for one in map(_options, (old, new)))
    told = [c for c in changes if not _is_nothing(c, same_options=before == now)]
    return things.besides(told, {"namespace"})


def _options(inputs: State) -> State:
    options = inputs.get("engineOptions")
    return options if isinstance(options, dict) else {"all": options}


def _is_nothing(change: Change, *, same_options: bool) -> bool:
    root = change.path.split(".", maxsplit=1)[0].split("[", maxsplit=1)[0]
    if root == "engineOptions":
        return same_options
    if change.path in endpoint_drift.LEFT_OPEN:
        return change.kind == "delete"
    return root in _HARMLESS or (root in _HARMLESS_WHEN_NEW and change.kind == "add")


def create(inputs: State, context: Context) -> Created:
    """Adopt what is ours already, or ask for it once; then wait until it serves."""
    place = endpoint_place.declared(inputs, context)
    found = place.look(context)
    if found is None:
        state = _made(place, inputs, context)
    else:
        place.refuse_foreign(found)
        state = _as_declared(place, inputs, found, {}, context)
    return Created(id=place.id, state=state)


def read(id_: str, state: State, inputs: State, context: Context) -> Found | None:
    """Look at it; what differs from its inputs is told field by field."""
    place = endpoint_place.known(id_, state, inputs, context)
    found = place.look_twice(context)
    if found is None:
        return None
    if not inputs:
        return _imported(place, found, context)
    usd = _usd(place, inputs, state, context, is_fresh=True)
    told = endpoint_state.known(place, inputs, found, state, usd)
    told["drift"] = endpoint_drift.sentence(found, place.account, inputs, place.whose(found))
    told["ownedBy"] = state.get("ownedBy")
    if not place.is_ours(found):
        told["createdAt"] = state.get("createdAt")  # of ours, which this one is not
    return Found(state=told, inputs=inputs)


def update(id_: str, state: State, inputs: State, context: Context) -> State:
    """Make it as declared, from whatever it is now; nothing is written when it is so already."""
    place = endpoint_place.known(id_, state, inputs, context)
    found = place.look_twice(context)
    if found is None:
        raise things.gone(id_)
    place.refuse_foreign(found)
    things.refuse_move(place.id, place.account, inputs, state)
    return _as_declared(place, inputs, found, state, context)


def delete(id_: str, state: State, context: Context) -> None:
    """End it, if it is ours; what is somebody else's by now is left alone."""
    place = endpoint_place.known(id_, state, {}, context)
    found = place.look_twice(context)
    if found is None:
        return
    if place.is_ours(found):
        endpoint_writes.delete(place, context)
    else:
        whose = endpoint_owner.described(found)
        context.warn(f"{id_} {whose} and is left as it is, with all that it costs")


def locate(inputs: State, context: Context) -> str | None:
    """The id of what an interrupted create left behind, or a delete has not ended."""
    place = endpoint_place.declared(inputs, context)
    found = place.look_twice(context)
    return place.id if found is not None and place.is_ours(found) else None


# --- made, or made so


@dataclass(frozen=True, kw_only=True, slots=True)
class _Work:
    """An endpoint to be made as its inputs say; `before` is what state knew of it."""

    place: Place
    inputs: State = field(repr=False)
    before: State = field(repr=False)
    usd: float | None
    context: Context

    def told(self, found: Record) -> State:
        """What state is to know of it."""
        return endpoint_state.known(self.place, self.inputs, found, self.before, self.usd)

    def exists(self, found: Record) -> None:
        """From here on it is in state as it is declared."""
        self.context.exists(self.place.id, self.told(found))


def _made(place: Place, inputs: State, context: Context) -> State:
    """A new one. Its price is read first: what nobody knows the price of is not begun."""
    rows = endpoint_price.catalogue(place.service, place.account, context)
    usd = endpoint_price.offered(rows, inputs).usd
    doubtful = endpoint_state.doubtful(place, inputs)
    found, is_new = endpoint_writes.make(
        place, inputs, lambda: context.exists(place.id, doubtful), context
    )
    if not is_new:
        return _as_declared(place, inputs, found, {}, context)
    work = _Work(place=place, inputs=inputs, before={}, usd=usd, context=context)
    work.exists(found)
    endpoint_proof.check_type(place, inputs, found, context)
    return _finished(work, found, Since())


def _as_declared(
    place: Place, inputs: State, found: Record, state: State, context: Context
) -> State:
    """One that is there: changed where it differs, resumed or paused as declared."""
    endpoint_proof.check_fixed(place, inputs, found)
    usd = _usd(place, inputs, state, context)
    work = _Work(place=place, inputs=inputs, before=state, usd=usd, context=context)
    if not state:
        # Its secrets are not there yet: what state does not know of is written by the next run.
        replace(work, inputs=endpoint_inputs.readable(inputs)).exists(found)
    if not _differs(place, inputs, found, state):
        return _finished(work, found, Since())
    found = endpoint_writes.change(place, inputs, found, state, context)
    work.exists(found)
    endpoint_proof.check_type(place, inputs, found, context)
    return _finished(work, found, _since(found))


def _finished(work: _Work, found: Record, since: Since) -> State:
    """At rest when it shall rest, or proven to serve."""
    place, context = work.place, work.context
    work.exists(found)
    rests = found["status"]["state"] == "paused"
    if work.inputs["paused"]:
        return work.told(found if rests else endpoint_writes.pause(place, context))
    if rests and endpoint_owner.is_guarded(found):
        context.warn(f"{place.id} was paused by the budget guard and stays so")
        return work.told(found)
    if rests:
        context.warn(f"{place.id} was paused; it is declared to run, and is resumed")
        since = _since(endpoint_writes.resume(place, context))
    may_sleep = _has_served(work.inputs, work.before)
    ready = endpoint_wait.until_ready(place, work.inputs, since, context, may_sleep=may_sleep)
    return _proven(work, ready)


def _since(found: Record) -> Since:
    """What was before this answer does not count."""
    return Since(updated_at=str(found["status"].get("updatedAt") or "") or None)


def _proven(work: _Work, ready: Ready) -> State:
    told = work.told(ready.record)
    if ready.proof is None:
        return {**told, "servedModel": told["servedModel"] or work.inputs["repository"]}
    if ready.verdict.kind == "asleep":
        hourly_usd = endpoint_state.hourly_usd(work.usd, 1, "running")
        told |= {"status": "running", "hourlyUsd": hourly_usd}
    told["servedModel"] = ready.proof.model
    if work.inputs["checkAccess"]:
        work.context.exists(work.place.id, told)
        endpoint_proof.check_access(work.place, work.inputs, ready, work.context)
    return told


def _differs(place: Place, inputs: State, found: Record, state: State) -> bool:
    """Whether anything has to be written; what cannot be read back is compared with the state."""
    differing = endpoint_drift.differences(found, place.account, inputs)
    hidden = [name for name in endpoint_inputs.UNREADABLE if inputs.get(name) != state.get(name)]
    failed = found["status"]["state"] in _FAILED
    is_marked = place.has_our_mark(found)
    dropped = any(_dropped(inputs, state))
    return bool(set(differing) - {"paused"} or dropped or hidden or failed or not is_marked)


def _dropped(inputs: State, state: State) -> Iterator[str]:
    """What was declared before, and would stay as it was declared."""
    yield from (name for name in _DROPPABLE if name in state and name not in inputs)
    for name in _SHARED:
        before, now = state.get(name), inputs.get(name)
        if name == "engineOptions":
            before, now = (endpoint_inputs.own_options(one or {}) for one in (before, now))
        if isinstance(before, dict) and isinstance(now, dict) and before.keys() - now.keys():
            yield name


def _has_served(inputs: State, state: State) -> bool:
    """Whether it has answered before as what it is declared to be."""
    return bool(state.get("servedModel")) and endpoint_state.serves_alike(inputs, state)


# --- what is told


def _usd(
    place: Place, inputs: State, state: State, context: Context, *, is_fresh: bool = False
) -> float | None:
    """The price of what is there already; as it was known, while it is the same instance."""
    before: float | None = state.get("pricePerHour")
    same = endpoint_state.has_same_instance(inputs, state)
    if before is not None and same and not is_fresh:
        return before
    try:
        rows = endpoint_price.catalogue(place.service, place.account, context)
    except MoorageError as error:
        context.warn(f"{place.id}: its price is not known now: {error}")
        return before if same else None
    return endpoint_price.usd_per_hour(rows, inputs)


def _imported(place: Place, found: Record, context: Context) -> Found:
    """What would declare it; an owner that follows from the URN need not be declared."""
    marked = endpoint_owner.owner(found)
    owner = marked if marked != things.owner_by(context.urn) else None
    inputs = endpoint_inputs.imported(found, place.account, owner)
    usd = _usd(place, inputs, {}, context)
    told = endpoint_state.known(place, inputs, found, {}, usd)
    told |= {
        "ownedBy": marked,
        "isImported": not endpoint_owner.is_marked(found),
        "servedModel": _served(found, inputs, context),
    }
    return Found(id=place.id, state=told, inputs=inputs)


def _served(found: Record, inputs: State, context: Context) -> Any:
    """The name that it serves under, if it answers now; waking it is nobody's wish."""
    status = found["status"]
    if status["state"] != "running" or not status.get("url"):
        return None
    door = Door(url=str(status["url"]), token=client.calling_token())
    return endpoint_probe.served(door, inputs, context)


HANDLER: Final = Handler(
    shape=SHAPE,
    create=create,
    read=read,
    delete=delete,
    update=update,
    check=endpoint_shape.check,
    diff=diff,
    preview=endpoint_state.foreseen,
    locate=locate,
    needs=("huggingface_hub.hf_api",),
)
