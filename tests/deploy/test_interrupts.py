"""Interrupts and second runs: one line, the right exit code, a state from which one can go on."""

from __future__ import annotations

import signal
import subprocess

import pytest

from tests import warm
from tests.deploy.project import Project, finished, until

pytestmark = [pytest.mark.engine, pytest.mark.slow]


@pytest.fixture
def waiting(project: Project) -> warm.Run:
    """An `up` whose second thing is there, but does not become ready."""
    driver = project.start("up", "waiting")
    until((project.root / "two").exists)
    return driver


@pytest.mark.parametrize(
    "number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.thorough)]
)
def test_an_interrupt_keeps_the_state_and_frees_the_lock(
    project: Project, waiting: warm.Run, number: signal.Signals
) -> None:
    waiting.send_signal(number)
    ended = finished(waiting)
    assert ended.code == 130
    assert "up of stack local was interrupted" in ended.fault
    assert "cancelling" in ended.err
    assert not project.locks()
    assert project.resources()["two"]["id"] == str(project.root / "two")
    (project.root / "go").touch()
    again = project.run("up", "waiting")
    assert again.said["changes"] == {"update": 1, "same": 1}
    assert "Marker two: an earlier run left it unfinished (cancelled while it waited)" in again.err
    assert project.run("destroy").code == 0
    assert not (project.root / "two").exists()


def test_a_second_up_is_refused_while_one_runs(project: Project, waiting: warm.Run) -> None:
    for operation in ("up", "destroy", "preview"):
        second = project.run(operation, "waiting")
        assert second.code == 6
        assert f"`moorage up --stack local` (pid {waiting.pid} of " in second.fault
        assert "\n" not in second.fault
    (project.root / "go").touch()
    assert finished(waiting).code == 0
    assert project.run("destroy").code == 0


@pytest.mark.thorough
def test_a_second_interrupt_kills_and_the_next_run_settles_it(project: Project) -> None:
    driver = project.start("up", "waiting", STUBBORN="1")
    until((project.root / "two").exists)
    driver.send_signal(signal.SIGINT)
    with pytest.raises(subprocess.TimeoutExpired):
        driver.wait(timeout=1.5)
    driver.send_signal(signal.SIGINT)
    ended = finished(driver)
    assert ended.code == 130
    assert "Pulumi was killed (create of Marker two)" in ended.fault
    destroyed = project.run("destroy")
    assert destroyed.code == 0, destroyed.err
    assert "Marker two: it was created; now in the state" in destroyed.err
    assert not (project.root / "two").exists()
    assert not project.processes()
