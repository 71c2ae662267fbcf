"""The state in a person's hands: exported, put back, repaired, one resource let go of; the past."""

from __future__ import annotations

import json

import pytest

from tests.deploy.project import Project

pytestmark = [pytest.mark.engine, pytest.mark.slow]


def test_a_state_that_was_exported_can_be_put_back(project: Project) -> None:
    assert project.cli("one", "up").code == 0
    first, clear = project.root / "first.json", project.root / "clear.json"
    assert project.cli("one", "state", "export", "--file", str(first)).code == 0
    assert first.stat().st_mode & 0o077 == 0
    assert "sk-1" not in first.read_text()
    again = project.cli("one", "state", "export", "--file", str(first))
    assert (again.code, "is there already" in again.fault) == (2, True)
    shown = project.cli("one", "state", "export", "--show-secrets")
    assert "sk-1" in shown.out
    clear.write_text(shown.out)

    same = project.cli("one", "state", "import", str(first))
    assert same.code == 0, same.err
    (backup,) = (project.root / ".moorage" / "backups").iterdir()
    assert str(backup) in same.out
    assert json.loads(backup.read_text())["deployment"]["resources"]
    assert project.cli("one", "state", "import", str(clear)).code == 0
    assert "sk-1" not in (project.state / "stacks" / "demo" / "local.json").read_text()
    assert project.cli("one", "up", "--expect-no-changes").code == 0


@pytest.mark.thorough
def test_a_state_that_is_older_foreign_or_none_is_refused(project: Project) -> None:
    assert project.cli("one", "up").code == 0
    old = project.root / "old.json"
    assert project.cli("one", "state", "export", "--file", str(old)).code == 0
    text = old.read_text()
    older = json.loads(text)
    older["deployment"]["manifest"]["time"] = "2020-01-01T00:00:00Z"
    emptied = json.loads(text)
    emptied["deployment"]["resources"] = []
    refused = {
        json.dumps(older): "what was done since would be forgotten; --force does it",
        text.replace("urn:pulumi:local::demo", "urn:pulumi:prod::demo"): "state of stack prod",
        "{}": "is no state",
        "[": "is no state",
        '{"version": 3, "deployment": {"manifest": {}, "resources": [{}]}}': "is no state",
        json.dumps(emptied): "knows nothing of Marker one, which would go on existing",
    }
    for content, says in refused.items():
        old.write_text(content)
        ended = project.cli("one", "state", "import", str(old))
        assert ended.code != 0
        assert says in ended.fault
        assert "\n" not in ended.fault
    old.write_text(json.dumps(older))
    assert project.cli("one", "state", "import", str(old), "--force").code == 0


@pytest.mark.thorough
@pytest.mark.parametrize("passphrase", ["the same", "another"])
def test_a_stack_is_moved_to_another_backend(project: Project, passphrase: str) -> None:
    file, other = project.root / "moved.json", project.root / "states"
    other.mkdir()
    assert project.cli("one", "up", PULUMI_CONFIG_PASSPHRASE="the same").code == 0
    shown = ["--show-secrets"] if passphrase == "another" else []
    words = ["state", "export", "--file", str(file), *shown]
    assert project.cli("one", *words, PULUMI_CONFIG_PASSPHRASE="the same").code == 0
    there = {"PULUMI_BACKEND_URL": f"file://{other}", "PULUMI_CONFIG_PASSPHRASE": passphrase}
    moved = project.cli("one", "state", "import", str(file), **there)
    assert moved.out == f"stack local is what {file} says\n", moved.err
    assert "sk-1" not in (other / ".pulumi/stacks/demo/local.json").read_text()
    assert project.cli("one", "up", "--expect-no-changes", **there).code == 0
    assert project.cli("one", "destroy", **there).code == 0
    assert not (project.root / "one").exists()


@pytest.mark.thorough
def test_one_resource_is_let_go_of_and_goes_on(project: Project) -> None:
    assert project.cli("chain", "up").code == 0
    held = project.cli("chain", "state", "remove", "left")
    assert (held.code, "Marker after-left depend on it" in held.fault) == (1, True)
    told = project.cli("chain", "state", "remove", "after-left")
    path = project.root / "left-after"
    assert f"goes on (and costs what it costs) as {path}" in told.out
    assert path.exists()
    assert "after-left" not in project.resources()
    assert project.cli("chain", "state", "repair").code == 0


@pytest.mark.thorough
def test_the_past_is_told_newest_first_and_without_secrets(project: Project) -> None:
    nothing = project.cli("one", "history")
    assert (nothing.code, "nothing is deployed" in nothing.fault) == (2, True)
    assert project.cli("one", "up", "--message", "the first one").code == 0
    (project.root / "broken").write_text("left")
    assert project.cli("chain", "up").code == 1
    told = json.loads(project.cli("one", "history", "--json").out)
    assert [one["result"] for one in told] == ["failed", "succeeded"]
    assert told[1]["message"] == "the first one"
    assert told[1]["operation"] == "up"
    text = project.cli("one", "history").out
    assert "up succeeded" in text
    assert '"the first one"' in text
    assert "sk-1" not in text


@pytest.mark.thorough
def test_a_free_stack_has_nothing_to_cancel(project: Project) -> None:
    assert project.cli("one", "up").code == 0
    ended = project.cli("one", "cancel")
    assert (ended.code, ended.out) == (0, "no dead run holds stack local\n")
    told = json.loads(project.cli("one", "cancel", "--json").out)
    assert told == {"stack": "local", "free": True}
