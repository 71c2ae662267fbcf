"""Real llama.cpp servers on the generated models, in processes of their own."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from moorage.engine import tiny

KEY = "sk-test-engine"


@dataclass(frozen=True, kw_only=True)
class Engine:
    """A running engine and how to ask it."""

    process: subprocess.Popen[str]
    port: int

    def post(self, path: str, body: dict[str, Any], *, key: str = KEY) -> tuple[int, str]:
        """The status and the whole text of an answer."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}",
            data=json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def command(model: Path, port: int, *, task: str = tiny.CHAT_TASK) -> list[str]:
    """The engine's command line for a model."""
    return [
        *(sys.executable, "-m", "moorage.engine", "serve", "--model", str(model)),
        *("--alias", tiny.served_name(task), "--task", task, "--port", str(port)),
        *("--ctx", "1024", "--parallel", "2", "--threads", "1"),
    ]


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The generated models, one per task."""
    folder = tmp_path_factory.mktemp("models")
    paths = {task: folder / f"{task}.gguf" for task in tiny.TASKS}
    for task, path in paths.items():
        tiny.write(task, path)
    return paths


@pytest.fixture(scope="session")
def chat(models: dict[str, Path]) -> Iterator[Engine]:
    """An engine that serves the chat model."""
    yield from _running(models[tiny.CHAT_TASK], tiny.CHAT_TASK)


@pytest.fixture(scope="session")
def embedder(models: dict[str, Path]) -> Iterator[Engine]:
    """An engine that serves the embedding model."""
    yield from _running(models["feature-extraction"], "feature-extraction")


def _running(model: Path, task: str) -> Iterator[Engine]:
    port = free_port()
    with subprocess.Popen(
        command(model, port, task=task),
        env={**os.environ, "MOORAGE_ENGINE_KEY": KEY},
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            engine = Engine(process=process, port=port)
            _wait_until_up(engine)
            yield engine
        finally:
            process.send_signal(signal.SIGKILL)


def _wait_until_up(engine: Engine) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        assert engine.process.poll() is None, "the engine ended"
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{engine.port}/health", timeout=5):
                return
        except OSError:
            time.sleep(0.05)
    pytest.fail("the engine did not come up")
