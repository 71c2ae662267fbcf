"""Parts of a stack: targets, what depends on them, and all but some."""

from __future__ import annotations

from pulumi import ResourceOptions

from moorage.deploy.options import Options
from tests.scenarios.story import Program, any_order, destroy, scenario, up
from tests.scripted.resources import Thing

ALL = ("a: a-z1", "b: b-z1", "c: c-z1")


def three(size: int) -> Program:
    """Two things on their own, and one that depends on the first."""

    def program() -> None:
        first = Thing("a", size=size)
        Thing("b", ResourceOptions(depends_on=[first]), size=size)
        Thing("c", size=size)

    return program


def urn(name: str) -> str:
    """What a thing that is not deployed yet is named by."""
    return f"urn:pulumi:local::demo::moorage:index:Thing::{name}"


PARTS = (
    scenario(
        "only the target is updated",
        up(three(1), calls=None, state=ALL),
        up(
            three(2),
            options=Options(targets=("a",)),
            calls=("update a-z1",),
            holds={"a.inputs.size": 2, "b.inputs.size": 1, "c.inputs.size": 1},
        ),
        up(three(2), calls=(any_order("update b-z1", "update c-z1"),)),
    ),
    scenario(
        # The engine compares the dependents too, and changes what differs in them.
        "a target's dependents go along where that is asked for",
        up(three(1), calls=None, state=ALL),
        up(
            three(2),
            options=Options(targets=("a",), target_dependents=True),
            calls=("update a-z1", "update b-z1"),
            holds={"c.inputs.size": 1},
        ),
    ),
    scenario(
        "all but what is excluded is updated",
        up(three(1), calls=None, state=ALL),
        up(
            three(2),
            options=Options(exclude=("c",)),
            calls=("update a-z1", "update b-z1"),
            holds={"c.inputs.size": 1},
        ),
    ),
    scenario(
        "a target that needs what is not there yet names it",
        up(
            three(1),
            options=Options(targets=(urn("b"),)),
            code=1,
            state=(),
            says=("Thing b needs Thing a, which is not deployed yet; name it too: --target a",),
        ),
        up(
            three(1),
            options=Options(targets=(urn("a"), urn("b"))),
            calls=("create a-z1", "create b-z1"),
            state=("a: a-z1", "b: b-z1"),
        ),
    ),
    scenario(
        "a target that others depend on is not destroyed without them",
        up(three(1), calls=None, state=ALL),
        destroy(
            options=Options(targets=("a",)),
            code=1,
            says=("Thing b depends on a target and would be deleted with it",),
        ),
        destroy(
            options=Options(targets=("a",), target_dependents=True),
            calls=("delete b-z1", "delete a-z1"),
            state=("c: c-z1",),
        ),
        destroy(calls=("delete c-z1",), state=()),
    ),
    scenario(
        "a target that there is not is refused, with those that come close",
        up(three(1), calls=None, state=ALL),
        up(
            three(2),
            options=Options(targets=("aa",)),
            code=2,
            says=("there is no resource aa in this stack; is it Thing::a?",),
        ),
    ),
)
