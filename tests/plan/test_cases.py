"""Stories: each folder of tests/cases is a project's specs and what moorage says of them.

`problems.txt` holds every problem, `plans.txt` the placements of every spec that has a plan, and
`plan.json`, where a story is about the plan, all of it. MOORAGE_WRITE_CASES=1 writes them anew, for
review. A story that depends on the day has it in `today.txt`. Where `right.yaml` lies beside a
wrong spec, it is the same with the mistake put right.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from moorage.plan.load import Loaded
from moorage.plan.show.render import plan_json
from moorage.spec import report
from tests.plan.projects import judge

CASES = Path(__file__).parent.parent / "cases"
STORIES = sorted(path.name for path in CASES.iterdir() if path.is_dir())
WRITE = bool(os.environ.get("MOORAGE_WRITE_CASES"))


@pytest.mark.parametrize("story", STORIES)
def test_a_story_ends_as_it_is_written(story: str, tmp_path: Path) -> None:
    folder, root = CASES / story, tmp_path / "case"
    shutil.copytree(folder, root)
    loaded = judge(root)
    problems = report.FORMATS["text"](loaded.problems).replace(str(root), "<case>")
    compare(folder / "problems.txt", problems)
    compare(folder / "plans.txt", plans(loaded))
    if (folder / "plan.json").exists():
        rows = [plan_json(plan) for plan in loaded.plans]
        text = json.dumps(rows, indent=2, ensure_ascii=False).replace(str(root), "<case>")
        compare(folder / "plan.json", f"{text}\n")


def plans(loaded: Loaded) -> str:
    """The services that may be built, each with its placements."""
    return "".join(
        f"{plan.service}: {', '.join(row.name for row in plan.placements)}\n"
        for plan in loaded.plans
    )


def compare(file: Path, content: str) -> None:
    if WRITE and content:
        file.write_text(content, encoding="utf-8")
    elif WRITE:
        file.unlink(missing_ok=True)
    assert content == (file.read_text(encoding="utf-8") if file.exists() else "")


@pytest.mark.parametrize("story", STORIES)
def test_a_story_says_something(story: str) -> None:
    """A folder without an ending would pass whatever happens."""
    assert (CASES / story / "problems.txt").exists() or (CASES / story / "plans.txt").exists()
