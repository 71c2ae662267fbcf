"""What a ContainerSlot takes and gives, and what of it no field can judge by itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import combinations
from typing import Final

from moorage.provider.docker_host import hosts
from moorage.provider.handler import DRIFT, Failure, Field, Shape, State

_SERVICE: Final = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]*")
_LONGEST_SERVICE: Final = 50  # a digest and a number may follow
_BOTH: Final = 2


def _is_service(name: str) -> str | None:
    if len(name) > _LONGEST_SERVICE:
        return f"has {len(name)} characters, and may have {_LONGEST_SERVICE}"
    good = _SERVICE.fullmatch(name)
    return None if good else "must be letters, digits, `_`, `.` and `-`, and begin with the former"


def _is_given(text: str) -> str | None:
    return None if text else "must not be empty"


_EXAMPLE: Final = """
from moorage.resources import ContainerSlot

slot = ContainerSlot(
    "chat",
    host="ssh://gpu-box-1",
    owner="shop/prod/chat",
    service="chat",
    image="sha256:0123…",
    digest="4f5a…",
    devices=[["0", "1"], ["2", "3"]],
    blue_green=True,
)
# Its name, port and GPUs go to the docker.Container; claim and generation as labels.
"""

SHAPE: Final = Shape(
    doc=(
        "The place of a container on a Docker host: its name, its port and its GPUs, chosen and"
        " proven before the container that has it now goes. A change of the digest says in the"
        " preview whether it means downtime or runs blue/green."
    ),
    inputs={
        "host": Field(
            kind="string",
            doc="`local` (DOCKER_HOST of the environment, else the default socket), or its address"
            " as ssh://, unix:// or tcp://.",
            required=True,
            replaces=True,
            rule=hosts.fault,
        ),
        "owner": Field(
            kind="string",
            doc="Whose it is, as project/stack/name; the container's label `moorage.owner`.",
            required=True,
            replaces=True,
            rule=_is_given,
        ),
        "service": Field(
            kind="string",
            doc="What its name begins with; the container's label `moorage.service`.",
            required=True,
            replaces=True,
            rule=_is_service,
        ),
        "digest": Field(
            kind="string",
            doc="Of the container's whole configuration; its label `moorage.digest`.",
            required=True,
            rule=_is_given,
        ),
        "image": Field(
            kind="string",
            doc="The container's image, there already; what is proven is proven with it.",
            required=True,
            rule=_is_given,
        ),
        "address": Field(
            kind="string", doc="The host's address that the port is bound to.", default="127.0.0.1"
        ),
        "port": Field(
            kind="integer",
            doc="Fixed port of the host; without it a free one is chosen and kept.",
            least=1,
            most=65535,
        ),
        "devices": Field(
            kind="list",
            doc="Sets of GPU ids that it may get: one, or two that take turns with blueGreen.",
            items=Field(kind="list", doc=""),
            default=[],
        ),
        "blueGreen": Field(
            kind="boolean",
            doc="Whether a new container starts beside the old one, on a port of its own.",
            default=False,
        ),
    },
    outputs={
        "name": Field(kind="string", doc="The container's name.", required=True),
        "port": Field(kind="integer", doc="Its port of the host.", required=True),
        "deviceIds": Field(kind="list", doc="The GPUs that it gets.", required=True),
        "claim": Field(
            kind="string",
            doc="No other slot has the same; the container's label `moorage.claim`, by which one"
            " that a killed run has begun is known to be this slot's.",
            required=True,
        ),
        "generation": Field(
            kind="integer",
            doc="Grows when the container was removed by others; as its label it has it replaced.",
            required=True,
        ),
        "runtime": Field(kind="string", doc="What runs it: Docker's version.", required=True),
        "drift": DRIFT,
    },
    refresh_before_update=True,
    timeout_s=600.0,
    example=_EXAMPLE,
)


def check(inputs: State) -> list[Failure]:
    """What no field can judge by itself."""
    judged = (*_sets(inputs), *_colours(inputs))
    return [Failure(name=name, reason=reason) for name, reason in judged]


def _sets(inputs: State) -> Iterator[tuple[str, str]]:
    sets = inputs["devices"]
    if any(not one for one in sets):
        yield "devices", "has an empty set; leave `devices` out for a container without GPUs"
    if any(len(set(one)) < len(one) for one in sets):
        yield "devices", "names a GPU twice in a set"
    if len({len(one) for one in sets}) > 1:
        yield "devices", "has sets of different sizes"
    for one, other in combinations(sets, 2):
        if both := sorted(set(one) & set(other)):
            yield "devices", f"has GPU {', '.join(both)} in two sets"


def _colours(inputs: State) -> Iterator[tuple[str, str]]:
    if not inputs["blueGreen"]:
        return
    if "port" in inputs:
        yield "port", "two containers cannot share one with blueGreen; leave it out"
    if 0 < len(inputs["devices"]) < _BOTH:
        yield "devices", "needs a second set that takes turns with the first, for blueGreen"
