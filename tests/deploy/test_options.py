"""Options of an operation: some resources only, going on after a failure, no change expected."""

from __future__ import annotations

import json

import pytest

from moorage.deploy.names import resolve
from moorage.errors import MoorageError
from tests.deploy.project import Project

URNS = [
    "urn:pulumi:s::p::pulumi:pulumi:Stack::p-s",
    "urn:pulumi:s::p::moorage:index:ModelService::hello",
    "urn:pulumi:s::p::moorage:index:ModelService$moorage:index:Process::hello-local-1",
    "urn:pulumi:s::p::moorage:index:ModelService$moorage:index:ApiKey::hello",
]


def test_a_name_stands_for_every_resource_that_bears_it() -> None:
    assert resolve(["hello-local-1"], URNS) == [URNS[2]]
    assert resolve(["hello", "ApiKey::hello"], URNS) == [URNS[1], URNS[3]]
    assert resolve(["moorage:index:ApiKey::hello"], URNS) == [URNS[3]]
    assert resolve(["urn:pulumi:s::p::t::new"], URNS) == ["urn:pulumi:s::p::t::new"]
    colons = "urn:pulumi:s::p::moorage:index:ApiKey::team::hello"
    for name in ("team::hello", "ApiKey::team::hello", "moorage:index:ApiKey::team::hello"):
        assert resolve([name], [*URNS, colons]) == [colons]


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("hello-local-2", "is it Process::hello-local-1, "),
        ("xyz", "there are ModelService::hello, "),
        ("Process::hello", "there is no resource Process::hello"),
        ("urn:hello", "there is no resource urn:hello"),
    ],
)
def test_an_unknown_name_is_refused_with_those_near_it(name: str, says: str) -> None:
    with pytest.raises(MoorageError, match=r"^there is no resource") as refused:
        resolve([name], URNS)
    assert says in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.engine
@pytest.mark.slow
def test_a_failure_does_not_stop_what_does_not_depend_on_it(project: Project) -> None:
    (project.root / "broken").write_text("left")
    ended = project.cli("chain", "up")
    assert ended.code == 1
    assert "Marker left: no room for left" in ended.fault
    assert "Marker after-left" in ended.fault, "what was left out is named"
    assert (project.root / "right-after").exists()
    assert not (project.root / "left-after").exists()
    (project.root / "broken").unlink()
    assert json.loads(project.cli("chain", "up", "--json").out)["changes"]["create"] == 2


@pytest.mark.engine
@pytest.mark.slow
@pytest.mark.thorough
def test_only_what_is_named_is_touched(project: Project) -> None:
    assert project.cli("chain", "up").code == 0
    for name in ("left", "right"):
        (project.root / name).unlink()
    told = json.loads(project.cli("chain", "refresh", "--target", "left", "--json").out)
    assert told["changes"]["delete"] == 1
    unknown = project.cli("chain", "up", "--target", "rihgt")
    assert unknown.code == 2
    assert "is it Marker::right" in unknown.fault
    assert project.cli("chain", "destroy", "--target", "after-right").code == 0
    assert "after-left" in project.resources()
    assert "after-right" not in project.resources()


@pytest.mark.engine
@pytest.mark.slow
@pytest.mark.thorough
def test_where_no_change_is_expected_a_change_is_told_and_nothing_is_done(
    project: Project,
) -> None:
    for operation in ("preview", "up"):
        ended = project.cli("one", operation, "--expect-no-changes")
        assert ended.code == 7
        assert ended.fault == (
            f"{operation} of stack local: no change was expected, but Marker one would be created; "
            "nothing was done"
        )
    assert not (project.root / "one").exists()
    assert project.cli("one", "up").code == 0
    for operation in ("preview", "up", "refresh"):
        assert project.cli("one", operation, "--expect-no-changes").code == 0
    (project.root / "one").unlink()
    gone = project.cli("one", "refresh", "--expect-no-changes")
    assert (gone.code, "Marker one would be deleted" in gone.fault) == (7, True)
    assert "one" in project.resources()
