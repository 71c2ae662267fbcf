"""A warm run is as a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests import warm

ROOT = Path(__file__).parents[1]


def run(*words: str, cwd: Path = ROOT) -> warm.Run:
    environ = {**os.environ, "ODD": "one", "PYTHONPATH": str(ROOT)}
    return warm.Run("tests.odd_job", words, environ, cwd, knows=("json",))


@pytest.mark.parametrize("words", [("say", "a", "b c"), ("fail", "a"), ("end", "7")])
def test_it_says_what_a_cold_one_says_and_ends_as_it_does(
    words: tuple[str, ...], tmp_path: Path
) -> None:
    cold = subprocess.run(
        [sys.executable, "-m", "tests.odd_job", *words],
        env={**os.environ, "ODD": "one", "PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    one = run(*words, cwd=tmp_path)
    out, err = one.communicate(30)
    assert (one.returncode, out) == (cold.returncode, cold.stdout)
    assert err.splitlines()[-1:] == cold.stderr.splitlines()[-1:]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_signal_ends_one_and_no_other(number: signal.Signals) -> None:
    first, second = run("wait"), run("wait")
    first.send_signal(number)
    assert first.wait(30) == -number
    assert second.poll() is None
    assert psutil.Process(second.pid).is_running()
    with pytest.raises(subprocess.TimeoutExpired):
        second.communicate(0.01)
    second.kill()
    assert second.communicate(30) == ("", second.stderr.text)
    assert second.returncode == -signal.SIGKILL


def test_an_interrupt_reaches_it() -> None:
    one = run("wait")
    one.send_signal(signal.SIGINT)
    _, err = one.communicate(30)
    assert err.splitlines()[-1] == "KeyboardInterrupt"
