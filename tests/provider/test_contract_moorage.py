"""Our own handlers keep the contract: on real processes, files and servers."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest

from moorage.engine import tiny
from moorage.provider.__main__ import PACKAGE
from moorage.provider.contract import HandlerContract, Made
from moorage.provider.handler import State
from moorage.provider.handlers import machine
from moorage.provider.testing import trial
from tests.provider import kills
from tests.provider.test_openai_server import Server, listening

# Starts in the time that Python itself takes, so that it can be killed and started many times.
SERVER = """
import socket, sys
with socket.create_server(("127.0.0.1", int(sys.argv[1]))) as server:
    while True:
        call, _ = server.accept()
        call.recv(9999)
        call.send(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok")
        call.close()
"""
COMMAND = [sys.executable, "-I", "-S", "-c", SERVER, "{port}"]


@kills.thorough(kills.UPDATE, kills.DELETE)
class TestProcess(HandlerContract):
    package = PACKAGE
    token = "moorage:index:Process"
    # The questions whether it serves change nothing, so dying at them is dying before the next.
    effects = trial.EFFECTS - {"socket.connect", trial.SENT}
    run: Path

    @pytest.fixture
    def world(self, tmp_path: Path) -> None:
        self.run = tmp_path / "run"

    def inputs(self) -> State:
        return {
            "directory": str(self.run / "web"),
            "owner": "p/s/web",
            "command": COMMAND,
            "environment": {"KEY": "sk-of-the-environment"},
            "files": {"routes.json": '{"key": "sk-of-a-file"}'},
            "readyKey": "sk-of-the-probe",
            "ready": {"path": "/health", "contains": "ok", "timeoutSeconds": 20},
            "stopGraceSeconds": 5,
        }

    def changed(self) -> State:
        return {**self.inputs(), "environment": {"KEY": "sk-of-another-day"}}

    def replaced(self) -> State:
        return {**self.inputs(), "directory": str(self.run / "other")}

    def waiting(self) -> State:
        never = {"path": "/health", "contains": "never said", "timeoutSeconds": 120}
        return {**self.inputs(), "ready": never}

    def things(self) -> Mapping[str, Any]:
        directories = sorted(self.run.iterdir()) if self.run.exists() else []
        return {path.name: self._seen(path) for path in directories}

    def _seen(self, path: Path) -> Any:
        files = {file.name: file.read_bytes() for file in path.iterdir() if file.is_file()}
        return sorted(process.pid for process, _ in machine._marked(str(path))), files

    def plant_foreign(self) -> None:
        theirs = self.run / "web"
        theirs.mkdir(parents=True)
        (theirs / "owner").write_text("them/s/web")
        (theirs / "thesis.tex").write_text("years of work")

    def remove(self, id_: str) -> None:
        machine.stop(id_, grace_s=5)
        shutil.rmtree(id_)


class TestApiKey(HandlerContract):
    package = PACKAGE
    token = "moorage:index:ApiKey"
    lacks: ClassVar = {
        "remote": "a key exists in state only",
        "foreign": "a key exists in state only",
        "wait": "a key is ready as soon as it is drawn",
        "id": "a key is read by where it lies outside, never by its id",
    }
    key = "sk-test-" + "0123456789abcdef" * 3
    file: Path

    @pytest.fixture
    def world(self, tmp_path: Path) -> None:
        self.file = tmp_path / "key"
        self.file.write_text(self.key + "\n")

    def inputs(self) -> State:
        return {"prefix": "sk-test"}

    def changed(self) -> State:
        return self.inputs()

    def replaced(self) -> State:
        return {"prefix": "sk-other"}

    def import_id(self, id_: str) -> str:
        return f"file:{self.file}"

    def missing_id(self, made: Made) -> str:
        return "env:MOORAGE_NO_SUCH_KEY"

    def secret_texts(self) -> tuple[str, ...]:
        return (self.key,)


class TestModelFile(HandlerContract):
    package = PACKAGE
    token = "moorage:index:ModelFile"
    lacks: ClassVar = {
        "remote": "files of caches and users are found, never made or removed as a thing",
        "foreign": "a file is proven by its digest, whoever laid it there",
        "wait": "a file that is here is ready",
    }
    path: Path

    @pytest.fixture
    def world(self, tmp_path: Path) -> None:
        self.path = tmp_path / "model.gguf"
        tiny.write("feature-extraction", self.path)

    def inputs(self) -> State:
        return {
            "task": "feature-extraction",
            "path": str(self.path),
            "sha256": tiny.SHA256["embedding"],
            "sizeBytes": self.path.stat().st_size,
        }

    def changed(self) -> State:
        return {**self.inputs(), "offline": "tiny"}

    def replaced(self) -> State:
        return {**self.inputs(), "task": "text-generation"}

    def missing_id(self, made: Made) -> str:
        return f"{made.id}.gone"


class TestModelFileOfTheHub(TestModelFile):
    commit = "a" * 40

    @pytest.fixture
    def world(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        from huggingface_hub import constants

        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
        monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
        self.path = tmp_path / "models--acme--tiny" / "snapshots" / self.commit / "tiny.gguf"
        tiny.write("feature-extraction", self.path)

    def inputs(self) -> State:
        of_the_hub = {"repo": "acme/tiny", "revision": self.commit, "file": "tiny.gguf"}
        return {**{k: v for k, v in super().inputs().items() if k != "path"}, **of_the_hub}


class TestOpenAIServer(HandlerContract):
    package = PACKAGE
    token = "moorage:index:OpenAIServer"
    lacks: ClassVar = {
        "remote": "the server is there already, and is not ours",
        "foreign": "the server is there already, and is not ours",
    }
    unreadable: ClassVar = {"apiKey": "a server never tells its key"}
    server: Server
    silent: Server

    @pytest.fixture
    def world(self) -> Iterator[None]:
        with listening(Server()) as self.server, listening(Server(status=503)) as self.silent:
            yield

    def inputs(self) -> State:
        url = self.server.url
        return {"url": url, "task": "text-generation", "apiKey": "sk-of-the-server"}

    def changed(self) -> State:
        return {**self.inputs(), "timeoutSeconds": 30, "apiKey": "sk-of-another-day"}

    def replaced(self) -> State:
        return {**self.inputs(), "url": self.silent.url}

    def waiting(self) -> State:
        return {**self.inputs(), "url": self.silent.url, "timeoutSeconds": 120}

    def missing_id(self, made: Made) -> str:
        return "http://127.0.0.1:9/v1"
