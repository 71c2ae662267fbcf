"""Unknowns: what no preview can know, it says so and changes nothing."""

from __future__ import annotations

import pulumi

from tests.scenarios.programs import zone_of
from tests.scenarios.story import preview, scenario, up
from tests.scripted.resources import Thing


def mentions(size: int) -> None:
    """A thing that mentions the stable and the other outputs of another one."""
    first = Thing("a", size=size)
    told = pulumi.Output.concat(first.url, " is number ", first.revision.apply("{:g}".format))
    Thing("b", note=told, tags={"url": first.url})


def named_after() -> None:
    """A thing whose very name is not known before the other one exists."""
    first = Thing("a")
    Thing("b", name=zone_of(first))


UNKNOWNS = (
    scenario(
        "an output of what is not there yet is unknown to a preview, which does nothing",
        preview(
            lambda: mentions(1),
            state=(),
            says=("Thing a would be created", "Thing b would be created"),
        ),
        up(
            lambda: mentions(1),
            calls=("create a-z1", "create b-z1"),
            state=("a: a-z1", "b: b-z1"),
            holds={"b.inputs.note": "https://a-z1.example is number 1"},
        ),
    ),
    scenario(
        "an update leaves its stable outputs known, and only what hangs on the others open",
        up(lambda: mentions(1), calls=None, state=("a: a-z1", "b: b-z1")),
        preview(
            lambda: mentions(2),
            says=("Thing a would be updated", "Thing b would be updated", "~ note: "),
            silent=("tags",),
        ),
        up(
            lambda: mentions(2),
            calls=("update a-z1", "update b-z1"),
            holds={"b.inputs.note": "https://a-z1.example is number 2"},
        ),
    ),
    scenario(
        "a name that is not known yet is no fault of a preview",
        preview(named_after, state=(), says=("Thing b would be created",)),
        up(
            named_after,
            calls=("create a-z1", "create a-z1-z1"),
            state=("a: a-z1", "b: a-z1-z1"),
        ),
        preview(named_after, says=("nothing changed",)),
    ),
)
