"""Stories: each folder of tests/cases is a project's specs and what moorage says of them.

`problems.txt` holds every problem, `plan.json` the plans; MOORAGE_WRITE_CASES=1 writes both anew,
for review.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from moorage.plan.load import load
from moorage.plan.render import plan_json
from moorage.spec import report

CASES = Path(__file__).parent.parent / "cases"
STORIES = sorted(path.name for path in CASES.iterdir() if path.is_dir())


@pytest.mark.parametrize("story", STORIES)
def test_a_story_ends_as_it_is_written(story: str) -> None:
    folder = CASES / story
    loaded = load([folder], root=folder)
    plans = [plan_json(plan) for plan in loaded.plans]
    text = json.dumps(plans, indent=2, ensure_ascii=False).replace(str(folder), "<case>") + "\n"
    problems = report.FORMATS["text"](loaded.problems).replace(str(folder), "<case>")
    compare(folder / "problems.txt", problems)
    compare(folder / "plan.json", text if plans else "")


def compare(file: Path, content: str) -> None:
    if os.environ.get("MOORAGE_WRITE_CASES"):
        if content:
            file.write_text(content, encoding="utf-8")
        else:
            file.unlink(missing_ok=True)
    assert content == (file.read_text(encoding="utf-8") if file.exists() else "")


@pytest.mark.parametrize("story", STORIES)
def test_a_story_says_something(story: str) -> None:
    """A folder without an ending would pass whatever happens."""
    assert (CASES / story / "problems.txt").exists() or (CASES / story / "plan.json").exists()
