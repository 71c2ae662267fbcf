"""Some of the deaths that `make crash` tries at every step, by the same code."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.engine, pytest.mark.slow]

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("sweep", "points"),
    [
        ("provider", 2),
        pytest.param("hf", 1, marks=pytest.mark.thorough),
        pytest.param("hosts", 2, marks=pytest.mark.thorough),
    ],
)
def test_whatever_dies_one_run_mends_it(tmp_path: Path, sweep: str, points: int) -> None:
    if sweep == "hosts":
        from tests.docker import engine  # with Docker's SDK, which takes its time

        points += 2 * (engine.unavailable() is None)
    ended = subprocess.run(
        [sys.executable, "-m", "crash", "--only", sweep, "--sample", "--folder", tmp_path],
        env={**os.environ, "PYTHONPATH": str(ROOT / "tools")},
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert ended.stdout.splitlines()[-1] == f"crash: {points} points, {points} clean"
