"""A run of scenarios: each in a process of its own, several at a time."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests import warm
from tests.scenarios.play import Verdict
from tests.scenarios.story import Scenario
from tests.scenarios.world import environment

DEADLINE_S = 300.0
ROOT = Path(__file__).parents[2]
KNOWN = ("tests.scenarios.play", "tests.scenarios.table")


def played(story: Scenario, folder: Path) -> Verdict:
    """Play one scenario in a process of its own."""
    root = folder / story.name.replace(" ", "-").replace("/", "-")
    words = (str(root), story.name)
    run = warm.Run("tests.scenarios.play", words, environment(root), ROOT, knows=KNOWN)
    try:
        out, err = run.communicate(DEADLINE_S)
    except subprocess.TimeoutExpired:
        run.kill()
        return _broken(f"it did not end within {DEADLINE_S:.0f} s")
    try:
        told = json.loads(out.splitlines()[-1])
    except (ValueError, IndexError):
        return _broken(err)
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
