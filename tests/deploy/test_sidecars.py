"""A sidecar that a kill left empty is removed; a whole one, and every other stack's, stays."""

from __future__ import annotations

from pathlib import Path

import pytest

from moorage.deploy import sidecars
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


@pytest.mark.engine
def test_a_run_after_a_kill_that_emptied_the_sidecar_goes_on(project: Project) -> None:
    assert project.run("up", "one").code == 0
    (sidecar,) = (project.root / ".moorage/state").glob("**/stacks/**/*.json.attrs")
    sidecar.write_text("")
    after = project.run("up", "one")
    assert after.code == 0, after.err
    assert project.run("destroy").code == 0
