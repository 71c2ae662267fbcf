"""ContainerSlot: where a container goes on its Docker host, proven before the old one goes.

Nothing of it lasts on the host: it is a choice, kept in state and told to the container. So the
container's own resource may replace it without looking: the host is reached, its port is free, its
GPUs are there. What a change of the container costs is said in the preview: downtime, where the old
one goes before the new one; or nothing, where both stand side by side and blueGreen is on.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Final

from moorage.errors import MoorageError
from moorage.provider.docker_host import hosts, places, proof
from moorage.provider.docker_host.engine import Container, Engine, reached
from moorage.provider.docker_host.faults import Refusal, Unreachable
from moorage.provider.docker_host.places import NoneFree, Place
from moorage.provider.docker_host.proof import Asked, PortTaken
from moorage.provider.docker_host.slot_shape import SHAPE, check
from moorage.provider.handler import Context, Created, Found, Handler, State
from moorage.provider.values import has_unknown

_MOST_PORTS: Final = 16  # tried before the host is told to be full
_REMOVED: Final = "was removed from"
_DECIDING: Final = ("digest", "address", "devices", "blueGreen")


def create(inputs: State, context: Context) -> Created:
    """Choose and prove; what a run that was killed has left of that is swept."""
    id_ = f"{inputs['owner']}/{inputs['service']}@{inputs['host']}"
    return Created(id=id_, state=_settled(inputs, {}, context))


def update(id_: str, state: State, inputs: State, context: Context) -> State:  # noqa: ARG001
    """Keep the place, or choose another one; then prove it."""
    return _settled(inputs, state, context)


def read(id_: str, state: State, inputs: State, context: Context) -> Found | None:  # noqa: ARG001
    """Whether the container is where it should be; a host that is silent may be back soon."""
    try:
        with reached(state["host"], context) as engine:
            drift = _drift(state, engine)
    except (Unreachable, Refusal) as silence:
        drift = str(silence)
    return Found(state={**state, "drift": drift}, inputs=inputs)


def delete(id_: str, state: State, context: Context) -> None:
    """Nothing lasts on the host but what a killed run has left of a proof."""
    try:
        with reached(state["host"], context) as engine:
            proof.sweep(engine, state)
    except (Unreachable, Refusal) as silence:
        context.warn(f"{id_} is forgotten without a last look: {silence}")


def _drift(state: State, engine: Engine) -> str | None:
    found = next((one for one in engine.containers() if one.name == state["name"]), None)
    if found is None:
        return f"{state['name']} {_REMOVED} {engine.host}"
    if not found.is_of(state["owner"], state["service"]):
        return f"{state['name']} on {engine.host} {_whose(found)}"
    return None


def _whose(one: Container) -> str:
    return f"belongs to {one.owner}" if one.owner else "is not of moorage"


def _settled(inputs: State, state: State, context: Context) -> State:
    with reached(inputs["host"], context) as engine:
        there = proof.sweep(engine, inputs)
        place = _place(engine, inputs, state, there, context)
        _refuse_foreign(engine, inputs, place, there)
        _refuse_rivals(inputs, place, there, context)
        port = _port(engine, inputs, place, there, _candidates(inputs, state, place, there))
        return {
            **inputs,
            "name": place.name,
            "port": port,
            "deviceIds": [*place.device_ids],
            "generation": _generation(state),
            "runtime": f"Docker {engine.version}",
            "drift": None,
        }


def _place(
    engine: Engine, inputs: State, state: State, there: Sequence[Container], context: Context
) -> Place:
    """A place; one is made free where a change that was given up holds it."""
    try:
        return places.choose(inputs, state, there)
    except NoneFree:
        given_up = _given_up(engine, inputs, there)
        if not given_up:
            raise
    for one in given_up:
        context.warn(f"{one.name} has never served and is stopped for the container after it")
        engine.stop(one.id, one.name)
    running = [one for one in there if one not in given_up]
    return places.choose(inputs, state, [*running, *map(places.stopped, given_up)])


def _given_up(engine: Engine, inputs: State, there: Sequence[Container]) -> list[Container]:
    """Running containers of ours that have never served, beside one that has."""
    ours = [one for one in there if one.is_of(inputs["owner"], inputs["service"])]
    running = [one for one in ours if one.is_running]
    unproven = [one for one in running if not engine.is_marked(one.id)]
    return unproven if len(unproven) < len(running) else []


def _refuse_foreign(
    engine: Engine, inputs: State, place: Place, there: Sequence[Container]
) -> None:
    for one in there:
        if one.name == place.name and not one.is_of(inputs["owner"], inputs["service"]):
            message = f"{one.name} on {engine.host} {_whose(one)}; choose another `service`"
            raise MoorageError(message)


def _refuse_rivals(
    inputs: State, place: Place, there: Sequence[Container], context: Context
) -> None:
    for one in places.rivals(inputs, place, there):
        both = ", ".join(sorted(set(one.device_ids) & set(place.device_ids)))
        held = f"{inputs['service']}: GPU {both} of {inputs['host']} is held by {one.name}"
        if not places.is_of_same_stack(inputs, one):
            message = f"{held} of {one.owner}; give it other GPUs"
            raise MoorageError(message)
        context.warn(f"{held} of this stack; they share it until that one goes")


def _candidates(
    inputs: State, state: State, place: Place, there: Sequence[Container]
) -> Iterable[int]:
    """Ports in the order of trying; a fixed one is all that there is to try."""
    if "port" in inputs:
        return [inputs["port"]]
    taken = {port for one in there if not _is_own(inputs, place, one) for port in one.ports}
    free = islice(places.ports(inputs, taken), _MOST_PORTS)
    if place.is_new:
        return free
    own = [port for one in there if _is_own(inputs, place, one) for port in sorted(one.ports)]
    kept = [port for port in [*_of(state), *own] if port not in taken][:1]
    return [*kept, *free]


def _of(state: State) -> list[int]:
    return [state["port"]] if state else []


def _is_own(inputs: State, place: Place, one: Container) -> bool:
    return one.name == place.name and one.is_of(inputs["owner"], inputs["service"])


def _port(
    engine: Engine,
    inputs: State,
    place: Place,
    there: Sequence[Container],
    candidates: Iterable[int],
) -> int:
    """The first port that can be bound; the container's own is free once that goes."""
    running = [one for one in there if one.is_running and _is_own(inputs, place, one)]
    own = {port for one in running for port in one.ports}
    for port in candidates:
        try:
            _prove(engine, inputs, place, None if port in own else port)
        except PortTaken:
            if "port" in inputs:
                raise
        else:
            return port
    message = f"{engine.host}: none of {_MOST_PORTS} ports tried is free; give a free one as `port`"
    raise MoorageError(message)


def _prove(engine: Engine, inputs: State, place: Place, port: int | None) -> None:
    if place.device_ids or port is not None:
        asked = Asked(
            image=inputs["image"],
            device_ids=place.device_ids,
            address=inputs["address"],
            port=port,
        )
        proof.prove(engine, inputs, asked)


def _generation(state: State) -> int:
    """A container that was removed by others is replaced once the next number is its label."""
    return int(state.get("generation", 1)) + (_REMOVED in (state.get("drift") or ""))


# --- what is known before the run


def preview(inputs: State, state: State | None) -> State:
    """The place that is kept, or follows from the inputs alone; the host decides the rest."""
    told: State = {"drift": None, "generation": _generation(state or {})}
    if not all(_is_known(inputs, name) for name in _DECIDING):
        return told
    if not places.stays(inputs, state or {}) and inputs["blueGreen"]:
        return told
    place = places.choose(inputs, state or {}, []) if _is_known(inputs, "service") else None
    told |= {"name": place.name, "deviceIds": [*place.device_ids]} if place else {}
    port = inputs.get("port", None if not state or state.get("drift") else state["port"])
    return told if port is None else {**told, "port": port}


def notice(inputs: State, state: State | None) -> str | None:
    """What the change of a container costs its users."""
    if state is None or not _is_known(inputs, "digest") or not _is_known(inputs, "blueGreen"):
        return None
    if inputs["digest"] == state["digest"] and _REMOVED not in (state.get("drift") or ""):
        return None
    where = f"{state['name']} on {hosts.of(state['host'])}"
    if inputs["blueGreen"]:
        return f"{where} is replaced blue/green: it serves until the new container is proven"
    return f"{where} is replaced with downtime: it is stopped before the new container starts"


def _is_known(inputs: State, name: str) -> bool:
    return name in inputs and not has_unknown(inputs[name])


HANDLER: Final = Handler(
    shape=SHAPE,
    create=create,
    read=read,
    update=update,
    delete=delete,
    check=check,
    preview=preview,
    notice=notice,
)
