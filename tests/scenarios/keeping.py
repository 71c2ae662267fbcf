"""What is kept: protected, retained, failing to go; and stacks that keep out of each other."""

from __future__ import annotations

import pulumi

from moorage.deploy.stored import state
from tests.scenarios.programs import these, thing
from tests.scenarios.story import any_order, by_hand, destroy, fault, preview, scenario, up
from tests.scenarios.world import World

PROTECTED = {"protect": True}


def moved(world: World) -> None:
    """`pulumi state move` of a thing, from one stack to the other."""
    urn = next(one["urn"] for one in world.resources())
    with world.stack("local", lambda: None).opened("state move") as session:
        session.cli(["state", "move", "--source", "local", "--dest", "other", urn, "--yes"])


def forgotten(world: World) -> None:
    """`moorage state remove` of a thing."""
    with world.stack("local", lambda: None).opened("state remove") as session:
        world.told.append(state.remove(session, "a"))


def unprotected(world: World) -> None:
    """`moorage state unprotect` of a thing."""
    with world.stack("local", lambda: None).opened("state unprotect") as session:
        world.told.append(state.unprotect(session, "team::a"))


def both() -> None:
    """The same program for every stack, with a place of its own for each."""
    stack = pulumi.get_stack()
    for name in ("a", "b"):
        thing(name, zone=stack)()


KEEPING = (
    scenario(
        "what is protected is not deleted until the program lets go of it",
        up(thing("a", PROTECTED), calls=("create a-z1",), state=("a: a-z1 (protected)",)),
        up(code=1, says=("Thing a is protected, so it is not deleted; take `protect` out",)),
        up(thing("a"), state=("a: a-z1",)),
        up(calls=("delete a-z1",), state=()),
    ),
    scenario(
        "what is protected is not replaced, but updated",
        up(thing("a", PROTECTED), calls=("create a-z1",), state=("a: a-z1 (protected)",)),
        preview(thing("a", PROTECTED, zone="z2"), code=1, says=("Thing a is protected",)),
        up(
            thing("a", PROTECTED, zone="z2"),
            code=1,
            says=("Thing a is protected, and a replacement would delete it",),
        ),
        up(thing("a", PROTECTED, size=2), calls=("update a-z1",)),
    ),
    scenario(
        # The engine alone would delete the rest, and stop at what is protected.
        "a destroy touches nothing while something is protected, and takes all once it is not",
        up(
            these(thing("team::a", PROTECTED, name="a"), thing("b")),
            calls=None,
            state=("team::a: a-z1 (protected)", "b: b-z1"),
        ),
        destroy(
            code=1,
            state=("team::a: a-z1 (protected)", "b: b-z1"),
            says=(
                "Thing team::a is protected, so nothing was deleted",
                "`moorage state unprotect team::a --stack local`",
            ),
        ),
        by_hand(
            unprotected,
            state=("team::a: a-z1", "b: b-z1"),
            says=("Thing team::a is not protected any more",),
        ),
        destroy(calls=None, state=()),
    ),
    scenario(
        "what is retained goes on when it leaves the program",
        up(
            thing("a", {"retain_on_delete": True}),
            calls=("create a-z1",),
            state=("a: a-z1 (retained)",),
        ),
        up(state=(), remote=("a-z1",)),
        # It is ours, so the program gets it back.
        up(thing("a"), calls=("create a-z1", "GET a-z1"), state=("a: a-z1",)),
    ),
    scenario(
        "a delete that fails keeps the thing in state, and is made again",
        up(these(thing("a"), thing("b")), calls=None, state=("a: a-z1", "b: b-z1")),
        up(
            thing("b"),
            faults=(fault("DELETE a-z1", "it is still in use"),),
            calls=("delete a-z1",),
            code=1,
            says=("Thing a: it is still in use; it stays in the state; the next run tries again",),
        ),
        up(thing("b"), calls=("delete a-z1",), state=("b: b-z1",)),
    ),
    scenario(
        "a destroy goes on after a failure, and ends with the next one",
        up(these(thing("a"), thing("b")), calls=None, state=("a: a-z1", "b: b-z1")),
        destroy(
            faults=(fault("DELETE a-z1", "it is still in use"),),
            calls=(any_order("delete a-z1", "delete b-z1"),),
            code=1,
            state=("a: a-z1",),
        ),
        destroy(calls=("delete a-z1",), state=()),
    ),
    scenario(
        "a delete whose answer was lost is made again, and finds nothing",
        up(thing("a"), calls=("create a-z1",), state=("a: a-z1",)),
        up(
            faults=(fault("DELETE a-z1", "the connection broke", after=True),),
            calls=("delete a-z1",),
            code=1,
            remote=(),
        ),
        up(calls=("delete a-z1",), state=()),
    ),
    scenario(
        "a thing moves from one stack to the other, and is only renamed its owner there",
        up(thing("a"), calls=("create a-z1",), state=("a: a-z1",)),
        up(stacks=("other",), state=("a: a-z1",)),
        by_hand(moved, state=("a: a-z1",)),
        up(says=("nothing changed",)),
        up(
            thing("a"),
            stacks=("other",),
            calls=("update a-z1",),
            holds={"a.inputs.owner": "demo/other"},
        ),
    ),
    scenario(
        "what was removed from the state is taken over by the next up",
        up(thing("a"), calls=("create a-z1",), state=("a: a-z1",)),
        by_hand(
            forgotten,
            state=(),
            remote=("a-z1",),
            says=("Thing a: forgotten; the thing itself goes on",),
        ),
        up(thing("a"), calls=("create a-z1", "GET a-z1"), state=("a: a-z1",)),
    ),
    scenario(
        "two stacks with the same names have each their own things",
        up(thing("a", zone="z1"), calls=("create a-z1",), state=("a: a-z1",)),
        up(
            thing("a", zone="z2"),
            stacks=("other",),
            calls=("create a-z2",),
            state=("a: a-z1", "a: a-z2"),
        ),
        destroy(calls=("delete a-z1",), state=("a: a-z2",)),
        destroy(stacks=("other",), calls=("delete a-z2",), state=()),
    ),
    scenario(
        "the second of two stacks that name the same thing is refused",
        up(thing("a"), calls=("create a-z1",), state=("a: a-z1",)),
        up(
            thing("a"),
            stacks=("other",),
            calls=("create a-z1", "GET a-z1", "GET a-z1"),
            code=1,
            says=("Thing a: a-z1 belongs to demo/local; choose another name",),
        ),
    ),
    scenario(
        "the same program comes up on two stacks at once",
        up(
            both,
            stacks=("local", "other"),
            calls=(any_order(*(f"create {n}-{s}" for n in "ab" for s in ("local", "other"))),),
            state=("a: a-local", "b: b-local", "a: a-other", "b: b-other"),
        ),
        destroy(
            stacks=("local", "other"),
            calls=(any_order(*(f"delete {n}-{s}" for n in "ab" for s in ("local", "other"))),),
            state=(),
        ),
    ),
)
