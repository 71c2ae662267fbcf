"""A sidecar that a kill left empty is removed; a whole one, and every other stack's, stays."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from moorage.deploy.stored import sidecars
from tests.deploy.project import Project


def test_only_broken_sidecars_of_the_stack_go(tmp_path: Path) -> None:
    stacks = tmp_path / "stacks" / "moorage"
    stacks.mkdir(parents=True)
    (stacks / "local.json").write_text("{}")
    (stacks / "local.json.attrs").write_text("")
    (stacks / "local.json.bak.attrs").write_text('{"md5": "x"}\n')
    (stacks / "other.json.attrs").write_text("")
    sidecars.mend(tmp_path, "moorage", "local")
    left = {path.name for path in stacks.iterdir()}
    assert left == {"local.json", "local.json.bak.attrs", "other.json.attrs"}


def test_a_lock_that_a_kill_left_half_written_goes_and_a_whole_one_stays(tmp_path: Path) -> None:
    locks = tmp_path / "locks" / "organization" / "moorage" / "local"
    locks.mkdir(parents=True)
    (locks / "whole.json").write_text("{}")
    (locks / "half.json.18eae1d1fc702ea5.tmp").write_text("")
    sidecars.mend(tmp_path, "moorage", "local")
    assert [path.name for path in locks.iterdir()] == ["whole.json"]


def test_a_lock_that_is_being_written_is_waited_for(tmp_path: Path) -> None:
    locks = tmp_path / "locks" / "organization" / "moorage" / "local"
    locks.mkdir(parents=True)
    draft = locks / "one.json.18eae1d1fc702ea5.tmp"
    draft.write_text("{}")
    writer = threading.Timer(0.2, draft.rename, [locks / "one.json"])
    writer.start()
    sidecars.mend(tmp_path, "moorage", "local")
    writer.join()
    assert [path.name for path in locks.iterdir()] == ["one.json"]


@pytest.mark.thorough
@pytest.mark.engine
def test_a_run_after_a_kill_that_emptied_the_sidecar_goes_on(project: Project) -> None:
    assert project.run("up", "one").code == 0
    (sidecar,) = (project.root / ".moorage/state").glob("**/stacks/**/*.json.attrs")
    sidecar.write_text("")
    after = project.run("up", "one")
    assert after.code == 0, after.err
    assert project.run("destroy").code == 0
