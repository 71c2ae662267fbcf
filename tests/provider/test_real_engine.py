"""Process and ApiKey on Pulumi's real engine: unchanged, healed, repaired, adopted, gone."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest

from moorage.provider.handlers import machine
from tests.provider.moored import SERVER
from tests.provider.stacked import ROOT

pytestmark = pytest.mark.engine


def pulumi_root() -> Path | None:
    """The folder above the CLI's bin: from PATH, else the newest of Pulumi's own folder."""
    found = shutil.which("pulumi")
    versions = (Path.home() / ".pulumi" / "versions").glob("*/bin/pulumi")
    newest = sorted(versions, key=lambda path: path.stat().st_mtime)
    candidates = [*newest, *([Path(found).resolve()] if found else [])]
    return candidates[-1].parents[1] if candidates else None


@dataclass
class Deployment:
    """A stack of one key and one process; `web` are inputs of the process."""

    folder: Path
    root: Path
    web: dict[str, Any] = field(default_factory=dict)

    def start(self, verb: str) -> subprocess.Popen[bytes]:
        (self.folder / "web.json").write_text(json.dumps(self.web))
        return subprocess.Popen(
            [sys.executable, "-m", "tests.provider.moored", str(self.folder), verb],
            cwd=ROOT,
            env={**os.environ, "PULUMI_ROOT_OF_TEST": str(self.root)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def run(self, verb: str = "up") -> dict[str, Any]:
        with self.start(verb) as process:
            assert process.wait(timeout=60) == 0
        return dict(json.loads((self.folder / "result.json").read_text()))

    def fail(self) -> str:
        """What an `up` that fails says."""
        result = self.run()
        assert result["failed"]
        return str(result["output"])

    def mooring(self) -> list[int]:
        return [one.pid for one, _ in machine._marked(str(self.folder / "run" / "web"))]

    def leftovers(self) -> list[Path]:
        return list((self.folder / "run").iterdir())


@pytest.fixture
def deployment(tmp_path: Path) -> Deployment:
    root = pulumi_root()
    if root is None:
        pytest.skip("no Pulumi CLI on PATH or in ~/.pulumi/versions; make setup gets one")
    return Deployment(folder=tmp_path, root=root)


def of_type(result: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [r for r in result["resources"] if r["type"] == f"moorage:index:{kind}"]


@pytest.mark.thorough
def test_up_again_changes_nothing_a_kill_is_healed_and_destroy_leaves_nothing(
    deployment: Deployment,
) -> None:
    first = deployment.run()
    web, key = first["outputs"]["web"], first["outputs"]["key"]
    with urllib.request.urlopen(web["url"] + "/x", timeout=5) as answer:
        assert json.loads(answer.read())["path"] == "/x"
    assert first["secret"] == ["key"]
    assert key.startswith("sk-moorage-")
    written = (file for file in (deployment.folder / "state").rglob("*") if file.is_file())
    assert not any(key.encode() in file.read_bytes() for file in written)

    assert deployment.run()["changes"] == {"same": 3}

    os.kill(int(web["pid"]), signal.SIGKILL)
    healed = deployment.run()
    assert healed["changes"] == {"same": 2, "update": 1}
    assert healed["outputs"]["web"]["port"] == web["port"]
    assert healed["outputs"]["key"] == key
    assert deployment.mooring() == [healed["outputs"]["web"]["pid"]]

    deployment.run("destroy")
    assert deployment.mooring() == []
    assert deployment.leftovers() == []


@pytest.mark.thorough
def test_what_does_not_get_ready_is_kept_and_repaired_by_the_next_up(
    deployment: Deployment,
) -> None:
    deployment.web["ready"] = {"path": "/", "contains": "never said", "timeout_seconds": 1}
    failed = deployment.run()
    assert failed["failed"]
    assert "does not serve after 1 s: the answer lacks the text expected; pid" in failed["output"]
    assert "waiting for http://127.0.0.1:" in failed["output"]
    [pid] = deployment.mooring()
    [web] = of_type(failed, "Process")
    assert web["id"] == str(deployment.folder / "run" / "web")
    assert len(web["initErrors"]) == 1

    deployment.web["ready"] = {"path": "/", "timeout_seconds": 20}
    [web] = of_type(deployment.run(), "Process")
    assert "initErrors" not in web
    assert deployment.mooring() == [pid]

    deployment.web["command"] = [sys.executable, str(SERVER), "{port}", "--die", "no such weights"]
    said = deployment.fail()
    assert "the process ended with code 3 before it served: no such weights; its log: " in said
    assert deployment.mooring() == []
    deployment.run("destroy")
    assert deployment.leftovers() == []


def test_a_port_in_use_is_one_line_and_leaves_neither_state_nor_files(
    deployment: Deployment,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        deployment.web["port"] = port
        failed = deployment.run()
    assert failed["failed"]
    assert f"port {port} is in use by pid {os.getpid()}" in failed["output"]
    assert of_type(failed, "Process") == []
    assert deployment.leftovers() == []


@pytest.mark.thorough
def test_killed_in_the_middle_of_create_the_next_up_adopts_the_one_process(
    deployment: Deployment,
) -> None:
    deployment.web["command"] = [sys.executable, str(SERVER), "{port}", "--after", "3"]
    with deployment.start("up") as run:
        deadline = time.monotonic() + 30
        while not deployment.mooring() and time.monotonic() < deadline:
            time.sleep(0.05)
        tree = psutil.Process(run.pid).children(recursive=True)
        for process in [process for process in tree if process.name() == "pulumi"]:
            process.kill()
        run.wait(timeout=30)
    [pid] = deployment.mooring()

    deployment.run("cancel")  # the lock of the dead run
    done = deployment.run()
    assert not done["failed"], done["output"]
    assert deployment.mooring() == [pid] == [done["outputs"]["web"]["pid"]]
    deployment.run("destroy")
    assert deployment.mooring() == []
    assert deployment.leftovers() == []
