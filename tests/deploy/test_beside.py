"""The plugin of a preview is one process, which starts beside the CLI and ends with the command."""

from __future__ import annotations

import sys
from pathlib import Path

import psutil
import pytest

from moorage.deploy import beside
from moorage.provider.__main__ import PACKAGE
from tests.deploy.project import Project, until


def starts(project: Project) -> list[str]:
    return (project.root / "starts").read_text().split()


def test_one_process_serves_a_preview(project: Project) -> None:
    log = {"STARTS": str(project.root / "starts")}
    assert project.cli("one", "preview", **log).code == 0
    assert starts(project) == ["beside"]
    assert project.cli("one", "up", **log).code == 0
    started = starts(project)
    assert set(started[1:]) == {"engine"}
    again = project.cli("one", "preview", "--expect-no-changes", "--refresh", **log)
    assert again.code == 0, again.err
    assert starts(project) == [*started, "beside"]
    assert not project.processes()


def test_it_serves_a_preview_that_asks_the_program_first(project: Project) -> None:
    """Nothing is deployed, so the program alone knows what is called `one`."""
    log = {"STARTS": str(project.root / "starts")}
    ended = project.cli("one", "preview", "--target", "one", **log)
    assert ended.code == 0, ended.err
    assert starts(project) == ["beside"]


def test_it_may_serve_state_and_program_since_nobody_sets_it_up() -> None:
    assert not PACKAGE.config


def test_where_it_does_not_start_the_engine_starts_its_own(project: Project) -> None:
    log = {"STARTS": str(project.root / "starts"), "LAME": "1"}
    ended = project.cli("one", "preview", **log)
    assert ended.code == 0, ended.err
    assert set(starts(project)) == {"beside", "engine"}


def test_it_ends_with_a_command_that_is_killed(project: Project) -> None:
    driver = project.start("cli", "holding", "preview")
    until((project.root / "begun").exists)
    words = f"--beside={driver.pid}"
    [plugin] = [one for one in psutil.Process(driver.pid).children() if words in one.cmdline()]
    driver.kill()
    driver.wait(30)
    until(lambda: not plugin.is_running() and not project.processes())


def test_what_somebody_attaches_is_left_to_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(beside.ATTACHED, "moorage:1234")
    with beside.plugin(["/nowhere"], goes_on=True) as none:
        none.expect({"resources": [{"type": "moorage:index:ApiKey"}]})
        assert none.settings == {}


def test_one_that_is_gone_is_none(tmp_path: Path) -> None:
    script = tmp_path / "ends.py"
    script.write_text("")
    with beside.plugin([sys.executable, str(script)], goes_on=False) as gone:
        assert gone.settings == {}
        gone.expect({"resources": [{"type": f"moorage:index:T{n}"} for n in range(9999)]})
