"""What goes wrong says one clear line and leaves a state from which the next run goes on."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tests.e2e.checkout import Checkout, Ended, a_checkout, ask

pytestmark = [pytest.mark.engine, pytest.mark.slow]


@pytest.fixture
def checkout(tmp_path: Path) -> Iterator[Checkout]:
    with a_checkout(tmp_path) as checkout:
        (checkout.root / "specs/examples/embed.yaml").unlink()
        yield checkout


@pytest.fixture
def silence() -> Iterator[str]:
    """The address of a server that accepts and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/v1"


def one_clear_line(ended: Ended, code: int, *words: str) -> None:
    """The last line on stderr says it all, and nobody sees Python."""
    assert ended.code == code, ended.said
    assert "Traceback" not in ended.said
    last = ended.err.strip().splitlines()[-1]
    assert last.startswith("moorage: ")
    for word in words:
        assert word in last


def wait_for(what: Callable[[], bool], *, at_most_s: float = 60) -> None:
    deadline = time.monotonic() + at_most_s
    while not what():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.1)


def engines(checkout: Checkout) -> list[psutil.Process]:
    return [p for p in checkout.processes() if "moorage.engine" in _words(p)]


def _words(process: psutil.Process) -> list[str]:
    """What it was started with; one that has just ended tells nothing."""
    with suppress(psutil.Error):
        return process.cmdline()
    return []


@pytest.mark.thorough
def test_a_wrong_spec_stops_before_anything_starts(checkout: Checkout) -> None:
    checkout.edit("specs/examples/hello.yaml", "budget:", "bugdet:")
    place = "specs/examples/hello.yaml:14:1"
    one_clear_line(checkout.moorage("up"), 1, place, "'bugdet'", "did you mean 'budget'?")
    assert not checkout.processes()


@pytest.mark.thorough
def test_a_missing_model_file_is_named(checkout: Checkout) -> None:
    model = "bartowski/SmolLM2-135M-Instruct-GGUF "
    checkout.edit("specs/examples/hello.yaml", model, "/nowhere/model.gguf ")
    one_clear_line(checkout.moorage("up"), 1, "hello.yaml:7:7", "/nowhere/model.gguf")


def test_a_file_that_no_engine_can_load_fails_at_once_and_names_the_log(checkout: Checkout) -> None:
    bad = checkout.root / "bad.gguf"
    bad.write_bytes(b"GGUF" + b"\0" * 100)
    model = "bartowski/SmolLM2-135M-Instruct-GGUF "
    checkout.edit("specs/examples/hello.yaml", model, f"{bad} ")
    ended = checkout.moorage("up")
    assert ended.code != 0
    assert "Traceback" not in ended.said
    assert "hello-local-1/log" in ended.said


@pytest.mark.thorough
def test_a_port_in_use_is_told_and_the_next_up_goes_on(checkout: Checkout) -> None:
    with socket.create_server(("127.0.0.1", checkout.port)):
        ended = checkout.moorage("up")
        one_clear_line(ended, 1, f"port {checkout.port} is in use", f"pid {os.getpid()}")
    again = checkout.moorage("up")
    assert again.code == 0, again.said
    assert ask(checkout.service()).status_code == 200


@pytest.mark.thorough
def test_a_wrong_passphrase_says_where_it_was_read(checkout: Checkout) -> None:
    assert checkout.moorage("up").code == 0
    for command in ("up", "destroy"):
        wrong = checkout.moorage(command, PULUMI_CONFIG_PASSPHRASE="wrong")
        one_clear_line(wrong, 6, "PULUMI_CONFIG_PASSPHRASE", "stack local")
    assert ask(checkout.service()).status_code == 200


def test_an_old_cli_on_path_is_passed_over(checkout: Checkout, tmp_path: Path) -> None:
    old = tmp_path / "old" / "pulumi"
    old.parent.mkdir()
    old.write_text("#!/bin/sh\necho v3.10.0\n")
    old.chmod(0o755)
    path = f"{old.parent}{os.pathsep}{checkout.environ['PATH']}"
    home = str(tmp_path / "empty")
    checked = checkout.moorage("check", PATH=path, PULUMI_HOME=home)
    assert checked.code == 0, checked.said
    ended = checkout.moorage("preview", PATH=f"{old.parent}:/usr/bin:/bin", PULUMI_HOME=home)
    assert ended.code == 2
    assert "3.10.0 is older than" in ended.said
    assert "three ways" in ended.said


@pytest.mark.thorough
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_up_keeps_what_it_did_and_frees_the_stack(
    checkout: Checkout, silence: str, number: signal.Signals
) -> None:
    stuck(checkout, silence)
    running = checkout.start("up")
    wait_for(lambda: len(engines(checkout)) == 1)
    running.send_signal(number)
    out, err = running.communicate(timeout=60)
    one_clear_line(Ended(code=running.wait(), out=out, err=err), 130, "interrupted")
    freed(checkout, silence)


@pytest.mark.thorough
def test_a_second_up_is_refused_while_one_runs(checkout: Checkout, silence: str) -> None:
    stuck(checkout, silence)
    running = checkout.start("up")
    wait_for(lambda: len(engines(checkout)) == 1)
    second = checkout.moorage("up")
    one_clear_line(second, 6, "stack local is busy", f"pid {running.pid}")
    running.send_signal(signal.SIGINT)
    running.communicate(timeout=60)
    freed(checkout, silence)


@pytest.mark.thorough
@pytest.mark.parametrize("victim", ["cli", "driver", "both"])
def test_after_a_kill_in_the_middle_of_up_the_next_up_works(
    checkout: Checkout, silence: str, victim: str
) -> None:
    stuck(checkout, silence)
    running = checkout.start("up")
    wait_for(lambda: len(engines(checkout)) == 1)
    (cli,) = (p for p in psutil.Process(running.pid).children() if p.name() == "pulumi")
    if victim in ("driver", "both"):
        running.kill()
    if victim in ("cli", "both"):
        cli.kill()
    _, err = running.communicate(timeout=60)
    assert "Traceback" not in err
    freed(checkout, silence)


@pytest.mark.thorough
@pytest.mark.parametrize("survivor", ["driver", "cli"])
def test_after_a_kill_in_the_middle_of_up_down_leaves_nothing(
    checkout: Checkout, silence: str, survivor: str
) -> None:
    stuck(checkout, silence)
    running = checkout.start("up")
    wait_for(lambda: len(engines(checkout)) == 1)
    (cli,) = (p for p in psutil.Process(running.pid).children() if p.name() == "pulumi")
    if survivor == "driver":
        cli.kill()
    else:
        providers = [p for p in cli.children() if "moorage.provider" in p.cmdline()]
        running.kill()
        for provider in providers:
            provider.kill()
    running.communicate(timeout=60)
    ended = checkout.moorage("destroy")
    assert ended.code == 0, ended.said
    assert not checkout.processes()


@pytest.mark.thorough
def test_down_takes_away_even_what_every_record_has_lost(checkout: Checkout) -> None:
    assert checkout.moorage("up").code == 0
    shutil.rmtree(checkout.root / ".moorage/state")
    stranger = checkout.root / ".moorage/run/local/stranger"
    stranger.mkdir()
    (stranger / "owner").write_text("somebody/else/thing")
    ended = checkout.moorage("destroy")
    assert ended.code == 0, ended.said
    assert ended.err.count("taken away") == 3
    assert not checkout.processes()
    assert stranger.exists(), "what bears another's name is not ours to take"


def stuck(checkout: Checkout, silence: str) -> None:
    """Let an up start its first engine and then wait for a server that never answers."""
    old = "  - {kind: local}\nslo"
    checkout.edit("specs/examples/hello.yaml", old, f'  - {{kind: openai, url: "{silence}"}}\nslo')


def freed(checkout: Checkout, silence: str) -> None:
    """The next up works: mended, it serves, with no second engine beside the first."""
    new = f'  - {{kind: openai, url: "{silence}"}}\nslo'
    checkout.edit("specs/examples/hello.yaml", new, "  - {kind: local}\nslo")
    again = checkout.moorage("up")
    assert again.code == 0, again.said
    assert len(engines(checkout)) == 2
    assert ask(checkout.service()).status_code == 200


def test_a_command_in_no_project_says_so(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "moorage", "up"]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert ended.returncode == 2
    assert "no folder upwards of it holds a Pulumi.yaml" in ended.stderr
