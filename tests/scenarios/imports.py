"""Imports: right, wrong, missing, by the program and by the command."""

from __future__ import annotations

from typing import Any

from moorage.deploy.imports import Batch, Wanted
from tests.scenarios.programs import thing
from tests.scenarios.story import Deed, Step, by_hand, destroy, preview, scenario, up
from tests.scenarios.world import World
from tests.scripted.cloud import Body

TYPES = ("moorage:index:Berth", "moorage:index:Thing")


def body(**inputs: Any) -> Body:
    """A thing as somebody made it."""
    declared = {"name": "a", "zone": "z1", "owner": "demo/local", "size": 1, **inputs}
    return {"inputs": declared, "revision": 1}


def made(**inputs: Any) -> Deed:
    """Somebody makes a thing by hand."""
    return lambda world: world.cloud.post("a-z1", body(**inputs))


def adopt(id_: str, *, kind: str = "Thing", **rest: Any) -> Step:
    """`moorage import`, and a program that declares the thing."""

    def deed(world: World) -> None:
        wanted = Wanted(type=kind, name="a", id=id_)
        batch = Batch(wanted=(wanted,), name_table={})
        world.stack("local", thing("a")).adopt(batch, TYPES)

    return by_hand(deed, **rest)


IMPORTS = (
    scenario(
        "a program imports what is as it says, and nothing is touched",
        up(
            thing("a", {"import_": "a-z1"}),
            before=made(),
            calls=("read a-z1", "GET a-z1"),
            state=("a: a-z1",),
        ),
        up(thing("a", {"import_": "a-z1"}), says=("nothing changed",)),
        up(thing("a"), says=("nothing changed",)),
    ),
    scenario(
        # The engine takes it over first, and then makes it what the program says.
        "a program that imports what is otherwise makes it what it says",
        preview(
            thing("a", {"import_": "a-z1"}, size=3),
            before=made(),
            calls=("read a-z1",),
            state=(),
            remote=("a-z1",),
            says=("Thing a would be imported", "Thing a would be updated", "size: 1 -> 3"),
        ),
        up(
            thing("a", {"import_": "a-z1"}, size=3),
            calls=("read a-z1", "update a-z1"),
            state=("a: a-z1",),
            holds={"a.inputs.size": 3},
        ),
        up(thing("a", size=3), says=("nothing changed",)),
    ),
    scenario(
        "a program that imports what is otherwise may leave it so",
        up(
            thing("a", {"import_": "a-z1", "ignore_changes": ["size"]}, size=3),
            before=made(),
            calls=("read a-z1",),
            state=("a: a-z1",),
            holds={"a.inputs.size": 1},
        ),
    ),
    scenario(
        # The preview does not tell yet what the up refuses once it has imported.
        "a program that would have elsewhere what it imports has to stop importing first",
        preview(
            thing("a", {"import_": "a-z1"}, zone="z2"),
            before=made(),
            calls=("read a-z1",),
            state=(),
            remote=("a-z1",),
            says=("Thing a would be imported", "Thing a would be replaced"),
        ),
        up(
            thing("a", {"import_": "a-z1"}, zone="z2"),
            calls=("read a-z1",),
            code=1,
            state=("a: a-z1",),
            says=("please remove the `import` declaration from your program",),
        ),
        up(thing("a", zone="z2"), calls=("create a-z2", "delete a-z1"), state=("a: a-z2",)),
    ),
    scenario(
        "an id that nobody knows is no import",
        up(
            thing("a", {"import_": "nowhere"}),
            calls=("read nowhere",),
            state=(),
            code=1,
            says=("there is nothing to import: its provider knows no nowhere",),
        ),
    ),
    scenario(
        "what was imported is destroyed like anything else",
        up(
            thing("a", {"import_": "a-z1"}),
            before=made(),
            calls=("read a-z1",),
            state=("a: a-z1",),
        ),
        destroy(calls=("delete a-z1",), state=()),
    ),
    scenario(
        "the command imports by the id alone, and says that the next up changes nothing",
        adopt(
            "a-z1",
            before=made(),
            calls=("read a-z1",),
            state=("a: a-z1",),
            says=("declares it the same way; the next up changes nothing of it",),
        ),
        up(thing("a"), says=("nothing changed",)),
        adopt("a-z1", says=("Thing a is in this stack already",)),
    ),
    scenario(
        "the command says what the next up would change of what it imported",
        adopt(
            "a-z1",
            before=made(size=7),
            calls=("read a-z1",),
            state=("a: a-z1",),
            says=("the program declares it otherwise (size); the next up would update it",),
            holds={"a.inputs.size": 7},
        ),
        up(thing("a"), calls=("update a-z1",), holds={"a.inputs.size": 1}),
    ),
    scenario(
        "the command refuses an id that nobody knows, and a type that there is not",
        adopt("nowhere", calls=("read nowhere",), state=(), code=1, says=("knows no nowhere",)),
        adopt("a-z1", kind="Thong", code=2, says=("there is no type Thong; is it",)),
    ),
)
