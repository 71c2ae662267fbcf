"""States that were harmed, disks that are full, things nobody can ask for: nothing is lost."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.project import Project, engine_of, finished, until

pytestmark = [pytest.mark.engine, pytest.mark.slow]


def test_a_damaged_state_is_refused_and_its_copy_put_back_by_one_command(project: Project) -> None:
    path = project.state / "stacks" / "demo" / "local.json"
    assert project.run("up").code == 0
    path.write_bytes(path.read_bytes()[:200])
    refused = project.run("up")
    assert refused.code == 6
    assert f"the state {path} cannot be read: `moorage state repair --stack local`" in refused.fault
    assert "puts back its newest copy (1 thing, written" in refused.fault
    repaired = project.cli("one", "state", "repair")
    assert repaired.code == 0, repaired.err
    assert project.run("up").said["changes"] == {"same": 1}
    assert not project.locks()


@pytest.mark.thorough
def test_a_state_that_a_full_disk_emptied_is_put_back_by_the_next_up(project: Project) -> None:
    path = project.state / "stacks" / "demo" / "local.json"
    assert project.run("up").code == 0
    path.write_bytes(b"")
    after = project.run("up")
    assert after.code == 0, after.err
    assert "local.json is empty: its newest copy is in its place" in after.err
    assert "one" in project.resources()
    assert not project.locks()


@contextmanager
def a_small_disk(folder: Path) -> Iterator[Path]:
    folder.mkdir(parents=True)
    mounting = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(folder)]
    if os.getuid() != 0 or subprocess.run(mounting, capture_output=True).returncode != 0:
        pytest.skip("only root can mount a small disk, and not everywhere")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def fill(path: Path) -> None:
    with suppress(OSError), path.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))


@pytest.mark.thorough
def test_a_full_disk_and_one_that_cannot_be_written_lose_nothing(project: Project) -> None:
    with a_small_disk(project.root / ".moorage" / "state") as disk:
        working = project.start("up", "waiting")
        until((project.root / "two").exists)
        fill(disk / "ballast")
        (project.root / "go").touch()
        within = finished(working)
        assert within.code == 6
        assert "the disk that keeps the state is full" in within.fault
        assert "\n" not in within.fault
        (disk / "ballast").unlink()
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        frozen = project.run("up", "waiting")
        assert frozen.code == 6
        assert frozen.fault == (
            f"the state in {disk} cannot be written, read-only file system: see its rights, "
            "then run it again"
        )
        subprocess.run(["mount", "-o", "remount,rw", disk], check=True)
        after = project.run("up", "waiting")
        assert after.code == 0, after.err
        assert set(project.resources()) >= {"one", "two"}
        assert not project.locks()


@pytest.mark.thorough
def test_what_only_reads_says_so_too_where_nothing_can_be_written(project: Project) -> None:
    home = project.root / ".moorage"
    with a_small_disk(home):
        assert project.run("up").code == 0
        subprocess.run(["mount", "-o", "remount,ro", home], check=True)
        for words in (["outputs"], ["history"], ["state", "export"], ["cancel"], ["refresh"]):
            told = project.cli("one", *words)
            assert told.code == 6
            assert told.fault == (
                f"the state in {home} cannot be written, read-only file system: see its rights, "
                "then run it again"
            )
        subprocess.run(["mount", "-o", "remount,rw", home], check=True)
        assert project.run("destroy").code == 0


def checkpoint(project: Project) -> tuple[Path, dict[str, Any]]:
    path = project.state / "stacks" / "demo" / "local.json"
    return path, json.loads(path.read_text())


def pending(project: Project) -> list[str]:
    _, told = checkpoint(project)
    left = told["checkpoint"]["latest"].get("pending_operations") or []
    return [one["resource"]["urn"].rsplit("::", 1)[-1] for one in left]


@pytest.mark.thorough
def test_what_only_a_person_can_tell_stays_until_it_is_told(project: Project) -> None:
    """The engine forgets pending creates with `stack import` and `stack rm`; they must not go."""
    driver = project.start("up", "waiting")
    until((project.root / "two").exists)
    engine_of(driver).kill()
    finished(driver)
    path, told = checkpoint(project)
    urn = "urn:pulumi:local::demo::docker:index/container:Container::web"
    web = {"urn": urn, "custom": True, "type": "docker:index/container:Container", "inputs": {}}
    latest = told["checkpoint"]["latest"]
    latest["pending_operations"].append({"type": "creating", "resource": web})
    path.write_text(json.dumps(told))
    (project.root / "go").touch()
    up = project.run("up", "waiting")
    assert up.code == 0, up.err
    assert "Container web: a run that died may have created it, and its provider cannot" in up.err
    assert "Marker two: it was created; now in the state" in up.err
    assert pending(project) == ["web"]
    destroyed = project.run("destroy", "waiting")
    assert destroyed.code == 6
    assert "stack local is empty and is kept for what may exist outside it" in destroyed.fault
    assert "`moorage state settle web --stack local --id ID`" in destroyed.fault
    assert pending(project) == ["web"]
    assert not (project.root / "two").exists()
    settled = project.cli("one", "state", "settle", "web", "--gone")
    assert settled.out == "Container web: it was not created\n", settled.err
    assert project.run("destroy").code == 0


@pytest.mark.thorough
def test_secrets_of_an_unfinished_create_stay_sealed(passphrased: Project) -> None:
    driver = passphrased.start("up", "sealed")
    until((passphrased.root / "two").exists)
    driver.kill()
    engine_of_killed = [one for one in passphrased.processes() if one.name() == "pulumi"]
    for engine in engine_of_killed:
        engine.kill()
    finished(driver)
    (passphrased.root / "go").touch()
    after = passphrased.run("up", "sealed")
    assert after.code == 0, after.err
    path, told = checkpoint(passphrased)
    (two,) = (one for one in told["checkpoint"]["latest"]["resources"] if "two" in one["urn"])
    assert "ciphertext" in two["inputs"]["note"]
    assert "sk-2" not in path.read_text()
    assert passphrased.run("up", "sealed").said["changed"] is False
