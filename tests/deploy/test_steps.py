"""What is drawn from the engine's steps: what would change, what was left out, what differs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from moorage.deploy import imports, plans
from moorage.deploy.events import Failed, Finished, Registered, Started
from moorage.deploy.options import Options, arguments
from moorage.deploy.steps import Step, Steps, told
from moorage.errors import Exit, MoorageError
from tests.deploy.test_plans import A_PLAN, A_STEP

KIND = "moorage:index:Process"
TYPES = [KIND, "moorage:index:ApiKey"]
ONE = f"urn:pulumi:local::demo::{KIND}::one"
STACK = "urn:pulumi:local::demo::pulumi:pulumi:Stack::demo-local"


def test_what_the_engine_never_came_to_was_left_out() -> None:
    steps = Steps()
    for name in ("one", "two", "three"):
        steps.watch(Registered(kind=KIND, name=name))
    steps.watch(Finished(urn=ONE, step="create"))
    steps.watch(Failed(urn=ONE.replace("one", "two"), step="create"))
    assert steps.left_out == ["Process three"]
    steps.watch(Registered(kind=KIND, name="four"))
    steps.watch(Finished(urn=ONE.replace("one", "four"), step="delete-replaced"))
    assert steps.left_out == ["Process three", "Process four"]


def test_a_look_that_finds_nothing_is_no_change_and_one_that_does_is() -> None:
    steps = Steps()
    for urn, found in ((ONE, "delete"), (STACK, "same")):
        steps.watch(Started(urn=urn, step="refresh"))
        steps.watch(Finished(urn=urn, step=found))
    assert told(steps.changes) == "Process one would be deleted"


def test_many_changes_are_told_in_one_line() -> None:
    many = [Step(urn=ONE.replace("one", str(n)), kind="create") for n in range(6)]
    assert told(many).endswith("Process 3 would be created and 2 more")
    assert told([Step(urn=ONE, kind="replace"), Step(urn=ONE, kind="create-replacement")]) == (
        "Process one would be replaced"
    )


def test_an_operation_is_given_only_what_it_takes() -> None:
    asked = Options(targets=("a",), exclude=("b",), replace=("c",), refresh=True, message="m")
    assert set(arguments(asked, "up")) == {
        *("target", "exclude", "replace", "refresh", "message"),
        *("continue_on_error", "parallel", "color"),
    }
    assert set(arguments(asked, "refresh")) == {"target", "exclude", "message", "parallel", "color"}


def state(*names: str) -> dict[str, object]:
    return {
        "resources": [{"urn": ONE.replace("one", n), "type": KIND, "id": f"/{n}"} for n in names]
    }


def wanted(**fields: str) -> imports.Batch:
    told = {"type": "Process", "name": "two", "id": "/two", **fields}
    return imports.Batch(wanted=(imports.Wanted(**told),), name_table={})  # type: ignore[arg-type]


def test_an_import_finds_whole_types_and_parents_and_knows_what_is_there() -> None:
    planned = imports.planned(wanted(parent="one"), state("one"), TYPES)
    assert planned.wanted[0].type == KIND
    assert planned.name_table == {"one": ONE}
    again = imports.planned(wanted(), state("two"), TYPES)
    assert (again.wanted, again.known) == ((), ("Process two is in this stack already",))


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"type": "Proces"}, "there is no type Proces; is it moorage:index:Process?"),
        ({"parent": "nobody"}, "there is no resource nobody"),
        ({"name": "one"}, "Process one is in this stack already, as /one, not /two"),
    ],
)
def test_an_import_that_cannot_be_is_refused(fields: dict[str, str], says: str) -> None:
    with pytest.raises(MoorageError, match=says.replace("?", r"\?")):
        imports.planned(wanted(**fields), state("one"), TYPES)


@pytest.mark.parametrize(
    ("now", "says"),
    [
        ({"state": {ONE: "1"}}, "Process one: is new in the state since the review"),
        ({"steps": ()}, "t one: create was reviewed, and is not wanted now"),
        ({"outputs": "0c"}, "the program's outputs are not those that were reviewed"),
        (
            {"steps": (replace(A_STEP, inputs="ff"),)},
            "t one: create with other values than those reviewed",
        ),
        (
            {"steps": (replace(A_STEP, paths=("a.b",)),)},
            "t one: create of a.b, where nothing was reviewed",
        ),
    ],
)
def test_every_difference_to_a_plan_is_a_line(now: dict[str, Any], says: str) -> None:
    path = Path("plan.json")
    plans.compare(path, A_PLAN, A_PLAN)
    with pytest.raises(MoorageError) as refused:
        plans.compare(path, A_PLAN, replace(A_PLAN, **now))
    assert f"\n  {says}\n" in str(refused.value)
    assert refused.value.exit_code == Exit.PROBLEMS
