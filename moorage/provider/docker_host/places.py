"""Which name and GPUs a container gets, and which ports it may try; decided from what is there."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Final

from moorage.errors import MoorageError
from moorage.provider.docker_host import labels
from moorage.provider.docker_host.engine import Container
from moorage.provider.handler import State

# Below the range that kernels give to outgoing connections.
_FIRST_PORT: Final = 21000
_PORTS: Final = 8000
_DIGEST_SHOWN: Final = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """A name and a set of GPUs; `is_new` where a container of another place may still serve."""

    name: str
    device_ids: tuple[str, ...]
    is_new: bool


class NoneFree(MoorageError):  # noqa: N818
    """Every set of GPUs is held by a running container of the service."""


def stays(inputs: State, state: State) -> bool:
    """Whether the container keeps its place: always where the old one goes before the new one."""
    if not state or not inputs["blueGreen"]:
        return bool(state)
    is_same = inputs["digest"] == state["digest"] and inputs["address"] == state["address"]
    return is_same and (not inputs["devices"] or state["deviceIds"] in inputs["devices"])


def choose(inputs: State, state: State, there: Sequence[Container]) -> Place:
    """The place of the next container."""
    if stays(inputs, state):
        return Place(name=state["name"], device_ids=_kept(inputs, state), is_new=False)
    if not inputs["blueGreen"]:
        sets = inputs["devices"] or [[]]
        return Place(name=inputs["service"], device_ids=tuple(sets[0]), is_new=False)
    ours = [one for one in there if one.is_of(inputs["owner"], inputs["service"])]
    return Place(
        name=_free_name(inputs, {one.name for one in there}),
        device_ids=_free_set(inputs, ours),
        is_new=True,
    )


def _kept(inputs: State, state: State) -> tuple[str, ...]:
    sets = inputs["devices"] or [[]]
    return tuple(state["deviceIds"] if state["deviceIds"] in sets else sets[0])


def _free_name(inputs: State, taken: set[str]) -> str:
    digest = hashlib.sha256(inputs["digest"].encode()).hexdigest()[:_DIGEST_SHOWN]
    first = f"{inputs['service']}-{digest}"
    names = (first if number == 1 else f"{first}-{number}" for number in count(1))
    return next(name for name in names if name not in taken)


def _free_set(inputs: State, ours: Sequence[Container]) -> tuple[str, ...]:
    running = [one for one in ours if one.is_running]
    held = {id_ for one in running for id_ in one.device_ids}
    free = (tuple(one) for one in inputs["devices"] or [[]] if not held.intersection(one))
    found = next(free, None)
    if found is None:
        names = " and ".join(sorted(one.name for one in running))
        message = (
            f"{inputs['service']}: every set of GPUs is held by {names}: an earlier change is not"
            " finished; run up without this change first, or stop the one that does not serve"
        )
        raise NoneFree(message)
    return found


def rivals(inputs: State, place: Place, there: Sequence[Container]) -> list[Container]:
    """Running containers of other services of moorage that hold one of these GPUs."""
    return [
        one
        for one in there
        if one.is_running
        and not one.is_of(inputs["owner"], inputs["service"])
        and set(one.device_ids) & set(place.device_ids)
    ]


def is_of_same_stack(inputs: State, one: Container) -> bool:
    """Whether it is of the stack that is being deployed, which may be about to end it."""
    return labels.stack_of(one.owner or "") == labels.stack_of(inputs["owner"])


def ports(inputs: State, taken: set[int]) -> Iterator[int]:
    """Ports to try: the first follows from whose it is, so that it is the same again."""
    seed = f"{inputs['owner']}/{inputs['service']}/{inputs['host']}"
    if inputs["blueGreen"]:
        seed += f"/{inputs['digest']}"
    start = int.from_bytes(hashlib.sha256(seed.encode()).digest()[:4])
    tried = (_FIRST_PORT + (start + step) % _PORTS for step in range(_PORTS))
    return (port for port in tried if port not in taken)
