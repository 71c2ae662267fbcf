"""The plugin as a process: it starts fast, dies at any moment, and ends when its engine is gone."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import grpc
import psutil
import pytest

from moorage.provider.handlers import HANDLERS, machine
from moorage.provider.values import decode
from tests.provider.client import Client, EngineEar, plugin

Inputs = Callable[..., dict[str, Any]]
ROOT = Path(__file__).parents[2]


def mooring(directory: str) -> list[int]:
    return [one.pid for one, _ in machine._marked(directory)]


def wait_until(true: Callable[[], object], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.02)


def test_a_process_lives_its_whole_life_through_the_protocol(
    real_plugin: Client, ear: EngineEar, inputs: Inputs
) -> None:
    wanted, failures = real_plugin.check(inputs(environment={"KEY": "sk-secret"}))
    assert failures == {}
    made = real_plugin.create(wanted.plain)
    state = decode(made.properties)
    assert ("environment",) in state.secrets
    assert any("waiting for http://" in text for text in ear.texts())
    assert decode(real_plugin.read(made.id, state.plain, wanted.plain).properties).plain["pid"]
    real_plugin.delete(made.id, state.plain)
    assert not Path(made.id).exists()
    assert not real_plugin.read(made.id, state.plain, wanted.plain).HasField("properties")


@pytest.mark.parametrize("seconds", [0.0, 0.02, 0.05, 0.1, 0.3])
def test_killed_in_the_middle_of_create_a_second_create_leaves_one_process(
    ear: EngineEar, tmp_path: Path, inputs: Inputs, seconds: float
) -> None:
    wanted = inputs("--after", "0.5")
    with plugin(ear, tmp_path) as first:
        call = first.create_later(wanted)
        time.sleep(seconds)
        assert first.process is not None
        os.kill(first.process.pid, signal.SIGKILL)
        assert call.exception() is not None
    left = mooring(wanted["directory"])
    with plugin(ear, tmp_path) as second:
        state = decode(second.create(wanted).properties).plain
    assert mooring(wanted["directory"]) == [state["pid"]]
    assert left in ([], [state["pid"]])


def test_a_process_outlives_the_plugin_and_its_process_group(
    ear: EngineEar, tmp_path: Path, inputs: Inputs
) -> None:
    with plugin(ear, tmp_path) as client:
        state = decode(client.create(inputs()).properties).plain
        assert os.getsid(state["pid"]) == state["pid"]
    assert psutil.pid_exists(state["pid"])
    assert mooring(state["directory"]) == [state["pid"]]


def test_when_the_engine_is_gone_the_plugin_records_nothing_more_and_ends(
    ear: EngineEar, tmp_path: Path, inputs: Inputs
) -> None:
    """The engine is a shell here, killed in the middle of a create that waits."""
    line = f"'{sys.executable}' -m moorage.provider {ear.address}; :"
    wanted = inputs("--after", "60")
    with subprocess.Popen(["sh", "-c", line], stdout=subprocess.PIPE, text=True) as engine:
        try:
            assert engine.stdout is not None
            port = int(engine.stdout.readline())
            [child] = psutil.Process(engine.pid).children()
            with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
                call = Client(channel).create_later(wanted)
                wait_until(lambda: mooring(wanted["directory"]))
                engine.kill()
                wait_until(lambda: _is_over(child))
                assert call.exception() is not None
        finally:
            engine.kill()
    assert len(mooring(wanted["directory"])) == 1


def test_a_plugin_whose_engine_died_before_it_was_ready_ends(tmp_path: Path) -> None:
    """A child that its parent leaves alone at once, with an address where nobody listens."""
    line = f"'{sys.executable}' -m moorage.provider 127.0.0.1:9 > '{tmp_path}/out' & echo $!"
    started = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=True)
    child = psutil.Process(int(started.stdout))
    wait_until(lambda: _is_over(child))
    assert (tmp_path / "out").read_text().strip().isdecimal()


@pytest.mark.parametrize("guard", ["", "9"], ids=["killed later", "gone before it was ready"])
def test_a_plugin_beside_somebody_ends_with_them(tmp_path: Path, guard: str) -> None:
    line = f"'{sys.executable}' -m moorage.provider --beside={guard or '$$'} < /dev/null; :"
    with subprocess.Popen(["sh", "-c", line], stdout=subprocess.PIPE, text=True) as starter:
        try:
            assert starter.stdout is not None
            assert starter.stdout.readline().strip().isdecimal()
            if not guard:
                [child] = psutil.Process(starter.pid).children()
                starter.kill()
                wait_until(lambda: _is_over(child))
            assert starter.wait(30) == (-signal.SIGKILL if not guard else 0)
        finally:
            starter.kill()


def test_a_plugin_that_waits_loads_what_it_will_need() -> None:
    code = (
        "import sys; from moorage.provider import __main__, plugin;"
        "plugin._load_ahead(__main__.PACKAGE); print('docker' in sys.modules)"
    )
    types = "docker:index/container:Container moorage:index:EngineReady moorage:index:Unheard"
    done = subprocess.run(
        [sys.executable, "-c", code], input=types, capture_output=True, text=True, check=True
    )
    assert (done.stdout, done.stderr) == ("True\n", "")


def test_all_that_may_be_loaded_ahead_is_there() -> None:
    needed = {name for handler in HANDLERS.values() for name in handler.needs}
    assert needed
    assert all(find_spec(name) for name in needed)


def _is_over(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def test_the_plugin_starts_fast_and_loads_no_sdk() -> None:
    code = (
        "import sys; from moorage.provider import handlers, servicer, __main__;"
        "print([m for m in ('huggingface_hub', 'httpx2', 'gguf', 'numpy', 'boto3') "
        "if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_locate_answers_each_line(inputs: Inputs, tmp_path: Path) -> None:
    directory = Path(inputs()["directory"])
    directory.mkdir(parents=True)
    (directory / "owner").write_text(inputs()["owner"])
    questions = [
        {"type": "moorage:index:Process", "urn": "urn:1", "inputs": inputs()},
        {"type": "moorage:index:Process", "urn": "urn:2", "inputs": inputs(owner="other")},
        {"type": "moorage:index:ApiKey", "urn": "urn:3", "inputs": {}},
        {"type": "docker:index:Container", "urn": "urn:4", "inputs": {}},
    ]
    done = subprocess.run(
        [sys.executable, "-m", "moorage.provider", "locate"],
        input="\n".join(map(json.dumps, questions)),
        capture_output=True,
        text=True,
        check=True,
    )
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert answers == [
        {"urn": "urn:1", "id": str(directory)},
        *({"urn": f"urn:{number}", "id": None} for number in (2, 3, 4)),
    ]


def test_what_a_command_cannot_answer_is_told_in_its_last_line() -> None:
    endpoint = {"name": "chat", "namespace": "us"}
    lines = {
        "Space": (endpoint, "gave no answer: it cannot be reached"),
        "Process": ({}, "unexpected fault: 'directory'"),
    }
    for kind, (wanted, last) in lines.items():
        question = {"type": f"moorage:index:{kind}", "urn": "urn:1", "inputs": wanted}
        done = subprocess.run(
            [sys.executable, "-m", "moorage.provider", "locate"],
            input=json.dumps(question),
            env={**os.environ, "HF_ENDPOINT": "http://127.0.0.1:9", "HF_TOKEN": "hf_x"},
            capture_output=True,
            text=True,
        )
        assert done.returncode != 0
        assert last in done.stderr.splitlines()[-1]
        assert "Error:" not in done.stderr.splitlines()[-1]


def test_the_plugin_script_finds_the_checkout_s_python_through_a_link(tmp_path: Path) -> None:
    script = ROOT / "tools" / "plugin" / "pulumi-resource-moorage"
    link = tmp_path / "pulumi-resource-moorage"
    link.symlink_to(script)
    done = subprocess.run(
        [str(link), "locate"],
        input="",
        env={**os.environ, "MOORAGE_PYTHON": sys.executable},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_the_plugin_script_says_what_is_missing() -> None:
    script = ROOT / "tools" / "plugin" / "pulumi-resource-moorage"
    environment = {**os.environ, "MOORAGE_PYTHON": "/nowhere/python"}
    done = subprocess.run([str(script)], env=environment, capture_output=True, text=True)
    assert done.returncode == 2
    [line] = done.stderr.splitlines()
    assert "no Python at /nowhere/python; run make setup" in line
