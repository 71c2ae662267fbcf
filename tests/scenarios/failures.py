"""Failures of creates and updates: half done, not at all, or nobody knows."""

from __future__ import annotations

from pulumi import ResourceOptions

from moorage.deploy.options import Options
from tests.scenarios.programs import thing
from tests.scenarios.story import any_order, destroy, fault, scenario, up
from tests.scenarios.world import interrupt_at, release_at_failure
from tests.scripted.resources import Thing

LATE = fault("AWAIT a-z1", "it does not answer; see its log")
HALF = {
    "code": 1,
    "state": ("a: a-z1 (unfinished)",),
    "says": (
        "Thing a: it does not answer; see its log; it exists and is in the state",
        "the next `moorage up` goes on with it",
    ),
}


def branches() -> None:
    """A branch that fails at its root, and one that stands alone."""
    root = Thing("a")
    Thing("on-a", ResourceOptions(depends_on=[root]))
    other = Thing("b")
    Thing("on-b", ResourceOptions(depends_on=[other]))


def one_waits() -> None:
    """One fails, while another one waits that a third depends on."""
    Thing("a")
    other = Thing("b", waitFor="../../../go")
    Thing("on-b", ResourceOptions(depends_on=[other]))


def made_way(to: str) -> None:
    """One that another one needs has made way for one of another name; a third is not wanted."""
    root = Thing(to)
    Thing("b", note=root.url)
    if to == "a":
        Thing("c")


FAILURES = (
    scenario(
        "a create that fails outright leaves nothing, and is tried again",
        up(
            thing("a"),
            faults=(fault("POST a-z1", "no room in z1; choose another zone"),),
            # The last look is the driver's: is it there all the same?
            calls=("create a-z1", "GET a-z1", "POST a-z1", "GET a-z1"),
            code=1,
            state=(),
            says=("up of stack local failed: Thing a: no room in z1; choose another zone",),
        ),
        up(thing("a"), calls=("create a-z1",), state=("a: a-z1",)),
    ),
    scenario(
        "a create whose answer was lost is found again, and adopted",
        up(
            thing("a"),
            faults=(fault("POST a-z1", "the connection broke", after=True),),
            calls=("create a-z1", "GET a-z1", "POST a-z1", "GET a-z1"),
            code=1,
            state=("a: a-z1 (unfinished)",),
            says=("Thing a: it was created all the same; now in the state",),
        ),
        up(thing("a"), calls=("update a-z1", "GET a-z1"), state=("a: a-z1",)),
        sample=True,
    ),
    scenario(
        "what exists and is not ready is in state, and gone on with",
        up(thing("a"), faults=(LATE,), calls=("create a-z1",), **HALF),
        up(
            thing("a"),
            calls=("update a-z1", "GET a-z1"),
            state=("a: a-z1",),
            says=("Thing a: an earlier run left it unfinished (it does not answer; see its log)",),
        ),
    ),
    scenario(
        "what is not ready the second time either stays in state",
        up(thing("a"), faults=(LATE,), calls=("create a-z1",), **HALF),
        up(thing("a"), faults=(LATE,), calls=("update a-z1",), **HALF),
        up(thing("a"), calls=("update a-z1",), state=("a: a-z1",)),
    ),
    scenario(
        "what is not ready is repaired by other inputs",
        up(thing("a"), faults=(LATE,), calls=("create a-z1",), **HALF),
        up(
            thing("a", size=4),
            calls=("update a-z1", "GET a-z1", "PUT a-z1"),
            state=("a: a-z1",),
            holds={"a.outputs.size": 4},
        ),
    ),
    scenario(
        "what is not ready is replaced by a better one",
        up(thing("a"), faults=(LATE,), calls=("create a-z1",), **HALF),
        up(
            thing("a", zone="z2"),
            calls=("create a-z2", "delete a-z1"),
            state=("a: a-z2",),
        ),
    ),
    scenario(
        "what is not ready is destroyed like anything else",
        up(thing("a"), faults=(LATE,), calls=("create a-z1",), **HALF),
        destroy(calls=("delete a-z1",), state=()),
    ),
    scenario(
        "what is not ready and no longer wanted is deleted by the next up",
        up(thing("a"), faults=(LATE,), calls=("create a-z1",), **HALF),
        up(calls=("delete a-z1",), state=()),
    ),
    scenario(
        "an update that fails is made again",
        up(thing("a"), calls=("create a-z1",), state=("a: a-z1",)),
        up(
            thing("a", size=2),
            faults=(fault("PUT a-z1", "size 2 is sold out"),),
            calls=("update a-z1",),
            code=1,
            holds={"a.inputs.size": 1},
            says=("Thing a: size 2 is sold out",),
        ),
        up(thing("a", size=2), calls=("update a-z1", "GET a-z1", "PUT a-z1")),
    ),
    scenario(
        "an update whose answer was lost is made again, and changes nothing",
        up(thing("a"), calls=("create a-z1",), state=("a: a-z1",)),
        up(
            thing("a", size=2),
            faults=(fault("PUT a-z1", "the connection broke", after=True),),
            calls=("update a-z1",),
            code=1,
            holds={"a.inputs.size": 1},
        ),
        up(thing("a", size=2), calls=("update a-z1", "GET a-z1")),
    ),
    scenario(
        "an update that fails half-way keeps what it did, and is gone on with",
        up(thing("a"), calls=("create a-z1",), state=("a: a-z1",)),
        up(
            thing("a", size=2),
            faults=(LATE,),
            calls=("update a-z1",),
            # The engine keeps the old inputs, so that the next run sees the same difference.
            holds={"a.inputs.size": 1, "a.outputs.revision": 2},
            **HALF,
        ),
        up(thing("a", size=2), calls=("update a-z1", "GET a-z1"), state=("a: a-z1",)),
    ),
    scenario(
        "an update that fails half-way is taken back by the old program",
        up(thing("a"), calls=("create a-z1",), state=("a: a-z1",)),
        up(thing("a", size=2), faults=(LATE,), calls=("update a-z1",), **HALF),
        up(
            thing("a"),
            calls=("update a-z1",),
            state=("a: a-z1",),
            holds={"a.inputs.size": 1},
        ),
    ),
    scenario(
        "a failure stops what depends on it, and nothing else",
        up(
            branches,
            faults=(fault("POST a-z1", "no room"),),
            calls=(any_order("create a-z1", "create b-z1", "create on-b-z1"),),
            code=1,
            state=("b: b-z1", "on-b: on-b-z1"),
            says=("Thing a: no room", "left out, as they depend on what failed: Thing on-a"),
        ),
        up(
            branches,
            calls=("create a-z1", "create on-a-z1"),
            state=("a: a-z1", "b: b-z1", "on-a: on-a-z1", "on-b: on-b-z1"),
        ),
    ),
    scenario(
        "what was left out keeps what it needs, though the program declares that no longer",
        up(lambda: made_way("a"), calls=None, state=("a: a-z1", "b: b-z1", "c: c-z1")),
        up(
            lambda: made_way("d"),
            faults=(fault("POST d-z1", "no room"),),
            calls=("create d-z1",),
            code=1,
            state=("a: a-z1", "b: b-z1", "c: c-z1"),
            says=(
                "Thing d: no room",
                "this run deletes nothing: Thing a is not declared any more, and Thing b, which is",
                "left out, as they depend on what failed: Thing b",
            ),
            silent=("integrity", "Traceback"),
        ),
        up(
            lambda: made_way("d"),
            calls=("create d-z1", "update b-z1", any_order("delete a-z1", "delete c-z1")),
            state=("b: b-z1", "d: d-z1"),
        ),
        sample=True,
    ),
    scenario(
        "where the first failure shall end the run, what is under way ends well",
        up(
            one_waits,
            options=Options(continue_on_error=False),
            faults=(fault("POST a-z1", "no room"),),
            meanwhile=release_at_failure("a"),
            calls=(any_order("create a-z1", "create b-z1"),),
            code=1,
            state=("b: b-z1",),
            says=("Thing a: no room", "not begun: Thing on-b"),
        ),
        up(
            one_waits,
            calls=(any_order("create a-z1", "create on-b-z1"),),
            state=("a: a-z1", "b: b-z1", "on-b: on-b-z1"),
        ),
    ),
    scenario(
        "an interrupt ends the wait, keeps what exists, and the next up goes on",
        up(
            one_waits,
            meanwhile=interrupt_at("POST b-z1"),
            calls=(any_order("create a-z1", "create b-z1"),),
            code=130,
            state=("a: a-z1", "b: b-z1 (unfinished)"),
            says=("cancelling", "`moorage up` goes on from here"),
        ),
        up(
            one_waits,
            before=lambda world: world.go.touch(),
            calls=("update b-z1", "create on-b-z1"),
            state=("a: a-z1", "b: b-z1", "on-b: on-b-z1"),
        ),
    ),
    scenario(
        "a thing of the same name that is not ours is refused, and left alone",
        up(
            thing("a"),
            before=lambda world: world.cloud.post(
                "a-z1", {"inputs": {"owner": "somebody"}, "revision": 9}
            ),
            calls=("create a-z1", "GET a-z1", "GET a-z1"),
            code=1,
            state=(),
            remote=("a-z1",),
            says=("Thing a: a-z1 belongs to somebody; choose another name",),
        ),
        sample=True,
    ),
)
