"""The operations of a stack on the real engine, and what a person reads when one fails."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.deploy.project import Project

pytestmark = [pytest.mark.engine, pytest.mark.slow]


def test_a_stack_lives_from_preview_to_destroy(passphrased: Project) -> None:
    thing = passphrased.root / "one"
    preview = passphrased.run("preview")
    assert preview.said == {"changed": True, "changes": {"create": 1}}
    assert "Marker one would be created" in preview.err
    assert not thing.exists()

    assert passphrased.run("up").said == {"changed": True, "changes": {"create": 1}}
    assert thing.exists()
    again = passphrased.run("up")
    assert again.said == {"changed": False, "changes": {"same": 1}}
    assert "nothing changed, 1 unchanged" in again.err

    masked, shown = passphrased.run("outputs").said.values()
    assert masked["services"]["hello"]["api_key"] == "[secret]"
    assert shown["services"]["hello"]["api_key"] == "sk-1"

    thing.unlink()
    assert passphrased.run("refresh").said == {"changed": True, "changes": {"delete": 1}}
    assert passphrased.run("up").said["changed"]
    assert passphrased.run("destroy").said == {"changed": True, "changes": {"delete": 1}}
    assert not thing.exists()


@pytest.mark.thorough
def test_destroy_leaves_no_file_of_ours_and_no_trace_in_the_user_s_pulumi(
    passphrased: Project,
) -> None:
    passphrased.run("up")
    assert passphrased.run("destroy").code == 0
    assert not (passphrased.root / ".moorage").exists()
    home = Path(passphrased.environ["PULUMI_HOME"])
    assert not (home / "credentials.json").exists()
    assert not (home / "workspaces").exists()
    again = passphrased.run("destroy")
    assert (again.code, again.said["changed"]) == (0, False)
    assert "nothing is deployed as stack local" in again.err


def test_outputs_that_a_program_does_not_give_are_no_missing_stack(project: Project) -> None:
    assert project.run("up", "nested").code == 0
    ended = project.run("outputs")
    assert ended.code == 2
    assert ended.fault == "stack local has no outputs; run `moorage up --stack local`"


def test_outputs_of_nothing_say_what_to_do(project: Project) -> None:
    ended = project.run("outputs")
    assert ended.code == 2
    assert ended.fault == "nothing is deployed as stack local; run `moorage up --stack local`"


def test_what_the_provider_refuses_is_one_line(project: Project) -> None:
    ended = project.run("up", "refused")
    assert ended.code == 1
    assert ended.fault == (
        "up of stack local failed: Marker bad: no room for it: choose another place"
    )


def test_a_mistake_in_the_program_is_one_line_with_its_place(project: Project) -> None:
    ended = project.run("up", "raising")
    assert ended.code == 1
    assert "\n" not in ended.fault
    assert "ValueError: a mistake (" in ended.fault
    assert "tests/deploy/drive.py:" in ended.fault
    (log,) = (project.root / ".moorage" / "log").iterdir()
    assert str(log.relative_to(project.root)) in ended.fault
    assert "Traceback" in log.read_text()
    assert log.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("program", ["objecting", "objecting-late"])
def test_an_objection_of_ours_keeps_its_words_and_its_exit_code(
    project: Project, program: str
) -> None:
    ended = project.run("up", program)
    assert (ended.code, ended.fault) == (5, "this cannot be")


@pytest.mark.parametrize(
    "operation",
    [
        "up",
        pytest.param("refresh", marks=pytest.mark.thorough),
        pytest.param("destroy", marks=pytest.mark.thorough),
    ],
)
def test_a_wrong_passphrase_is_one_line_that_says_where_it_was_read(
    passphrased: Project, operation: str
) -> None:
    passphrased.run("up")
    path = passphrased.root / ".moorage" / "passphrase"
    right = path.read_text()
    path.write_text("wrong")
    ended = passphrased.run(operation)
    assert ended.code == 6
    assert ended.fault == f"the passphrase does not open stack local: it is read from {path}"
    from_outside = passphrased.run(operation, PULUMI_CONFIG_PASSPHRASE="also wrong")
    assert from_outside.code == 6
    assert "PULUMI_CONFIG_PASSPHRASE" in from_outside.fault
    path.write_text(right)
    assert passphrased.run("up").code == 0
