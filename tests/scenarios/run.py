"""A run of scenarios: each in a process of its own, several at a time."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.scenarios.play import Verdict
from tests.scenarios.story import Scenario
from tests.scenarios.world import environment

DEADLINE_S = 300.0


def played(story: Scenario, folder: Path) -> Verdict:
    """Play one scenario in a process of its own."""
    root = folder / story.name.replace(" ", "-").replace("/", "-")
    words = [sys.executable, "-m", "tests.scenarios.play", str(root), story.name]
    try:
        ended = subprocess.run(
            words,
            env=environment(root),
            cwd=Path(__file__).parents[2],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=DEADLINE_S,
        )
    except subprocess.TimeoutExpired:
        return _broken(f"it did not end within {DEADLINE_S:.0f} s")
    try:
        told = json.loads(ended.stdout.splitlines()[-1])
    except (ValueError, IndexError):
        return _broken(ended.stderr)
    return Verdict(**{**told, "problems": tuple(told["problems"])})


def all_played(
    stories: Iterable[Scenario], folder: Path, *, at_once: int
) -> Iterator[tuple[Scenario, Verdict]]:
    """Play scenarios, several at a time; the verdicts come in the scenarios' order."""
    listed = list(stories)
    with ThreadPoolExecutor(max_workers=at_once) as pool:
        yield from zip(listed, pool.map(lambda one: played(one, folder), listed), strict=True)


def _broken(reason: str) -> Verdict:
    return Verdict(steps=0, calls=0, problems=(reason,))
