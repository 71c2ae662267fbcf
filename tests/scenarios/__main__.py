"""`python -m tests.scenarios`: every scenario on the real engine, as a table and a last line."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

from tests.scenarios.play import Verdict
from tests.scenarios.run import all_played
from tests.scenarios.story import Scenario
from tests.scenarios.table import SCENARIOS


def main() -> int:
    """Play them; 1 when one falls short."""
    asked = _arguments()
    stories = [one for one in SCENARIOS.values() if asked.only in one.name]
    width = max((len(one.name) for one in stories), default=0)
    print(f"{'scenario':<{width}}  steps  calls  verdict")
    fine = 0
    with tempfile.TemporaryDirectory() as folder:
        for story, verdict in all_played(stories, Path(folder), at_once=asked.at_once):
            print(_row(story, verdict, width), flush=True)
            fine += not verdict.problems
    print(f"scenarios: {len(stories)}, {fine} as expected")
    return 0 if stories and fine == len(stories) else 1


def _row(story: Scenario, verdict: Verdict, width: int) -> str:
    said = "as expected" if not verdict.problems else "FALLS SHORT"
    row = f"{story.name:<{width}}  {verdict.steps:>5}  {verdict.calls:>5}  {said}"
    lines = "\n".join(verdict.problems).splitlines()
    return "\n    ".join([row, *lines])


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.scenarios", description=__doc__)
    parser.add_argument("--only", default="", metavar="WORDS", help="those with these words")
    at_once = (os.cpu_count() or 2) + 1
    parser.add_argument("--at-once", type=int, default=at_once, metavar="N", help="how many")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
