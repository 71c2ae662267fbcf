"""Docker engines of the tests' own: two at once, stopped and started, gone with who had them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.docker import bridges, leftovers
from tests.docker.engine import Engine

PROJECT = Path(__file__).parents[2]
HOLDER = """
import sys, time
from tests.docker.engine import running
with running() as engine:
    engine.client.networks.create("of-a-test")
    print(engine.place.folder, flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(docker_engine: Engine) -> Iterator[subprocess.Popen[str]]:
    """A process that has an engine running, as a pytest that somebody kills."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER], cwd=PROJECT, stdout=subprocess.PIPE, text=True
    ) as process:
        yield process
        process.kill()


@pytest.mark.thorough
def test_two_engines_know_nothing_of_each_other(
    docker_engine: Engine, second_docker_engine: Engine
) -> None:
    docker_engine.client.volumes.create("of-the-first")
    assert "of-the-first" in [one.name for one in docker_engine.client.volumes.list()]
    assert "of-the-first" not in [one.name for one in second_docker_engine.client.volumes.list()]


@pytest.mark.thorough
def test_a_stopped_engine_answers_nobody_until_it_is_started_and_keeps_what_it_had(
    second_docker_engine: Engine,
) -> None:
    made = second_docker_engine.client.networks.create("kept")
    second_docker_engine.stop()
    with pytest.raises(OSError, match="No such file"):
        second_docker_engine.client.ping()
    second_docker_engine.start()
    assert second_docker_engine.client.networks.get("kept").id == made.id
    made.remove()


def test_nothing_is_left_of_an_engine_whose_tests_were_killed(
    holder: subprocess.Popen[str],
) -> None:
    folder, had = _started(holder)
    os.kill(holder.pid, signal.SIGKILL)
    _until(lambda: not folder.exists())
    assert not list(leftovers.working_for(folder))
    assert not {*bridges.there()} & had
    assert str(folder) not in Path("/proc/self/mountinfo").read_text(encoding="utf-8")


@pytest.mark.thorough
def test_what_even_the_keeper_left_is_cleared_away_by_the_next(
    holder: subprocess.Popen[str],
) -> None:
    folder, had = _started(holder)
    [keeper] = psutil.Process(holder.pid).children()
    for process in (keeper, psutil.Process(holder.pid)):
        process.kill()
    _until(lambda: not keeper.is_running() or keeper.status() == psutil.STATUS_ZOMBIE)
    assert list(leftovers.working_for(folder))
    subprocess.run([sys.executable, "-c", HOLDER.replace("60", "0")], cwd=PROJECT, check=True)
    assert not list(leftovers.working_for(folder))
    assert not {*bridges.there()} & had


def _started(holder: subprocess.Popen[str]) -> tuple[Path, set[str]]:
    """The folder of a new engine, and the bridges that it has made."""
    before = {*bridges.there()}
    assert holder.stdout is not None
    folder = Path(holder.stdout.readline().strip())
    return folder, {*bridges.there()} - before


def _until(done: object) -> None:
    assert callable(done)
    deadline_s = time.monotonic() + 30
    while not done():
        assert time.monotonic() < deadline_s, "it takes too long"
        time.sleep(0.05)
