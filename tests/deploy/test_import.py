"""Importing on the real engine: what exists is taken over by its id; what that means is told."""

from __future__ import annotations

import json

import pytest

from tests.deploy.project import Project

pytestmark = [pytest.mark.engine, pytest.mark.slow]

MARKER = "moorage:index:Marker"


def test_what_exists_is_taken_over_by_its_id_alone(project: Project) -> None:
    thing = project.root / "one"
    thing.write_text("made by hand")
    ended = project.cli("one", "import", "Marker", "one", str(thing), "--json")
    assert ended.code == 0, ended.err
    assert json.loads(ended.out)["changes"] == {"import": 1}
    assert "Marker one: the program declares it the same way" in ended.err
    assert not project.resources()["one"].get("protect")
    again = project.cli("one", "import", MARKER, "one", str(thing))
    assert (again.code, "Marker one is in this stack already" in again.err) == (0, True)
    other = project.cli("one", "import", MARKER, "one", str(project.root))
    assert (other.code, "not " + str(project.root) in other.fault) == (2, True)
    assert thing.read_text() == "made by hand"
    assert project.cli("one", "up").code == 0
    assert thing.read_text() == "made by hand", "it was adopted, not made anew"


@pytest.mark.thorough
def test_what_the_program_declares_otherwise_is_told_at_once(project: Project) -> None:
    (project.root / "stray").touch()
    ended = project.cli("one", "import", MARKER, "stray", str(project.root / "stray"))
    assert ended.code == 0
    assert "Marker stray: the program does not declare it there" in ended.err
    assert "would DELETE it" in ended.err
    (project.root / "elsewhere").touch()
    moved = project.cli("one", "import", MARKER, "one", str(project.root / "elsewhere"))
    assert "Marker one: the program declares it otherwise (path)" in moved.err


@pytest.mark.thorough
def test_what_is_missing_or_of_no_type_is_one_line(project: Project) -> None:
    missing = project.cli("one", "import", MARKER, "one", str(project.root / "nowhere"))
    assert missing.code == 1
    assert missing.fault == (
        "import of stack local failed: there is nothing to import: "
        f"its provider knows no {project.root / 'nowhere'}"
    )
    wrong = project.cli("one", "import", "Marked", "one", "x")
    assert wrong.code == 2
    assert wrong.fault.startswith("there is no type Marked; is it moorage:index:Marker? there are:")
    parent = project.cli("nested", "import", MARKER, "inner", "x", "--parent", "group")
    assert (parent.code, "there is no resource group" in parent.fault) == (2, True)


@pytest.mark.thorough
def test_many_things_below_components_come_from_one_file(project: Project) -> None:
    thing = project.root / "inner"
    thing.touch()
    file = project.root / "import.json"
    listed = [
        {"type": "demo:index:Group", "name": "group", "component": True},
        {"type": MARKER, "name": "inner", "id": str(thing), "parent": "group"},
    ]
    file.write_text(json.dumps({"resources": listed}))
    ended = project.cli("nested", "import", "--file", str(file))
    assert ended.code == 0, ended.err
    assert "Marker inner: the program declares it the same way" in ended.err
    assert project.resources()["inner"]["parent"].endswith("demo:index:Group::group")
    thing.unlink()
    file.write_text('{"resources": [{"name": "x"}]}')
    assert (
        "resource 1 needs `type`, `name` and `id`"
        in project.cli("nested", "import", "--file", str(file)).fault
    )


def test_a_thing_may_be_called_as_its_parent_and_none_is_its_own(project: Project) -> None:
    assert project.cli("nested", "up").code == 0
    thing = project.root / "group"
    thing.touch()
    words = (MARKER, "group", str(thing), "--parent", "group")
    assert project.cli("nested", "import", *words).code == 0
    parents = [
        one["parent"]
        for one in json.loads((project.state / "stacks/demo/local.json").read_text())["checkpoint"][
            "latest"
        ]["resources"]
        if one["urn"].endswith(f"{MARKER}::group")
    ]
    assert [parent.rsplit("::", 2)[1:] for parent in parents] == [["demo:index:Group", "group"]]
    ring = [
        {"type": MARKER, "name": "a", "id": "x", "parent": "b"},
        {"type": MARKER, "name": "b", "id": "y", "parent": "a"},
    ]
    file = project.root / "import.json"
    file.write_text(json.dumps({"resources": ring}))
    ended = project.cli("nested", "import", "--file", str(file))
    assert (ended.code, ended.fault) == (2, "a is in b is in a: name a parent that is not within")
