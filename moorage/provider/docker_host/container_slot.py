"""ContainerSlot: where a container goes on its Docker host, proven before the old one goes.

Nothing of it lasts on the host: it is a choice, kept in state and told to the container. So the
container's own resource may replace it without looking: the host is reached, its port is free, its
GPUs are there. What a change of the container costs is said in the preview: downtime, where the old
one goes before the new one; or nothing, where both stand side by side and blueGreen is on.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final

from moorage.errors import MoorageError
from moorage.provider.docker_host import hosts, leftovers, places, proof
from moorage.provider.docker_host.engine import Container, Engine, of_record, reached
from moorage.provider.docker_host.faults import Refusal, Unreachable
from moorage.provider.docker_host.places import NoneFree, Place
from moorage.provider.docker_host.proof import Asked, PortTaken
from moorage.provider.docker_host.slot_shape import SHAPE, check
from moorage.provider.handler import Context, Created, Found, Handler, State
from moorage.provider.values import has_unknown

_CLAIM_BYTES: Final = 8
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
    """Nothing lasts on the host but what a killed run has left: no state knows that any more."""
    try:
        with reached(state["host"], context) as engine:
            proof.sweep(engine, state)
            leftovers.clear_containers(engine, state["claim"], known=())
    except (Unreachable, Refusal) as silence:
        context.warn(f"{id_} is forgotten without a last look: {silence}")


def locate(inputs: State, context: Context) -> str | None:
    """Nothing: but no state may ever ask again, so what a killed run has left of a proof goes."""
    with suppress(Unreachable, Refusal), reached(inputs["host"], context) as engine:
        proof.sweep(engine, inputs)
    return None


def _drift(state: State, engine: Engine) -> str | None:
    name = state["name"]
    record = engine.inspect(name)  # which takes the beginning of an id for a name, too
    found = None if record is None else of_record(record)
    if found is None or found.name != name:
        return f"{name} {_REMOVED} {engine.host}"
    if not found.is_of(state["owner"], state["service"]):
        return f"{name} on {engine.host} {_whose(found)}"
    return None


def _whose(one: Container) -> str:
    return f"belongs to {one.owner}" if one.owner else "is not of moorage"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Look:
    """A slot to be settled, and what is on its host."""

    engine: Engine
    inputs: State
    state: State
    there: Sequence[Container]
    context: Context

    def is_ours(self, one: Container) -> bool:
        """Whether it is a container of this service."""
        return one.is_of(self.inputs["owner"], self.inputs["service"])

    def is_own(self, one: Container, place: Place) -> bool:
        """Whether it has the place now."""
        return one.name == place.name and self.is_ours(one)


def _settled(inputs: State, state: State, context: Context) -> State:
    with reached(inputs["host"], context) as engine:
        there = proof.sweep(engine, inputs)
        look = _Look(engine=engine, inputs=inputs, state=state, there=there, context=context)
        place = _place(look)
        _refuse_foreign(look, place)
        _refuse_rivals(look, place)
        return {
            **inputs,
            "name": place.name,
            "port": _port(look, place),
            "deviceIds": [*place.device_ids],
            "claim": state.get("claim") or secrets.token_hex(_CLAIM_BYTES),
            "generation": _generation(state),
            "runtime": f"Docker {engine.version()}",
            "drift": None,
        }


def _place(look: _Look) -> Place:
    """A place; one is made free where a change that was given up holds it."""
    try:
        return places.choose(look.inputs, look.state, look.there)
    except NoneFree:
        given_up = _given_up(look)
        if not given_up:
            raise
    for one in given_up:
        look.context.warn(f"{one.name} has never served and is stopped for the container after it")
        look.engine.stop(one.id, one.name)
    rest = [replace(one, is_running=False) if one in given_up else one for one in look.there]
    return places.choose(look.inputs, look.state, rest)


def _given_up(look: _Look) -> list[Container]:
    """Running containers of ours that have never served, beside one that has."""
    running = [one for one in look.there if one.is_running and look.is_ours(one)]
    unproven = [one for one in running if not look.engine.is_marked(one.id)]
    return unproven if len(unproven) < len(running) else []


def _refuse_foreign(look: _Look, place: Place) -> None:
    for one in look.there:
        if one.name == place.name and not look.is_ours(one):
            where = f"{one.name} on {look.engine.host}"
            message = f"{where} {_whose(one)}; choose another `service`"
            raise MoorageError(message)


def _refuse_rivals(look: _Look, place: Place) -> None:
    """Two stacks cannot share a GPU; one stack may, until what it gives up is gone."""
    for one in places.rivals(look.inputs, place, look.there):
        both = ", ".join(sorted(set(one.device_ids) & set(place.device_ids)))
        gpu = f"{look.inputs['service']}: GPU {both} of {look.engine.host}"
        if not places.is_of_same_stack(look.inputs, one):
            message = f"{gpu} is held by {one.name} of {one.owner}; give it other GPUs"
            raise MoorageError(message)
        held = f"{gpu} is held by {one.name} of this stack"
        look.context.warn(f"{held}; they share it until that one goes")


def _port(look: _Look, place: Place) -> int:
    """The first port that can be bound; the container's own is free once that goes."""
    own = {
        port
        for one in look.there
        if one.is_running and look.is_own(one, place)
        for port in one.ports
    }
    for port in _candidates(look, place):
        try:
            _prove(look, place, None if port in own else port)
        except PortTaken:
            if "port" in look.inputs:
                raise
        else:
            return port
    none = f"{look.engine.host}: none of the ports tried is free"
    message = f"{none}; give a free one as `port`"
    raise MoorageError(message)


def _candidates(look: _Look, place: Place) -> Iterable[int]:
    """Ports in the order of trying; a fixed one is all that there is to try."""
    if "port" in look.inputs:
        return [look.inputs["port"]]
    own = [port for one in look.there if look.is_own(one, place) for port in sorted(one.ports)]
    taken = {port for one in look.there if not look.is_own(one, place) for port in one.ports}
    free = islice(places.ports(look.inputs, taken), _MOST_PORTS)
    if place.is_new:
        return free
    before = [look.state["port"]] if look.state else own
    return [*(port for port in before if port not in taken), *free]


def _prove(look: _Look, place: Place, port: int | None) -> None:
    if place.device_ids or port is not None:
        asked = Asked(
            image=look.inputs["image"],
            device_ids=place.device_ids,
            address=look.inputs["address"],
            port=port,
        )
        proof.prove(look.engine, look.inputs, asked)


def _generation(state: State) -> int:
    """A container that was removed by others is replaced once the next number is its label."""
    return int(state.get("generation", 1)) + (_REMOVED in (state.get("drift") or ""))


# --- what is known before the run


def preview(inputs: State, state: State | None) -> State:
    """The place that is kept, or follows from the inputs alone; the host decides the rest."""
    told: State = {"drift": None, "generation": _generation(state or {})}
    told |= {"claim": state["claim"]} if state else {}
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
    if state is None or not _is_known(inputs, "blueGreen"):
        return None
    is_removed = _REMOVED in (state.get("drift") or "")
    if inputs["digest"] == state["digest"] and not is_removed:
        return None
    is_sure = is_removed or _is_known(inputs, "digest")  # an image that is not there yet is unknown
    where = f"{state['name']} on {hosts.of(state['host'])}"
    change = f"{where} {'is' if is_sure else 'may be'} replaced"
    if inputs["blueGreen"]:
        return f"{change} blue/green: it serves until the new container is proven"
    return f"{change} with downtime: it is stopped before the new container starts"


def _is_known(inputs: State, name: str) -> bool:
    return name in inputs and not has_unknown(inputs[name])


HANDLER: Final = Handler(
    shape=SHAPE,
    create=create,
    read=read,
    update=update,
    delete=delete,
    locate=locate,
    check=check,
    preview=preview,
    notice=notice,
    needs=("docker",),
)
