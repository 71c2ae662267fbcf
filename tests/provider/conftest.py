"""A provider to talk to, an engine that listens, and real processes that are gone afterwards."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from moorage.provider.handler import Context, Created, Severity
from moorage.provider.handlers import machine
from tests.provider.client import Client, EngineEar, plugin, served

SERVER = Path(__file__).with_name("small_server.py")


@pytest.fixture
def lines() -> list[str]:
    """What handlers have said."""
    return []


@pytest.fixture
def context(lines: list[str]) -> Callable[..., Context]:
    """A call's context; `seconds` is its time."""

    def make(
        *,
        seconds: float = 30,
        cancelled: threading.Event | None = None,
        announce: Callable[[Created], None] = lambda _thing: None,
    ) -> Context:
        def log(_severity: Severity, text: str, _newest_only: bool) -> None:
            lines.append(text)

        return Context(
            urn="urn:pulumi:s::p::t::n",
            deadline_s=time.monotonic() + seconds,
            cancelled=cancelled or threading.Event(),
            log=log,
            announce=announce,
        )

    return make


@pytest.fixture
def inputs(tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Checked inputs of a Process that runs the small server."""

    def make(*arguments: str, **changes: Any) -> dict[str, Any]:
        declared = {
            "directory": str(tmp_path / "run" / "web"),
            "owner": "p/s/web",
            "command": [sys.executable, str(SERVER), "{port}", *arguments],
            "host": "127.0.0.1",
            "ready": {"path": "/health", "timeoutSeconds": 20},
            "stopGraceSeconds": 5,
        }
        return {k: v for k, v in {**declared, **changes}.items() if v is not None}

    return make


@pytest.fixture(autouse=True)
def _nothing_survives(tmp_path: Path) -> Iterator[None]:
    """Processes that a test has moored under its folder end with it, even when it fails."""
    yield
    if not any(tmp_path.iterdir()):
        return  # a look at every process costs more than most tests do
    left = [process for process in psutil.process_iter() if _is_under(process, tmp_path)]
    for process in left:
        process.kill()
    machine._wait_ended(left, 5)


def _is_under(process: psutil.Process, folder: Path) -> bool:
    try:
        return process.environ().get("MOORAGE_PROCESS", "").startswith(str(folder))
    except (psutil.Error, OSError):
        return False


@pytest.fixture
def ear() -> Iterator[EngineEar]:
    """An engine that hears what the provider logs."""
    with EngineEar() as listening:
        yield listening


@pytest.fixture
def in_process(ear: EngineEar) -> Iterator[Callable[..., Client]]:
    """A provider in this process, with the handlers given, shaken hands with the ear."""
    with served(ear) as start:
        yield start


@pytest.fixture
def real_plugin(ear: EngineEar, tmp_path: Path) -> Iterator[Client]:
    """The plugin in a process of its own, as the engine starts it."""
    with plugin(ear, tmp_path) as client:
        yield client
