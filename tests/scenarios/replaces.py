"""Replacements, both ways; who goes along with them, and what holds them up."""

from __future__ import annotations

from pulumi import Alias, ComponentResource, ResourceOptions

from moorage.deploy.options import Options
from tests.scenarios.programs import berth, these, thing, zone_of
from tests.scenarios.story import Program, any_order, destroy, fault, preview, scenario, up
from tests.scripted.resources import Berth, Thing


def chain(zone: str) -> Program:
    """A thing, one that stands in it, and one that only mentions the second."""

    def program() -> None:
        first = Thing("a", zone=zone)
        second = Thing("b", zone=zone_of(first))
        Thing("c", note=second.url)

    return program


def berths(name: str) -> Program:
    """A berth, and a thing of each kind that has to be made anew with it."""

    def program() -> None:
        first = Berth("a", name=name)
        Berth("b", zone=zone_of(first))
        Thing("c", note=first.url)

    return program


def in_group(group: str, child: str, *aliases: Alias, on_group: str = "") -> Program:
    """A component with a child; the child, or the component, may have had another name."""

    def program() -> None:
        renamed = [Alias(name=on_group)] if on_group else []
        parent = ComponentResource("demo:Group", group, None, ResourceOptions(aliases=renamed))
        opts = ResourceOptions(parent=parent, aliases=list(aliases))
        Thing(child, opts, name="a")

    return program


def in_its_home(zone: str) -> Program:
    """A thing that goes down with another one."""

    def program() -> None:
        home = Thing("home", zone=zone)
        Thing("guest", ResourceOptions(deleted_with=home, depends_on=[home]))

    return program


LATE = fault("AWAIT a-z2", "it does not answer")


def leaning(zone: str, size: int = 1) -> Program:
    """A thing that leans on two others."""

    def program() -> None:
        first, second = Thing("a", zone=zone), Thing("c", size=size)
        Thing("b", ResourceOptions(depends_on=[second]), note=first.url)

    return program


REPLACES = (
    scenario(
        "the new thing is created before the old one is deleted",
        up(thing("a"), calls=("create a-z1",), state=("a: a-z1",)),
        preview(thing("a", zone="z2"), says=("Thing a would be replaced: zone changed",)),
        up(
            thing("a", zone="z2"),
            calls=("create a-z2", "GET a-z2", "POST a-z2", "delete a-z1", "DELETE a-z1"),
            state=("a: a-z2",),
            silent=("an earlier run",),
        ),
        sample=True,
    ),
    scenario(
        "a berth is deleted before it is created anew",
        up(berth("b"), calls=("create b",), state=("b: b",)),
        up(
            berth("b", zone="z2"),
            calls=("read b", "GET b", "delete b", "DELETE b", "create b", "GET b", "POST b"),
            state=("b: b",),
            silent=("an earlier run",),
            holds={"b.inputs.zone": "z2"},
        ),
        sample=True,
    ),
    scenario(
        "a program may ask for the old one to go first",
        up(thing("a"), calls=("create a-z1",), state=("a: a-z1",)),
        up(
            thing("a", {"delete_before_replace": True}, zone="z2"),
            calls=("delete a-z1", "create a-z2"),
            state=("a: a-z2",),
        ),
    ),
    scenario(
        "a replacement goes down the chain, and back up it with the old ones",
        up(
            chain("z1"),
            calls=("create a-z1", "create b-a-z1", "create c-z1"),
            state=("a: a-z1", "b: b-a-z1", "c: c-z1"),
        ),
        up(
            chain("z2"),
            calls=(
                *("create a-z2", "create b-a-z2", "update c-z1"),
                *("delete b-a-z1", "delete a-z1"),
            ),
            state=("a: a-z2", "b: b-a-z2", "c: c-z1"),
        ),
    ),
    scenario(
        "what depends on a berth that goes first goes before it",
        up(
            berths("one"),
            calls=("create one", any_order("create b", "create c-z1")),
            state=("a: one", "b: b", "c: c-z1"),
        ),
        up(
            berths("two"),
            calls=(
                any_order("read one", "read b"),
                *("delete b", "delete one", "create two"),
                any_order("create b", "update c-z1"),
            ),
            state=("a: two", "b: b", "c: c-z1"),
        ),
    ),
    scenario(
        "replace_on_changes makes anew what could be changed in place",
        up(thing("a"), calls=("create a-z1",), state=("a: a-z1",)),
        up(
            thing("a", {"replace_on_changes": ["size"], "delete_before_replace": True}, size=2),
            calls=("delete a-z1", "create a-z1"),
            state=("a: a-z1",),
            holds={"a.outputs.revision": 1},
        ),
    ),
    scenario(
        # The new one adopts what has its name; the engine would then delete that as the old one.
        "what is made anew under the same name is taken over and not deleted",
        up(thing("a"), calls=("create a-z1",), state=("a: a-z1",)),
        up(
            thing("a", {"replace_on_changes": ["size"]}, size=2),
            calls=("create a-z1",),
            state=("a: a-z1",),
            says=("a-z1 stays: a goes on with it",),
            silent=("an earlier run",),
            holds={"a.outputs.revision": 2},
        ),
    ),
    scenario(
        # The engine does not ask the provider which one goes first: the program has to say it.
        "the --replace of a command makes one thing anew",
        up(
            these(berth("a", {"delete_before_replace": True}), thing("b")),
            calls=None,
            state=("a: a", "b: b-z1"),
        ),
        up(
            these(berth("a", {"delete_before_replace": True}), thing("b")),
            options=Options(replace=("a",)),
            calls=("read a", "delete a", "create a"),
        ),
    ),
    scenario(
        "ignored changes are not made, and replace nothing",
        up(thing("a", size=1), calls=("create a-z1",), state=("a: a-z1",)),
        up(
            thing("a", {"ignore_changes": ["size", "zone"]}, size=7, zone="z9"),
            says=("nothing changed",),
            holds={"a.inputs.size": 1},
        ),
        up(
            thing("a", {"ignore_changes": ["size"]}, size=7, note="but this"),
            calls=("update a-z1",),
            holds={"a.inputs.size": 1, "a.inputs.note": "but this"},
        ),
    ),
    scenario(
        "an alias keeps a renamed thing",
        up(thing("old", name="a"), calls=("create a-z1",), state=("old: a-z1",)),
        up(
            thing("new", {"aliases": [Alias(name="old")]}, name="a"),
            state=("new: a-z1",),
            says=("nothing changed",),
        ),
        up(thing("new", name="a"), state=("new: a-z1",)),
    ),
    scenario(
        "without an alias a renamed thing goes on under its new name",
        up(thing("old", name="a"), calls=("create a-z1",), state=("old: a-z1",)),
        up(
            thing("new", name="a"),
            calls=("create a-z1",),
            state=("new: a-z1",),
            says=("a-z1 stays: new goes on with it",),
        ),
    ),
    scenario(
        "an alias keeps a thing that moved into a component",
        up(thing("a"), calls=("create a-z1",), state=("a: a-z1",)),
        up(
            in_group("group", "a", Alias(parent=None)),
            state=("a: a-z1", "group: a component"),
        ),
    ),
    scenario(
        "an alias of a component keeps its children",
        up(
            in_group("old", "one"),
            calls=("create a-z1",),
            state=("old: a component", "one: a-z1"),
        ),
        up(
            in_group("new", "one", on_group="old"),
            state=("new: a component", "one: a-z1"),
            says=("nothing changed",),
        ),
    ),
    scenario(
        "what goes down with another thing is not deleted by itself",
        up(
            in_its_home("z1"),
            calls=("create home-z1", "create guest-z1"),
            state=("home: home-z1", "guest: guest-z1"),
        ),
        destroy(calls=("delete home-z1",), state=(), remote=("guest-z1",)),
    ),
    scenario(
        "the old one stays, marked, when its deletion fails, and goes with the next up",
        up(thing("a"), calls=("create a-z1",), state=("a: a-z1",)),
        up(
            thing("a", zone="z2"),
            faults=(fault("DELETE a-z1", "it is still in use"),),
            calls=("create a-z2", "delete a-z1"),
            code=1,
            state=("a: a-z2", "a: a-z1 (to delete)"),
            says=(
                "Thing a: it is still in use; the new one is in place, the old one stays",
                "the next `moorage up` or `destroy` tries to delete it again",
            ),
            silent=("an earlier run",),
        ),
        up(
            thing("a", zone="z2"),
            calls=("delete a-z1",),
            state=("a: a-z2",),
            says=("an earlier run replaced it and could not delete the old one (a-z1)",),
        ),
    ),
    scenario(
        "a replacement whose creation fails leaves the old one untouched",
        up(thing("a"), calls=("create a-z1",), state=("a: a-z1",)),
        up(
            thing("a", zone="z2"),
            faults=(fault("POST a-z2", "no room in z2; choose another zone"),),
            calls=("create a-z2",),
            code=1,
            says=("Thing a: no room in z2; choose another zone",),
        ),
        up(thing("a"), says=("nothing changed",)),
    ),
    scenario(
        "a new one that does not get well leaves the old one to serve until one does",
        up(thing("a"), calls=("create a-z1",), state=("a: a-z1",)),
        up(
            thing("a", zone="z2"),
            faults=(LATE,),
            calls=("create a-z2",),
            code=1,
            state=("a: a-z1 (to delete)", "a: a-z2 (unfinished)"),
            remote=("a-z1", "a-z2"),
            says=(
                "Thing a: it does not answer; it exists and is in the state",
                "this run deletes nothing: the old Thing a stays until the new one is well",
            ),
        ),
        up(
            thing("a", zone="z2"),
            faults=(LATE,),
            calls=("update a-z2",),
            code=1,
            remote=("a-z1", "a-z2"),
            says=("the old Thing a stays until the new one is well",),
        ),
        up(
            thing("a", zone="z2"),
            calls=("update a-z2", "delete a-z1"),
            state=("a: a-z2",),
            remote=("a-z2",),
        ),
        sample=True,
    ),
    scenario(
        "what the old one's program wants back is taken over, and the new one goes",
        up(thing("a"), calls=("create a-z1",), state=("a: a-z1",)),
        up(
            thing("a", zone="z2"),
            faults=(LATE,),
            calls=("create a-z2",),
            code=1,
            state=("a: a-z1 (to delete)", "a: a-z2 (unfinished)"),
            remote=("a-z1", "a-z2"),
            silent=("created all the same",),
        ),
        up(thing("a"), calls=None, state=("a: a-z1",), remote=("a-z1",)),
    ),
    scenario(
        "the old one stays for what was left out and may still need it",
        up(leaning("z1"), calls=None, state=("a: a-z1", "b: b-z1", "c: c-z1")),
        up(
            leaning("z2", size=2),
            faults=(fault("PUT c-z1", "size 2 is sold out"),),
            calls=(any_order("create a-z2", "update c-z1"),),
            code=1,
            state=("a: a-z1 (to delete)", "a: a-z2", "b: b-z1", "c: c-z1"),
            remote=("a-z1", "a-z2", "b-z1", "c-z1"),
            says=("Thing b, which is not brought up to date, may still need the old Thing a",),
        ),
        up(
            leaning("z2", size=2),
            calls=("update c-z1", "update b-z1", "delete a-z1"),
            state=("a: a-z2", "b: b-z1", "c: c-z1"),
            remote=("a-z2", "b-z1", "c-z1"),
        ),
    ),
    scenario(
        "a berth whose second creation fails is created by the next up",
        up(berth("b"), calls=("create b",), state=("b: b",)),
        up(
            berth("b", zone="z2"),
            faults=(fault("POST b", "no room"),),
            calls=("read b", "delete b", "create b"),
            code=1,
            state=("b: b (to replace)",),
            remote=(),
            says=(
                "Berth b: no room; the old one is gone already; the next `moorage up` creates it",
            ),
        ),
        up(berth("b", zone="z2"), calls=("create b",), state=("b: b",)),
    ),
)
