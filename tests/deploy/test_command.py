"""The command reaches its CLI with every interrupt, however early it comes."""

from __future__ import annotations

import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from moorage.deploy.cli.command import CliFailed, Command, Interrupted
from moorage.deploy.cli.pulumi_cli import Cli
from moorage.deploy.place import Place
from moorage.deploy.session import Session
from tests.deploy.project import until
from tests.deploy.scripts import script


@pytest.mark.parametrize("times", [1, 2])
def test_an_interrupt_while_the_cli_starts_reaches_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    # Once it cannot but obey; twice it would not.
    patience = "trap '' INT" if times == 2 else "true"
    path = script(tmp_path / "pulumi", patience, "exec sleep 30")
    command = Command(Cli(path=path, version="3.259.0", origin="a test"))

    class Slow(subprocess.Popen[str]):
        def __init__(self, *words: Any, **more: Any) -> None:
            super().__init__(*words, **more)
            command.interrupt()
            if times == 2:
                command.kill()

    monkeypatch.setattr(subprocess, "Popen", Slow)
    began_s = time.monotonic()
    with pytest.raises(CliFailed):
        command.run(["up"], str(tmp_path), {})
    assert time.monotonic() - began_s < 20


def test_a_cli_that_an_interrupt_ended_has_not_failed(tmp_path: Path) -> None:
    """Between the runs of an operation, where the CLI itself obeys and cannot say that it did."""
    path = script(tmp_path / "pulumi", f"touch {tmp_path}/begun", "exec sleep 30")
    command = Command(Cli(path=path, version="3.259.0", origin="a test"))
    named: dict[str, Any] = {"environ": {}, "settings": {}, "manifest": {}}
    where = Place(root=tmp_path, stack="local", project="demo", backend="https://x", **named)
    where.work.mkdir(parents=True)
    session = Session(where=where, command=command, plugin=(), say=lambda _: None)

    def interrupt() -> None:
        until((tmp_path / "begun").exists)
        command.interrupt()

    threading.Thread(target=interrupt).start()
    with pytest.raises(Interrupted):
        session.deployment(show_secrets=True)
