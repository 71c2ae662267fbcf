"""Space, ModelRepository and Collection on Pulumi's real engine: a whole life on the twin."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from moorage.twin import face
from moorage.twin.spaces import Habit
from tests.provider.spaces import APP, api, plant
from tests.provider.stacked import ROOT
from tests.provider.test_real_engine import pulumi_root

pytestmark = [pytest.mark.engine, pytest.mark.slow]

WANTED: dict[str, Any] = {
    "model": {"license": "mit", "files": {"config.json": "{}"}},
    "space": {
        "namespace": "acme",
        "sdk": "gradio",
        "files": {"app.py": APP},
        "hardware": "t4-small",
        "variables": {"THEME": "soft"},
    },
}


@dataclass
class Life:
    """A stack of one of each, and the twin that they are on."""

    folder: Path
    root: Path
    twin: face.Twin
    wanted: dict[str, Any] = field(default_factory=lambda: deepcopy(WANTED))

    def run(self, verb: str = "up") -> dict[str, Any]:
        (self.folder / "wanted.json").write_text(json.dumps(self.wanted))
        more = {"PULUMI_ROOT_OF_TEST": str(self.root), **self.twin.environment()}
        done = subprocess.run(
            [sys.executable, "-m", "tests.provider.hubbed", str(self.folder), verb],
            cwd=ROOT,
            env={**os.environ, **more},
            capture_output=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        result = dict(json.loads((self.folder / "result.json").read_text()))
        assert "sk-of-the-gateway" not in result["output"]
        return result

    def changes(self) -> dict[str, int]:
        result = self.run()
        assert not result["failed"], result["output"]
        return dict(result["changes"])


@pytest.fixture
def life(tmp_path: Path) -> Iterator[Life]:
    root = pulumi_root()
    if root is None:
        pytest.skip("no Pulumi CLI on PATH or in ~/.pulumi/versions; make setup gets one")
    with face.serve() as twin:
        # Long enough to be seen starting, which ends the wait for a stage that is not the old.
        twin.hub.desk.habits["*"] = Habit(building_s=0.5, starting_s=0.5)
        yield Life(folder=tmp_path, root=root, twin=twin)


@pytest.mark.thorough
def test_made_left_alone_changed_brought_back_and_taken_away(life: Life) -> None:
    first = life.run()
    assert not first["failed"], first["output"]
    assert first["outputs"]["space"]["stage"] == "RUNNING"
    assert {*life.twin.hub.repos} == {"acme/tuned", "spaces/acme/chat"}
    [collection] = life.twin.hub.desk.collections.values()
    assert [item["id"] for item in collection["items"]] == ["acme/tuned"]
    written = (file for file in (life.folder / "state").rglob("*") if file.is_file())
    assert not any(b"sk-of-the-gateway" in file.read_bytes() for file in written)

    assert life.changes() == {"same": 4}

    life.wanted["space"]["variables"] = {"THEME": "dark"}
    life.wanted["model"]["files"] = {"config.json": '{"n": 1}'}
    assert life.changes() == {"same": 2, "update": 2}
    assert life.twin.hub.desk.spaces["acme/chat"].variables["THEME"]["value"] == "dark"

    api(life.twin).add_space_variable("acme/chat", "THEME", "pink")
    assert life.changes() == {"same": 3, "update": 1}
    assert life.twin.hub.desk.spaces["acme/chat"].variables["THEME"]["value"] == "dark"

    life.wanted["space"]["sdk"] = "docker"
    life.wanted["space"]["files"] = {"Dockerfile": "FROM scratch\n"}
    assert life.changes() == {"same": 3, "replace": 1}
    assert life.twin.hub.desk.spaces["acme/chat"].sdk == "docker"

    assert not life.run("destroy")["failed"]
    assert not life.twin.hub.repos
    assert not life.twin.hub.desk.collections


@pytest.mark.thorough
def test_a_space_of_somebody_else_is_refused_and_imported_when_it_is_meant(life: Life) -> None:
    plant(life.twin, "acme/chat", private=True)
    refused = life.run()
    assert refused["failed"]
    assert "Space acme/chat is there already and was not made by moorage" in refused["output"]
    assert "Traceback" not in refused["output"]
    life.wanted["import"] = "acme/chat"
    life.wanted["space"] = {"namespace": "acme", "sdk": "gradio"}
    imported = life.run()
    assert not imported["failed"], imported["output"]
    del life.wanted["import"]
    assert not life.run()["failed"]
    assert life.changes() == {"same": 4}
    assert not life.run("destroy")["failed"]
    assert not life.twin.hub.repos
