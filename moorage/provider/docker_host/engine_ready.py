"""EngineReady: the truth about a container's engine: it has answered, and holds what was planned.

Docker's own word is not enough: a container counts as running while its model loads, while it
crashes in a loop, and when its engine hangs. So a real request proves it, at every deployment anew.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import Final

from moorage.errors import MoorageError
from moorage.provider.docker_host import condition, engine_wait, labels
from moorage.provider.docker_host.condition import Record
from moorage.provider.docker_host.engine import Engine, reached
from moorage.provider.docker_host.engine_wait import Failed
from moorage.provider.docker_host.faults import Refusal, Unreachable
from moorage.provider.docker_host.ready_shape import SHAPE
from moorage.provider.handler import Context, Created, Found, Handler, State
from moorage.provider.serving import ask, loop
from moorage.provider.serving.loop import TooSmall

_GLANCE_S: Final = 10.0


def create(inputs: State, context: Context) -> Created:
    """Wait until it serves."""
    id_ = f"{inputs['owner']}@{inputs['host']}"
    return Created(id=id_, state=_ready(id_, inputs, {}, context))


def update(id_: str, state: State, inputs: State, context: Context) -> State:
    """Start it again where it was stopped; wait until it serves."""
    return _ready(id_, inputs, state, context)


def read(id_: str, state: State, inputs: State, context: Context) -> Found | None:  # noqa: ARG001
    """How it does now; what is wrong is left to the next `up`, which heals it or says why not."""
    try:
        with reached(state["host"], context) as engine:
            told = _seen(engine, state, context)
    except (Unreachable, Refusal) as silence:
        told = {"drift": str(silence)}
    return Found(state={**state, **told}, inputs=inputs)


def delete(id_: str, state: State, context: Context) -> None:
    """The container is a resource of its own."""


def preview(inputs: State, state: State | None) -> State:
    """The same container serves under the same name."""
    told: State = {"drift": None}
    if state and inputs["containerId"] == state["containerId"]:
        told |= {"servedModel": state["servedModel"]} if state.get("servedModel") else {}
    return told


def _seen(engine: Engine, state: State, context: Context) -> State:
    where = f"{state['container']} on {engine.host}"
    record = engine.inspect(state["containerId"])
    if record is None:
        return {"status": "gone", "drift": f"{where} is gone"}
    drift = condition.drift(record) or _silence(state, where, context)
    return {**_started(record), "drift": drift}


def _silence(state: State, where: str, context: Context) -> str | None:
    """Why a container that runs does not serve; None when it does."""
    timeout_s = min(_GLANCE_S, max(1.0, context.remaining_s()))
    try:
        _asked(state, timeout_s, context.cancelled)
    except MoorageError as why:
        return f"{where} runs and does not serve: {why}"
    return None


def _asked(inputs: State, timeout_s: float, cancelled: threading.Event) -> ask.Answer:
    probe = inputs["probe"]
    return ask.prove(
        inputs["url"],
        inputs.get("key"),
        probe["path"],
        probe.get("body"),
        timeout_s,
        given_up=cancelled.is_set,
    )


# --- ready, or one line on why not


def _ready(id_: str, inputs: State, state: State, context: Context) -> State:
    context.exists(id_, _told(inputs, state, {}))
    with reached(inputs["host"], context) as engine:
        try:
            told = _proven(engine, inputs, state, context)
            context.exists(id_, told)
            loop.close(told, f"{inputs['container']} on {engine.host}", context)
        except (Failed, TooSmall):
            if inputs["blueGreen"]:
                _stop(engine, inputs)
            raise
        return told


def _proven(engine: Engine, inputs: State, state: State, context: Context) -> State:
    record = _ours(engine, inputs)
    if inputs["containerId"] == state.get("containerId"):
        record = _woken(engine, inputs, record, context)
    # One that is new and does not run has failed already: it is not tried again in the same run.
    answer = engine_wait.until_ready(engine, inputs, int(record["RestartCount"]), context)
    _remember(engine, inputs)
    where = f"{inputs['container']} on {engine.host}"
    facts = {"servedModel": answer.model, **loop.told(inputs["url"], inputs, where, context)}
    return _told(inputs, state, facts | _started(engine.inspect(record["Id"]) or record))


def _ours(engine: Engine, inputs: State) -> Record:
    where = f"{inputs['container']} on {engine.host}"
    record = engine.inspect(inputs["containerId"])
    if record is None:
        raise engine_wait.gone(where)
    owner = (record["Config"]["Labels"] or {}).get(labels.OWNER)
    if owner != inputs["owner"]:
        whose = f"belongs to {owner}" if owner else "is not of moorage"
        message = f"{where} {whose}; declare the container that is ours"
        raise MoorageError(message)
    return record


def _woken(engine: Engine, inputs: State, record: Record, context: Context) -> Record:
    """Have a container that was stopped, paused or has ended run again."""
    name = inputs["container"]
    if condition.status(record) == "paused":
        context.warn(f"{name} on {engine.host} was paused; it goes on")
        engine.unpause(record["Id"], name)
    elif condition.status(record) in ("created", "exited", "dead"):
        context.warn(f"{name} on {engine.host} {condition.ended(record)}; it is started again")
        engine.start(record["Id"], f"starting {name}")
    return engine.inspect(record["Id"]) or record


def _remember(engine: Engine, inputs: State) -> None:
    """Tell a later change that this one has served, where the container takes the mark."""
    try:
        if not engine.is_marked(inputs["containerId"]):
            engine.mark(inputs["containerId"])
    except Refusal:
        return  # its files are read-only


def _stop(engine: Engine, inputs: State) -> None:
    """A new container that has failed beside an old one shall hold no GPU."""
    with suppress(Unreachable, Refusal):
        record = engine.inspect(inputs["containerId"])
        if record is not None and condition.status(record) in ("running", "restarting"):
            engine.stop(record["Id"], inputs["container"])


# --- what is told


def _told(inputs: State, state: State, facts: State) -> State:
    """All that state keeps; what was known of the same container stays known."""
    before = state if inputs["containerId"] == state.get("containerId") else {}
    outputs = {name: facts.get(name, before.get(name)) for name in SHAPE.outputs}
    return {**inputs, **outputs, "drift": None}


def _started(record: Record) -> State:
    return {"status": condition.status(record), "startedAt": record["State"]["StartedAt"]}


HANDLER: Final = Handler(
    shape=SHAPE,
    create=create,
    read=read,
    update=update,
    delete=delete,
    preview=preview,
    needs=("docker",),
)
