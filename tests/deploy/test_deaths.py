"""Deaths in the middle of an `up`: whatever is killed, nothing is lost or needs a person."""

from __future__ import annotations

import json
import signal

import pytest

from tests.deploy.project import Project, engine_of, finished, until

pytestmark = [pytest.mark.engine, pytest.mark.slow]


@pytest.mark.thorough
@pytest.mark.parametrize("then", ["up", "destroy"])
def test_a_killed_engine_loses_nothing(project: Project, then: str) -> None:
    """Even a thing that the next program no longer wants is found and taken away."""
    driver = project.start("up", "waiting")
    until((project.root / "two").exists)
    engine_of(driver).kill()
    ended = finished(driver)
    assert ended.code == 1
    assert "the Pulumi CLI was killed (SIGKILL) during the create of Marker two" in ended.fault
    assert "run it again" in ended.fault
    assert "cleared the lock of this run's engine, which was killed" in ended.err
    assert not project.locks()
    after = project.run(then, "one")
    assert after.code == 0, after.err
    assert not (project.root / "two").exists()
    assert project.run("destroy").code == 0
    assert not project.processes()


@pytest.mark.thorough
@pytest.mark.parametrize("then", ["up", "destroy"])
def test_a_killed_provider_loses_nothing(project: Project, then: str) -> None:
    """The engine takes its create for failed and forgets it; the thing is there all the same."""
    driver = project.start("up", "waiting")
    until((project.root / "two").exists)
    (provider,) = engine_of(driver).children()
    provider.kill()
    ended = finished(driver)
    assert ended.code == 1
    assert "the provider plugin died in the middle" in ended.fault
    assert "\n" not in ended.fault
    assert project.resources()["two"]["id"] == str(project.root / "two")
    after = project.run(then, "one")
    assert after.code == 0, after.err
    assert not (project.root / "two").exists()


def is_kept(project: Project, name: str) -> bool:
    """Whether the state has a thing for made."""
    latest = json.loads((project.state / "stacks" / "demo" / "local.json").read_text())
    resources = latest["checkpoint"]["latest"].get("resources") or []
    return any(one.get("id") == str(project.root / name) for one in resources)


def test_a_killed_driver_and_engine_are_taken_up_by_the_next_up(project: Project) -> None:
    driver = project.start("up", "waiting")
    until((project.root / "two").exists)
    until(lambda: is_kept(project, "one"))
    engine = engine_of(driver)
    driver.kill()
    engine.kill()
    finished(driver)
    (project.root / "go").touch()
    after = project.run("up", "waiting")
    assert after.said["changes"] == {"update": 1, "same": 1}
    assert set(project.resources()) >= {"one", "two"}
    assert project.run("destroy").code == 0


def test_the_last_command_of_a_killed_destroy_may_outlive_it(project: Project) -> None:
    assert project.run("up").code == 0
    cli, state = project.environ["MOORAGE_PULUMI"], project.state / "stacks/demo/local.json"
    slow = project.root / "slow cli"
    begun, goes_on = project.root / "begun", project.root / "goes on"
    slow.write_text(
        f"""#!/bin/sh
case " $* " in
*" stack rm "*) touch '{begun}'; while [ ! -e '{goes_on}' ]; do sleep 0.05; done ;;
*" destroy "*) if [ -e '{begun}' ]; then
    touch '{goes_on}'; while [ -e '{state}' ]; do sleep 0.05; done; fi ;;
esac
exec '{cli}' "$@"
""",
        encoding="utf-8",
    )
    slow.chmod(0o755)
    driver = project.start("destroy", MOORAGE_PULUMI=str(slow))
    until(begun.exists)
    driver.kill()
    finished(driver)
    after = project.run("destroy", MOORAGE_PULUMI=str(slow))
    assert after.code == 0, after.err
    assert "nothing is deployed as stack local" in after.err
    assert not (project.root / ".moorage").exists()


@pytest.mark.thorough
def test_the_engine_of_a_killed_driver_is_waited_for(project: Project) -> None:
    driver = project.start("up", "waiting")
    until((project.root / "two").exists)
    engine = engine_of(driver)
    driver.kill()
    finished(driver)
    if engine.is_running():
        engine.send_signal(signal.SIGINT)
    after = project.run("destroy")
    assert after.code == 0, after.err
    assert not (project.root / "two").exists()
    assert not project.processes()


@pytest.mark.parametrize("death", ["interrupt", "kill"])
@pytest.mark.thorough
def test_a_real_process_that_never_becomes_ready_is_not_orphaned(
    project: Project, death: str
) -> None:
    driver = project.start("up", "serving")
    log = project.root / ".moorage" / "run" / "engine" / "log"
    until(log.exists)
    if death == "interrupt":
        driver.send_signal(signal.SIGINT)
        assert finished(driver).code == 130
    else:
        engine_of(driver).kill()
        assert finished(driver).code == 1
    destroyed = project.run("destroy", "serving")
    assert destroyed.code == 0, destroyed.err
    assert not project.processes()
    assert not log.exists()
