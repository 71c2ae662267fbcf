"""Providers of other packages: who is written as ours are is asked what a dead run has left."""

from __future__ import annotations

import json
import shlex
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from moorage.deploy.place import Place
from moorage.deploy.stored import snapshot, strangers
from tests.deploy.project import Project, engine_of, finished, until

QUAY = Path(__file__).with_name("quay_provider.py")
FAR = {"urn": "urn:pulumi:local::demo::far:index:Thing::one", "type": "far:index:Thing"}
CREATING = {"type": "creating", "resource": FAR}


def put(folder: Path, name: str, words: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / f"pulumi-resource-{name}"
    program.write_text(f"#!/bin/sh\n{words}\n")
    program.chmod(0o755)


@pytest.fixture
def port(project: Project) -> Project:
    """A project with the quay's plugin and the setting that lets it in."""
    put(project.root / "plugin", "quay", f'exec {shlex.join([sys.executable, str(QUAY)])} "$@"')
    manifest = project.root / "Pulumi.yaml"
    manifest.write_text(
        manifest.read_text() + "plugins: {providers: [{name: quay, path: plugin}]}\n"
    )
    config = {"config": {"quay:token": "let me in"}}
    (project.root / "stacks" / "Pulumi.local.yaml").write_text(json.dumps(config))
    return project


def die(port: Project) -> None:
    """Kill all of a run that has just made the berth and waits for it."""
    driver = port.start("up", "stranger")
    until((port.root / "berth").exists)
    engine = engine_of(driver)
    plugins = engine.children()
    driver.kill()
    for process in (engine, *plugins):
        process.kill()
    finished(driver)


@pytest.mark.engine
@pytest.mark.slow
@pytest.mark.parametrize("then", ["stranger", "one"])
def test_what_a_stranger_s_dead_run_made_is_found(port: Project, then: str) -> None:
    """It is gone on with where it is wanted, and taken away where it is not any more."""
    die(port)
    (port.root / "go").touch()
    after = port.run("up", then)
    assert after.code == 0, after.err
    assert "Berth berth: it was created; now in the state" in after.err
    assert ("berth" in port.resources()) == (port.root / "berth").exists() == (then == "stranger")
    assert port.run("destroy", then).code == 0
    assert not (port.root / "berth").exists()


@pytest.mark.engine
@pytest.mark.slow
@pytest.mark.thorough
def test_what_a_stranger_does_not_tell_stays_for_a_person_or_the_next_run(port: Project) -> None:
    die(port)
    (port.root / "plugin" / "pulumi-resource-quay").rename(port.root / "plugin" / "away")
    silent = port.run("up")
    assert silent.code == 0, silent.err
    assert "Berth berth: a run that died may have created it, and its provider" in silent.err
    (port.root / "plugin" / "away").rename(port.root / "plugin" / "pulumi-resource-quay")
    after = port.run("up")
    assert "Berth berth: it was created; now in the state" in after.err, after.err


def asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: str
) -> tuple[dict[str, Any], list[str]]:
    """What a plugin on PATH tells of a pending create, and what is said of it."""
    put(tmp_path / "bin", "far", words)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path / "pulumi"))
    monkeypatch.setattr(snapshot, "deployment", lambda *_, **__: {})
    named: dict[str, Any] = {"environ": {}, "settings": {}, "manifest": {}}
    where = Place(root=tmp_path, stack="local", project="demo", backend="file:///x", **named)
    where.work.mkdir(parents=True)
    said: list[str] = []
    command: Any = None  # only reads the state, which is empty
    return strangers.located(where, command, [CREATING], said.append), said


@pytest.mark.parametrize(
    ("words", "found", "says"),
    [
        (
            f"""cat >/dev/null; echo '{{"urn": "{FAR["urn"]}", "id": "i-1"}}'""",
            {FAR["urn"]: "i-1"},
            "",
        ),
        ("echo 41873; sleep 60", {}, ""),
        ("echo 'usage: far' >&2; exit 2", {}, "the provider far does not tell"),
        ("cat >/dev/null; echo no room >&2; exit 1", {}, "what a run that died has left: no room"),
    ],
)
def test_only_who_answers_is_taken_at_its_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: str, found: Any, says: str
) -> None:
    began_s = time.monotonic()
    answers, said = asked(tmp_path, monkeypatch, words)
    assert answers == found
    assert says in "".join(said)
    assert bool(said) == bool(says)
    assert time.monotonic() - began_s < 20.0


def test_who_says_nothing_is_not_waited_for_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(strangers, "DEADLINE_S", 0.2)
    answers, said = asked(tmp_path, monkeypatch, "sleep 60")
    assert answers == {}
    assert said == [
        "the provider far does not tell what a run that died has left: it gave no answer within 0 s"
    ]
