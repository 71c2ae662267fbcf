"""Refresh and drift: what changed, or vanished, behind the stack's back."""

from __future__ import annotations

from typing import Any

from moorage.deploy.options import Options
from tests.scenarios.programs import berth, these, thing
from tests.scenarios.story import Deed, any_order, destroy, fault, preview, refresh, scenario, up
from tests.scenarios.world import World


def changed(key: str, **inputs: Any) -> Deed:
    """Somebody changes a thing by hand."""

    def deed(world: World) -> None:
        body = world.cloud.things()[key]
        world.cloud.put(key, {**body, "inputs": {**body["inputs"], **inputs}})

    return deed


def vanished(key: str) -> Deed:
    """Somebody takes a thing away by hand."""
    return lambda world: (world.cloud.folder / "things" / f"{key}.json").unlink()


A = thing("a", size=1, note="ours", tags={"x": "1"})

REFRESHES = (
    scenario(
        "a refresh takes over what drifted, field by field, and the next up puts it right",
        up(A, calls=("create a-z1",), state=("a: a-z1",)),
        refresh(
            before=changed("a-z1", size=9, tags={"x": "2"}),
            calls=("read a-z1",),
            says=("size", "tags.x"),
            silent=("note",),
            holds={"a.outputs.size": 9, "a.outputs.tags.x": "2", "a.outputs.note": "ours"},
        ),
        preview(A, says=("Thing a would be updated", "size", "tags.x")),
        up(
            A,
            calls=("update a-z1", "GET a-z1", "PUT a-z1"),
            holds={"a.outputs.size": 1, "a.outputs.tags.x": "1"},
        ),
        refresh(calls=("read a-z1",), says=("nothing changed",)),
    ),
    scenario(
        "a refresh that expects no changes fails on drift, and takes nothing over",
        up(A, calls=("create a-z1",), state=("a: a-z1",)),
        refresh(
            options=Options(expect_no_changes=True),
            before=changed("a-z1", size=9),
            calls=("read a-z1",),
            code=7,
            holds={"a.outputs.size": 1},
        ),
    ),
    scenario(
        "a plain up does not see the drift of a thing, as nobody looks",
        up(A, calls=("create a-z1",), state=("a: a-z1",)),
        up(A, before=changed("a-z1", size=9), says=("nothing changed",)),
        up(
            A,
            options=Options(refresh=True),
            calls=("read a-z1", "update a-z1"),
            holds={"a.outputs.size": 1},
        ),
    ),
    scenario(
        "a plain up sees the drift of a berth, as it is looked at before every update",
        up(berth("b", size=1), calls=("create b",), state=("b: b",)),
        up(
            berth("b", size=1),
            before=changed("b", size=9),
            calls=("read b", "GET b", "update b", "GET b", "PUT b"),
            holds={"b.outputs.size": 1},
        ),
        sample=True,
    ),
    scenario(
        "what vanished leaves the state with a refresh, and comes back with the next up",
        up(these(thing("a"), thing("b")), calls=None, state=("a: a-z1", "b: b-z1")),
        refresh(
            before=vanished("a-z1"),
            calls=(any_order("read a-z1", "read b-z1"),),
            state=("b: b-z1",),
            says=("Thing a",),
        ),
        up(
            these(thing("a"), thing("b")),
            calls=("create a-z1",),
            state=("a: a-z1", "b: b-z1"),
        ),
    ),
    scenario(
        "a berth that vanished is made again by a plain up",
        up(berth("b"), calls=("create b",), state=("b: b",)),
        up(berth("b"), before=vanished("b"), calls=("read b", "create b"), state=("b: b",)),
    ),
    scenario(
        "an update of what vanished makes it again under its id",
        up(thing("a"), calls=("create a-z1",), state=("a: a-z1",)),
        up(
            thing("a", size=2),
            before=vanished("a-z1"),
            calls=("update a-z1", "GET a-z1", "PUT a-z1"),
        ),
    ),
    scenario(
        "the delete of what is gone already is fine",
        up(thing("a"), calls=("create a-z1",), state=("a: a-z1",)),
        destroy(before=vanished("a-z1"), calls=("delete a-z1",), state=()),
    ),
    scenario(
        "a look that fails changes nothing in the state",
        up(thing("a"), calls=("create a-z1",), state=("a: a-z1",)),
        refresh(
            faults=(fault("GET a-z1", "503: come back later"),),
            calls=("read a-z1",),
            code=1,
            says=("refresh of stack local failed: Thing a: 503: come back later",),
        ),
        refresh(calls=("read a-z1",)),
    ),
)
