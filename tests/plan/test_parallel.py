"""Many specs are shared among processes: the same answer, and one end when somebody ends it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from moorage.plan.load import load

ROOT = Path(__file__).parent.parent.parent
HELLO = ROOT / "specs" / "examples" / "hello.yaml"


def fleet(folder: Path, count: int) -> Path:
    """Copies of one spec, every seventh with a mistake."""
    text = HELLO.read_text(encoding="utf-8")
    for number in range(count):
        wrong = "tier: secret" if number % 7 == 0 else "tier: internal"
        spec = text.replace("name: hello", f"name: hello-{number}").replace("tier: internal", wrong)
        (folder / f"s{number}.yaml").write_text(spec, encoding="utf-8")
        shutil.copy(HELLO.with_name("hello.lock.json"), folder / f"s{number}.lock.json")
    return folder


def test_one_process_and_three_say_the_same_in_the_same_order(tmp_path: Path) -> None:
    fleet(tmp_path, 300)
    alone = load([tmp_path], root=tmp_path)
    shared = load([tmp_path], root=tmp_path, processes=3)
    assert len(alone.problems) == 43
    assert shared == alone


@pytest.mark.skipif(os.cpu_count() == 1, reason="one core shares no work")
@pytest.mark.parametrize("word", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_check_says_so_once_and_leaves_nobody_behind(
    word: signal.Signals, tmp_path: Path
) -> None:
    """A terminal interrupts every process of the group, a CI system ends the first one only."""
    fleet(tmp_path, 4000)
    process = subprocess.Popen(
        [sys.executable, "-m", "moorage", "check", "--offline", str(tmp_path)],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        text=True,
    )
    workers = _workers(process.pid)
    _signal(workers, signal.SIGSTOP)  # so that the check cannot end before it is interrupted
    if word == signal.SIGINT:
        os.killpg(process.pid, word)
    else:
        process.send_signal(word)
    _signal(workers, signal.SIGCONT)
    said, _ = process.communicate(timeout=30)
    assert said == "moorage: interrupted\n"
    assert process.returncode == 130
    assert not [one for one in workers if one.is_running()]


def _signal(workers: list[psutil.Process], word: signal.Signals) -> None:
    for worker in workers:
        worker.send_signal(word)


def _workers(pid: int) -> list[psutil.Process]:
    """The processes that share the work, as soon as there are some."""
    parent = psutil.Process(pid)
    for _ in range(1000):
        if len(found := parent.children()) > 1:
            return found
        time.sleep(0.01)
    raise AssertionError("nobody shares the work")
