"""Editions: the provider has become another one between two runs."""

from __future__ import annotations

import pulumi

from tests.scenarios.programs import berth, these, thing
from tests.scenarios.story import any_order, destroy, preview, scenario, up


def unknown() -> None:
    """A thing of a type that there is not."""
    pulumi.CustomResource("moorage:index:Thong", "t", {})


EDITIONS = (
    scenario(
        "the default of a newer provider's property is no difference",
        up(thing("a"), calls=("create a-z1",), state=("a: a-z1",)),
        up(thing("a"), edition="with a colour", says=("nothing changed",)),
        up(
            thing("a", colour="red"),
            edition="with a colour",
            calls=("update a-z1",),
            holds={"a.inputs.colour": "red"},
        ),
    ),
    scenario(
        "a property that a newer provider no longer knows is no difference, and refused if named",
        up(thing("a", note="x"), calls=("create a-z1",), state=("a: a-z1",)),
        up(thing("a"), edition="without the note", says=("nothing changed",)),
        preview(
            thing("a", note="x"),
            edition="without the note",
            code=1,
            says=("note: unknown property",),
        ),
    ),
    scenario(
        "a type that there is not is named, with those that there are",
        preview(
            unknown,
            code=1,
            state=(),
            says=(
                "moorage:index:Thong: no such resource type",
                "there are moorage:index:Thing, moorage:index:Berth",
            ),
        ),
        up(unknown, code=1, says=("moorage:index:Thong: no such resource type",)),
    ),
    scenario(
        "what is of a type that the provider no longer knows stays until it does",
        up(these(thing("a"), berth("b")), calls=None, state=("a: a-z1", "b: b")),
        destroy(
            edition="without berths",
            code=1,
            says=("moorage:index:Berth: no such resource type",),
        ),
        destroy(calls=("read b", any_order("delete a-z1", "delete b")), state=()),
    ),
)
