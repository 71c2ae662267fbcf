"""Create, same, update, delete, and the order of it all."""

from __future__ import annotations

from pulumi import CustomTimeouts

from moorage.deploy.options import Options
from tests.scenarios.programs import berth, row, these, thing
from tests.scenarios.story import any_order, destroy, preview, scenario, up

UNCHANGED = Options(expect_no_changes=True)


def mistaken() -> None:
    """A program with a mistake."""
    settings: dict[str, str] = {}
    thing(settings["nokey"])()


BASICS = (
    scenario(
        "a thing lives from preview to destroy",
        preview(thing("a"), state=(), says=("Thing a would be created",)),
        up(
            thing("a"),
            calls=("create a-z1", "GET a-z1", "POST a-z1"),
            state=("a: a-z1",),
            holds={"a.outputs.url": "https://a-z1.example", "a.outputs.token": "[secret]"},
        ),
        up(thing("a"), says=("nothing changed, 1 unchanged",)),
        destroy(calls=("delete a-z1", "DELETE a-z1"), state=()),
    ),
    scenario(
        "the second up changes nothing, and is allowed to where no change is expected",
        up(thing("a", size=2, tags={"k": "v"}), calls=("create a-z1",), state=("a: a-z1",)),
        up(thing("a", size=2, tags={"k": "v"}), options=UNCHANGED),
        preview(thing("a", size=3, tags={"k": "v"}), options=UNCHANGED, code=7),
    ),
    scenario(
        "an update in place keeps the id and the stable outputs",
        up(thing("a"), calls=("create a-z1",), state=("a: a-z1",)),
        up(
            thing("a", size=5, note="new"),
            calls=("update a-z1", "GET a-z1", "PUT a-z1"),
            says=("updated Thing a",),
            holds={"a.inputs.size": 5, "a.outputs.revision": 2},
        ),
        up(
            thing("a"),
            calls=("update a-z1",),
            holds={"a.inputs.size": 1, "a.inputs.note": None, "a.outputs.revision": 3},
        ),
    ),
    scenario(
        "changes deep in a map are seen one by one",
        up(thing("a", tags={"x": "1", "y": "2"}), calls=("create a-z1",), state=("a: a-z1",)),
        preview(thing("a", tags={"y": "3", "z": "4"}), says=("tags.x", "tags.y", "tags.z")),
        up(
            thing("a", tags={"y": "3", "z": "4"}),
            calls=("update a-z1",),
            holds={"a.inputs.tags": {"y": "3", "z": "4"}},
        ),
    ),
    scenario(
        "depends_on orders creation, and the reverse of it deletion",
        up(
            row("a", "b", "c"),
            calls=("create a-z1", "create b-z1", "create c-z1"),
            state=("a: a-z1", "b: b-z1", "c: c-z1"),
        ),
        destroy(calls=("delete c-z1", "delete b-z1", "delete a-z1"), state=()),
    ),
    scenario(
        "an empty program deletes everything, and the stack stays",
        up(
            these(thing("a"), berth("b")),
            calls=(any_order("create a-z1", "create b"),),
            state=("a: a-z1", "b: b"),
        ),
        up(calls=("read b", any_order("delete a-z1", "delete b")), state=()),
        up(state=(), says=("nothing changed",)),
        destroy(state=()),
    ),
    scenario(
        "what the program no longer names is deleted, last",
        up(thing("a"), calls=("create a-z1",), state=("a: a-z1",)),
        up(thing("b"), calls=("create b-z1", "delete a-z1"), state=("b: b-z1",)),
    ),
    scenario(
        "a custom timeout ends the wait, and the thing is kept",
        up(
            thing("a", {"custom_timeouts": CustomTimeouts(create="0.3s")}, waitFor="/nowhere"),
            calls=("create a-z1",),
            code=1,
            state=("a: a-z1 (unfinished)",),
            says=("Thing a: the time for it is over; run up again to wait on",),
        ),
        up(thing("a"), calls=("update a-z1",), state=("a: a-z1",)),
    ),
    scenario(
        "bad inputs are refused before anything is done",
        up(
            thing("a", size=0, colour="red"),
            code=1,
            state=(),
            says=("Thing a: size: must be at least 1", "Thing a: colour: unknown property"),
        ),
    ),
    scenario(
        "the preview of a failing program fails, and names the line",
        up(thing("a"), calls=("create a-z1",), state=("a: a-z1",)),
        preview(
            mistaken,
            code=1,
            says=("preview of stack local failed: KeyError: 'nokey' (", "basics.py:"),
        ),
        up(mistaken, code=1, says=("up of stack local failed: KeyError",)),
    ),
)
