"""Waiting: what needs a value of what failed is left as it is, and told so; the rest goes on."""

from __future__ import annotations

from functools import partial
from typing import Any

import pulumi
from pulumi import Alias, ComponentResource, Output, ResourceOptions

from moorage.deploy.options import Options
from tests.scenarios.programs import secret, zone_of
from tests.scenarios.story import any_order, fault, scenario, up
from tests.scenarios.world import release_at_failure
from tests.scripted.resources import Berth, Thing

ROOM = fault("POST a-z1", "no room")
SOLD_OUT = fault("PUT a-z1", "size 2 is sold out")
WAITING = "left out, as they depend on what failed: "
FALSE = ("required", "problem", "Error")
TOLD = {
    "stack.outputs.open": {"url": "https://a-z1.example", "size": 1},
    "stack.outputs.both.url": "https://a-z1.example",
    "stack.outputs.listed": ["https://a-z1.example", 1],
    "stack.outputs.closed": "[secret]",
    "stack.outputs.size": 1,
}
# Of what stood before, nothing is lost.
STOOD = ("a: a-z1", "b: a-z1-z1", "on-b: on-b-z1", "on-d: on-d-z1", "d: d-z1")


def beside(**inputs: Any) -> None:
    """A slow one, which goes on beside the failure, and what hangs on it."""
    slow = Thing("d", waitFor="../../../go")
    Thing("on-d", ResourceOptions(depends_on=[slow]), **inputs)


def needed(size: int = 1, on_d: int = 1) -> None:
    """One that another one cannot be without, with what hangs on that; beside them a slow one."""
    root = Thing("a", size=size)
    needs = Thing("b", name=zone_of(root))
    Thing("on-b", ResourceOptions(depends_on=[needs]))
    beside(size=on_d)


def renamed(size: int) -> None:
    """The same under a new name."""
    root = Thing("a", size=size)
    Thing("c", ResourceOptions(aliases=[Alias(name="b")]), name=zone_of(root))


def never_stood(size: int) -> None:
    """One that says how it was called before, and was never there."""
    root = Thing("a", size=size)
    if size > 1:
        Thing("c", ResourceOptions(aliases=[Alias(name="b")]), name=zone_of(root))


def grouped(called: str, size: int) -> None:
    """A component that is called otherwise than before, and with it what is in it."""
    root = Thing("a", size=size)
    before = [Alias(name="g")] if called != "g" else []
    above = ComponentResource("demo:Group", called, None, ResourceOptions(aliases=before))
    Thing(f"{called}-in", ResourceOptions(parent=above), name=zone_of(root), size=size)


def sealed(size: int = 1) -> None:
    """Two that cannot be without what nobody may read, one by another."""
    root = Thing("a", size=size)
    needs = Thing("b", name=Output.secret(zone_of(root)))
    Thing("c", name=zone_of(needs))


def moved(zone: str, size: int) -> None:
    """One that another one cannot be without, and that is replaced itself."""
    root = Thing("a", size=size)
    Thing("b", name=zone_of(root), zone=zone)


def making_room(zone: str, size: int) -> None:
    """One that is deleted before it is replaced, with what goes with it, and hangs on another."""
    root = Thing("a", size=size)
    newly = ResourceOptions(depends_on=[root] if size > 1 else [])
    there = Berth("e", newly, zone=zone)
    Thing("f", name=there.url.apply(lambda url: url.split("//")[1].split(".")[0]))


def in_component() -> None:
    """What hangs on the failed one as a whole: a component that tells outputs at its end."""
    root = Thing("a")
    above = ComponentResource("demo:Group", "g", None, ResourceOptions(depends_on=[root]))
    Thing("in-g", ResourceOptions(parent=above))
    above.register_outputs({"url": root.url})
    beside()


def berths(zone: str) -> None:
    """One that makes room before it is replaced, and takes along what bears its name."""
    root = Berth("a", zone=zone)
    Thing("b", name=root.revision.apply(lambda number: f"b{number:g}"))
    beside(zone=zone)


def between(*, has_new: bool) -> None:
    """A new one between two that stand."""
    root = Thing("a", size=2 if has_new else 1)
    new = [Thing("b", name=zone_of(root))] if has_new else []
    Thing("e", ResourceOptions(depends_on=new), note=new[0].url if new else "", size=len(new) + 1)


def telling(size: int = 1) -> None:
    """The stack tells of what may fail, alone and beside a secret, and of other things."""
    root = Thing("a", size=size)
    pulumi.export("open", {"url": root.url, "size": size})
    pulumi.export("listed", [root.url, size])
    pulumi.export("both", {"url": root.url, "key": secret()})
    pulumi.export("closed", Output.secret({"url": root.url, "key": "k"}))
    pulumi.export("size", size)


def lacking() -> None:
    """Beside what waits for the failed one, a thing that lacks what it truly needs."""
    root = Thing("a")
    Thing("b", name=zone_of(root))
    slow = Thing("d", waitFor="../../../go")
    Thing("c", name=slow.url.apply(lambda _: None))


def looks(size: int = 1) -> None:
    """Another one is looked at, by an id that hangs on the failed one."""
    root = Thing("a", size=size)
    seen = Thing("seen", ResourceOptions(id=root.url.apply(lambda _: "d-z1")))
    Thing("b", ResourceOptions(depends_on=[seen]))
    beside()


# The first one finds no room, and what is beside it comes up.
without_room = partial(
    up,
    faults=(ROOM,),
    meanwhile=release_at_failure("a"),
    calls=(any_order("create a-z1", "create d-z1"), "create on-d-z1"),
    code=1,
    state=("d: d-z1", "on-d: on-d-z1"),
    silent=FALSE,
)

WAITS = (
    scenario(
        "what needs a value of what failed waits, and all else comes up",
        without_room(
            needed,
            says=("up of stack local failed:\n  Thing a: no room", f"{WAITING}Thing b, Thing on-b"),
        ),
        up(
            needed,
            calls=("create a-z1", "create a-z1-z1", "create on-b-z1"),
            state=STOOD,
        ),
        sample=True,
    ),
    scenario(
        "what stands keeps its place while what it needs fails to change",
        up(needed, before=lambda world: world.go.touch(), calls=None, state=STOOD),
        up(
            lambda: needed(2, on_d=3),
            faults=(SOLD_OUT,),
            calls=(any_order("update a-z1", "update on-d-z1"),),
            code=1,
            says=("Thing a: size 2 is sold out", f"{WAITING}Thing b, Thing on-b"),
            silent=FALSE,
        ),
        up(lambda: needed(2, on_d=3), calls=("update a-z1",)),
    ),
    scenario(
        "what was told stays told while what it is about fails to change",
        up(
            telling,
            faults=(ROOM,),
            calls=("create a-z1",),
            code=1,
            holds={
                "stack.outputs.open": {"size": 1},
                "stack.outputs.listed": None,
                "stack.outputs.both.url": None,
                "stack.outputs.both.key": "[secret]",
                "stack.outputs.closed": None,
                "stack.outputs.size": 1,
            },
        ),
        up(telling, calls=("create a-z1",), state=("a: a-z1",), holds=TOLD),
        up(lambda: telling(2), faults=(SOLD_OUT,), calls=("update a-z1",), code=1, holds=TOLD),
    ),
    scenario(
        "what stands under another name keeps its place as well",
        up(
            lambda: needed(1),
            before=lambda world: world.go.touch(),
            calls=None,
            state=STOOD,
        ),
        up(
            lambda: renamed(2),
            faults=(SOLD_OUT,),
            calls=("update a-z1", any_order("delete d-z1", "delete on-d-z1", "delete on-b-z1")),
            code=1,
            state=("a: a-z1", "b: a-z1-z1"),
            says=("Thing a: size 2 is sold out", f"{WAITING}Thing c"),
            silent=FALSE,
        ),
    ),
    scenario(
        "what has another name now and never stood waits as well",
        up(lambda: never_stood(1), calls=("create a-z1",), state=("a: a-z1",)),
        up(
            lambda: never_stood(2),
            faults=(SOLD_OUT,),
            calls=("update a-z1",),
            code=1,
            says=("Thing a: size 2 is sold out", f"{WAITING}Thing c"),
            silent=FALSE,
        ),
        up(
            lambda: never_stood(2),
            calls=("update a-z1", "create a-z1-z1"),
            state=("a: a-z1", "c: a-z1-z1"),
        ),
    ),
    scenario(
        "what is in a component of another name keeps its place as well",
        up(
            lambda: grouped("g", 1),
            calls=("create a-z1", "create a-z1-z1"),
            state=("a: a-z1", "g: a component", "g-in: a-z1-z1"),
        ),
        up(
            lambda: grouped("h", 2),
            faults=(SOLD_OUT,),
            calls=("update a-z1",),
            code=1,
            state=("a: a-z1", "h: a component", "g-in: a-z1-z1"),
            says=("Thing a: size 2 is sold out", f"{WAITING}Thing h-in"),
            silent=FALSE,
        ),
    ),
    scenario(
        "what shall be made anew keeps its place while what it needs fails to change",
        up(sealed, calls=None, state=("a: a-z1", "b: a-z1-z1", "c: a-z1-z1-z1")),
        up(
            lambda: sealed(2),
            options=Options(replace=("b", "c")),
            faults=(SOLD_OUT,),
            calls=("update a-z1",),
            code=1,
            says=("Thing a: size 2 is sold out", f"{WAITING}Thing b, Thing c"),
            silent=FALSE,
        ),
        up(lambda: sealed(2), calls=("update a-z1",)),
    ),
    scenario(
        "what a change of its own replaces keeps its place as well",
        up(lambda: moved("z1", 1), calls=None, state=("a: a-z1", "b: a-z1-z1")),
        up(
            lambda: moved("z2", 2),
            faults=(SOLD_OUT,),
            calls=("update a-z1",),
            code=1,
            says=("Thing a: size 2 is sold out", f"{WAITING}Thing b"),
            silent=FALSE,
        ),
        up(
            lambda: moved("z2", 2),
            calls=("update a-z1", "create a-z1-z2", "delete a-z1-z1"),
            state=("a: a-z1", "b: a-z1-z2"),
        ),
    ),
    scenario(
        "nothing is deleted to make room for what waits",
        up(lambda: making_room("z1", 1), calls=None, state=("a: a-z1", "e: e", "f: e-z1")),
        up(
            lambda: making_room("z2", 2),
            faults=(SOLD_OUT,),
            calls=("read e", "update a-z1"),
            code=1,
            says=("Thing a: size 2 is sold out", f"{WAITING}Berth e, Thing f"),
            silent=FALSE,
        ),
        up(
            lambda: making_room("z2", 2),
            calls=None,
            state=("a: a-z1", "e: e", "f: e-z1"),
        ),
    ),
    scenario(
        "a component that waits takes what is in it along, and stops nothing else",
        without_room(
            in_component,
            says=("Thing a: no room", f"{WAITING}Group g, Thing in-g"),
        ),
        up(
            in_component,
            calls=("create a-z1", "create in-g-z1"),
            state=("a: a-z1", "g: a component", "in-g: in-g-z1", "d: d-z1", "on-d: on-d-z1"),
        ),
    ),
    scenario(
        "a thing that truly lacks something is told beside what waits",
        up(
            lacking,
            faults=(ROOM,),
            meanwhile=release_at_failure("a"),
            calls=(any_order("create a-z1", "create d-z1"),),
            code=1,
            state=("d: d-z1",),
            says=("Thing a: no room", "Thing c: name: required: Name in the cloud."),
        ),
    ),
    scenario(
        "what was deleted to make room waits until there is a new one",
        up(
            lambda: berths("z1"),
            before=lambda world: world.go.touch(),
            calls=None,
            state=("a: a", "b: b1-z1", "d: d-z1", "on-d: on-d-z1"),
        ),
        up(
            lambda: berths("z2"),
            faults=(fault("POST a", "no room"),),
            calls=None,
            code=1,
            state=("a: a (to replace)", "d: d-z1", "on-d: on-d-z2"),
            remote=("d-z1", "on-d-z2"),  # what was replaced well is gone, though the run failed
            says=("Berth a: no room", f"{WAITING}Thing b"),
            silent=FALSE,
        ),
        up(
            lambda: berths("z2"),
            calls=None,
            state=("a: a", "b: b1-z1", "d: d-z1", "on-d: on-d-z2"),
        ),
    ),
    scenario(
        "what stands waits for a new one that waits",
        up(lambda: between(has_new=False), calls=None, state=("a: a-z1", "e: e-z1")),
        up(
            lambda: between(has_new=True),
            faults=(SOLD_OUT,),
            calls=("update a-z1",),
            code=1,
            says=("Thing a: size 2 is sold out", f"{WAITING}Thing b, Thing e"),
            silent=FALSE,
        ),
        up(
            lambda: between(has_new=True),
            calls=("update a-z1", "create a-z1-z1", "update e-z1"),
            state=("a: a-z1", "b: a-z1-z1", "e: e-z1"),
        ),
    ),
    scenario(
        "nothing is read by an id that hangs on what failed",
        without_room(
            looks,
            says=("up of stack local failed:\n  Thing a: no room", f"{WAITING}Thing b"),
        ),
        up(
            looks,
            calls=None,
            state=("a: a-z1", "b: b-z1", "d: d-z1", "on-d: on-d-z1", "seen: d-z1 (not ours)"),
        ),
        up(
            lambda: looks(2),
            faults=(SOLD_OUT,),
            calls=("update a-z1",),
            code=1,
            says=("Thing a: size 2 is sold out", f"{WAITING}Thing b"),
            silent=FALSE,
        ),
    ),
)
