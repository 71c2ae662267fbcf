"""What real runs show, on a terminal, in a pipeline and to a machine; and what they never show."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from moorage.deploy.show import events_schema
from tests import warm
from tests.deploy import terminal
from tests.deploy.project import Ended, Project, a_project, finished
from tests.scripted.cloud import Cloud

pytestmark = [pytest.mark.engine, pytest.mark.slow]

ROOT = Path(__file__).parent.parent.parent
PROGRAM = "tests.deploy.watched"
SCHEMA = ROOT / "docs" / "events.schema.json"
# Of version 1 `turned` is no secret yet; it becomes one in version 2.
SECRETS = ("sk-password-", "sk-tag-", "sk-output-", "sk-nested-", "token-of-")


@dataclass(frozen=True, kw_only=True)
class Watched:
    """A project whose things are files in a folder, and everything that its runs wrote."""

    project: Project
    cloud: Cloud

    def command(self, operation: str, form: str) -> list[str]:
        return [sys.executable, "-m", PROGRAM, str(self.project.root), operation, form]

    def environ(self, **more: str) -> dict[str, str]:
        return {
            **self.project.environ,
            "PYTHONPATH": str(ROOT),
            "MOORAGE_TEST_CLOUD": str(self.cloud.folder),
            **more,
        }

    def run(self, operation: str, form: str, **environ: str) -> Ended:
        words = (str(self.project.root), operation, form)
        return finished(warm.Run(PROGRAM, words, self.environ(**environ)))


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    folder = tmp_path_factory.mktemp("watched")
    with a_project(folder / "a project") as project:
        yield Watched(project=project, cloud=Cloud(folder=folder / "cloud"))


@dataclass(frozen=True, kw_only=True)
class Story:
    """What each chapter of the story wrote."""

    first_plan: str
    first_up: str
    second_plan: str
    failed_up: str
    repair_plan: str
    second_up: str
    drift: str

    @property
    def everything(self) -> str:
        return "\n".join(astuple(self))


@pytest.fixture(scope="module")
def story(watched: Watched) -> Story:
    """Two versions of one program; the second first fails half-way; then somebody interferes."""

    def chapter(operation: str, form: str, version: int, *, code: int = 0, **wish: str) -> str:
        wishes = {name.upper(): value for name, value in wish.items()}
        ended = watched.run(operation, form, VERSION=str(version), **wishes)
        assert ended.code == code, ended.err
        return ended.out + ended.err

    first_plan = chapter("preview", "plain", 1, diff="yes")
    first_up = chapter("up", "json", 1)
    second_plan = chapter("preview", "plain", 2, diff="yes")
    failed_up = chapter("up", "json", 2, code=1, never_ready="yes")
    repair_plan = chapter("preview", "plain", 2)
    second_up = chapter("up", "json", 2)
    thing = watched.cloud.folder / "things" / "after-z1.json"
    body = json.loads(thing.read_text())
    thing.write_text(json.dumps(body | {"inputs": body["inputs"] | {"size": 9}}))
    drift = chapter("refresh", "plain", 2)
    return Story(
        first_plan=first_plan,
        first_up=first_up,
        second_plan=second_plan,
        failed_up=failed_up,
        repair_plan=repair_plan,
        second_up=second_up,
        drift=drift,
    )


def events(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def told(text: str) -> list[str]:
    """Lines without their times."""
    return [line[10:] for line in text.splitlines() if line[:1] in "[ "]


def test_no_secret_is_in_anything_that_a_run_writes(story: Story) -> None:
    everything = story.everything
    assert not [secret for secret in SECRETS if secret in everything]
    assert "sk-turned-2" not in everything
    since_it_is_secret = everything.replace(story.first_plan, "")
    assert "sk-turned-1" not in since_it_is_secret
    assert everything.count("[secret]") > 5


def test_a_preview_shows_what_differs_and_what_replaces(story: Story) -> None:
    lines = told(story.second_plan)
    assert "Thing moved would be replaced: zone changed" in lines
    start = lines.index("Thing counter would be updated") + 1
    assert lines[start : start + 12] == [
        "  ~ hourlyUsd: 0.8 -> 1.6",
        "  ~ note:",
        "      @@ -1,3 +1,3 @@",
        "       one",
        "      -two",
        "      +2",
        "       three",
        "  ~ password: [secret]",
        "  ~ size: 1 -> 2",
        "  ~ tags.KEY: [secret]",
        "  ~ tags.TURNED: [secret]",
        '  ~ tags.plain: "p1" -> "p2"',
    ]
    assert '  ~ zone: "z1" -> "z2"  (replaces)' in lines
    assert '  ~ note: "https://moved-z1.example" -> (known after the up)' in lines
    assert lines[-2] == "outputs changed: ~url"
    assert lines[-1].endswith(", 0.80 -> 1.60 USD/h")


def test_a_first_preview_shows_every_property_where_asked_for(story: Story) -> None:
    lines = told(story.first_plan)
    assert "  + password: [secret]" in lines
    assert "  + hourlyUsd: 0.8" in lines
    assert "outputs changed: +nested [secret], +password [secret], +url" in lines


def test_a_thing_that_did_not_get_ready_is_the_reason_of_its_next_update(story: Story) -> None:
    line = next(line for line in told(story.repair_plan) if "counter would" in line)
    assert line.startswith("Thing counter would be updated: it did not get ready: ")


def test_a_refresh_shows_what_was_and_what_is(story: Story) -> None:
    lines = told(story.drift)
    start = lines.index("Thing after differs from the state")
    assert lines[start + 1] == "  ~ size: 1 -> 9"


def test_every_event_is_as_the_schema_says(story: Story) -> None:
    judge = Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))
    seen = set()
    for chapter in (story.first_up, story.failed_up, story.second_up):
        lines = events(chapter)
        for line in lines:
            judge.validate(line)
            seen.add(line["event"])
        assert [line.get("version") for line in lines] == [1, *[None] * (len(lines) - 1)]
        assert lines[-1]["event"] == "result"
    assert seen == {"began", "started", "finished", "failed", "said", "note", "result"}


def test_the_last_line_is_the_result(story: Story) -> None:
    first, failed, second = (
        events(text)[-1] for text in (story.first_up, story.failed_up, story.second_up)
    )
    assert (first["fine"], first["changed"], first["changes"]) == (True, True, {"create": 4})
    assert first["money"] == {"before_hourly_usd": "0.00", "after_hourly_usd": "0.80"}
    assert first["outputs"] == {"nested": "added", "password": "added", "url": "added"}
    assert failed["fine"] is False
    assert second["fine"] is True
    assert second["money"]["after_hourly_usd"] == "1.60"


def test_a_reader_that_leaves_early_does_not_stop_the_work(watched: Watched, story: Story) -> None:
    """As in `moorage up --display json | head -1`."""
    process = subprocess.Popen(
        watched.command("up", "json"),
        env=watched.environ(VERSION="1", MANY="3"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    assert json.loads(process.stdout.readline())["event"] == "began"
    process.stdout.close()
    said = process.stderr.read()
    process.stderr.close()
    assert process.wait(60) == 0
    assert said == (
        "moorage: progress is no longer shown: nobody reads it any more; the work goes on\n"
    )
    assert {"thing-0-z1", "thing-1-z1", "thing-2-z1"} <= watched.cloud.things().keys()


def rows_of(lines: list[str]) -> list[str]:
    return [line for line in lines if line.startswith(("├─ ", "└─ "))]


def test_a_terminal_shows_the_tree_of_what_is_at_work(
    watched: Watched, story: Story, tmp_path: Path
) -> None:
    """More things than lines, below their component; then the window is made small."""
    go = tmp_path / "go"
    many = {"VERSION": "2", "MANY": "40", "WAIT_FOR": str(go), "TERM": "xterm", "NO_COLOR": "1"}
    environ = watched.environ(**many, PYTHONIOENCODING="utf-8")
    with terminal.run(watched.command("up", "auto"), environ, columns=80, rows=24) as shown:
        shown.until(lambda: any("more at work" in line for line in shown.lines))
        assert "Shop shop" in shown.lines
        shown.until(lambda: all("ing Thing thing-" in row for row in rows_of(shown.lines)))
        rows = rows_of(shown.lines)
        assert len(rows) >= 15
        assert "0.10 USD/h" in rows[0]
        assert "waiting for" in " ".join(rows)
        shown.resize(40, 10)
        before = len(shown.raw)
        shown.until(lambda: len(shown.raw) > before + 2000)
        shown.until(lambda: any(line.startswith("up local") for line in shown.lines))
        go.touch()
        assert shown.finish() == 0
        assert "Thing thing-39" in " ".join(shown.history)
        assert re.search(r"up local: \d+ created, 1 replaced", " ".join(shown.history[-3:]))
        assert b"\x1b[3" not in shown.raw  # no colour


def test_a_terminal_that_goes_away_does_not_stop_the_work(
    watched: Watched, story: Story, tmp_path: Path
) -> None:
    go = tmp_path / "go"
    environ = watched.environ(VERSION="3", MANY="2", WAIT_FOR=str(go), TERM="xterm")
    with terminal.run(watched.command("up", "auto"), environ, columns=80, rows=24) as shown:
        shown.until(lambda: "waiting for" in " ".join(shown.lines))
        shown.go_away()
        go.touch()
        assert shown.process.wait(60) == 0
    assert watched.cloud.things()["counter-z1"]["inputs"]["size"] == 3


def test_the_published_schema_is_what_the_code_says() -> None:
    wanted = "python -m moorage.deploy.show.events_schema > docs/events.schema.json"
    assert SCHEMA.read_text(encoding="utf-8") == events_schema.render(), wanted
    Draft202012Validator.check_schema(events_schema.build())
