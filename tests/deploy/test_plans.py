"""An up that is bound to a reviewed preview does what was reviewed, or nothing at all."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from moorage.deploy import plans
from moorage.errors import MoorageError
from tests.deploy.project import Ended, Project

A_STEP = plans.Planned(urn="urn:pulumi:s::p::t::one", kind="create", paths=(), inputs="0a")
A_PLAN = plans.Plan(
    project="p",
    stack="s",
    backend="file:///s",
    created="2026-11-24T00:00:00+00:00",
    moorage="0.1",
    cli="3.259.0",
    options={
        "targets": ["a"],
        "exclude": [],
        "replace": [],
        "target_dependents": False,
        "refresh": False,
    },
    salt="00",
    state={},
    steps=(A_STEP,),
    outputs="0b",
)


def reviewed(project: Project, program: str, *words: str) -> Path:
    path = project.root / "plan.json"
    ended = project.cli(program, "preview", "--save", str(path), *words)
    assert ended.code == 0, ended.err
    return path


def refusal(ended: Ended, code: int = 1) -> str:
    assert ended.code == code, ended.err
    return ended.fault


@pytest.mark.engine
@pytest.mark.slow
def test_what_was_reviewed_is_done_and_the_file_gives_nothing_away(project: Project) -> None:
    plan = reviewed(project, "chain")
    text = plan.read_text()
    assert str(project.root / "left") not in text.replace(str(project.state.parent), "")
    assert [step["kind"] for step in json.loads(text)["steps"]] == ["create"] * 4
    assert project.cli("chain", "up", "--plan", str(plan)).code == 0
    assert (project.root / "left").exists()
    used = refusal(project.cli("chain", "up", "--plan", str(plan)))
    assert "Marker left: is new in the state since the review" in used
    assert "Marker left: create was reviewed, and is not wanted now" in used
    assert "moorage preview --stack local --save" in used


@pytest.mark.engine
@pytest.mark.slow
@pytest.mark.thorough
def test_a_plan_of_some_resources_does_only_those(project: Project) -> None:
    assert project.cli("chain", "up").code == 0
    plan = reviewed(project, "chain", "--replace", "after-left", "--target", "after-left")
    assert "leave the flags" in refusal(
        project.cli("chain", "up", "--plan", str(plan), "--target", "left"), 2
    )
    done = project.cli("chain", "up", "--plan", str(plan), "--json")
    assert json.loads(done.out)["changes"] == {"replace": 1, "same": 3}


@pytest.mark.engine
@pytest.mark.slow
@pytest.mark.thorough
def test_a_program_that_changed_is_refused(project: Project) -> None:
    plan = reviewed(project, "one")
    other = refusal(project.cli("chain", "up", "--plan", str(plan)))
    assert "Marker one: create was reviewed, and is not wanted now" in other
    assert "Marker left: create was not reviewed" in other
    (project.root / "broken").write_text("left")
    chain = reviewed(project, "chain")
    (project.root / "broken").unlink()
    values = refusal(project.cli("chain", "up", "--plan", str(chain)))
    assert "Marker left: create with other values than those reviewed" in values
    assert not (project.root / "left").exists()


@pytest.mark.engine
@pytest.mark.slow
@pytest.mark.thorough
def test_a_state_that_moved_on_is_refused_and_one_that_stood_still_is_not(
    project: Project,
) -> None:
    assert project.cli("one", "up").code == 0
    plan = reviewed(project, "chain")
    assert project.cli("one", "up").code == 0, "an up that changes nothing"
    (project.root / "one").unlink()
    assert project.cli("one", "refresh").code == 0
    moved = refusal(project.cli("chain", "up", "--plan", str(plan)))
    assert "Marker one: is gone in the state since the review" in moved
    assert not (project.root / "left").exists()


@pytest.mark.engine
@pytest.mark.slow
@pytest.mark.thorough
def test_drift_that_the_review_did_not_see_is_refused(project: Project) -> None:
    assert project.cli("one", "up").code == 0
    plan = reviewed(project, "one", "--refresh")
    assert project.cli("one", "up", "--plan", str(plan)).code == 0, "nothing moved"
    (project.root / "one").unlink()
    drifted = refusal(project.cli("one", "up", "--plan", str(plan)))
    assert "Marker one: create was not reviewed" in drifted


@pytest.mark.engine
@pytest.mark.slow
@pytest.mark.thorough
def test_a_plan_of_another_stack_is_refused(project: Project) -> None:
    plan = reviewed(project, "one")
    plan.write_text(plan.read_text().replace('"stack": "local"', '"stack": "prod"'))
    assert "is a plan for stack prod" in refusal(project.cli("one", "up", "--plan", str(plan)), 2)
    assert not (project.root / "one").exists()


def with_member(name: str, value: Any) -> Callable[[str], str]:
    """The text of a plan with another value of a member."""
    return lambda text: json.dumps({**json.loads(text), name: value})


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda text: text[: len(text) // 2], "is no plan, or not a whole one"),
        (lambda text: "{}", "is no plan"),
        (lambda text: "[]", "is no plan"),
        (lambda text: text.replace("moorage-plan/1", "moorage-plan/9"), "of another format"),
        (lambda text: text.replace('"salt": "', '"salt": "x'), "is no plan"),
        (lambda text: text.replace('"kind"', '"sort"'), "is no plan"),
        (with_member("state", []), "is no plan"),
        (with_member("state", {"urn:pulumi:one": None}), "is no plan"),
        (with_member("backend", 1), "is no plan"),
        (with_member("options", "targets"), "is no plan"),
        (with_member("options", {**A_PLAN.options, "targets": [{}]}), "is no plan"),
        (with_member("options", {**A_PLAN.options, "targets": "one"}), "is no plan"),
    ],
    ids=[
        *("cut", "empty", "list", "newer", "salt", "step"),
        *("state", "digest", "backend", "options", "target", "targets"),
    ],
)
def test_a_file_that_is_no_plan_is_refused(
    tmp_path: Path, spoil: Callable[[str], str], says: str
) -> None:
    path = tmp_path / "plan.json"
    plans.write(path, A_PLAN)
    assert plans.read(path) == A_PLAN
    path.write_text(spoil(path.read_text()))
    with pytest.raises(MoorageError, match=says):
        plans.read(path)
