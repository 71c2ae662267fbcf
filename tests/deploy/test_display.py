"""Displays: plain lines for pipelines, a moving tree for people, one line at the end for both."""

from __future__ import annotations

import io
from collections.abc import Iterable

import pyte
import pytest
from pulumi.automation import DiagnosticEvent, EngineEvent
from rich.console import Console

from moorage.deploy.display import LiveTree, PlainLines
from moorage.deploy.events import (
    Began,
    Ended,
    Event,
    Failed,
    Finished,
    Note,
    Registered,
    Said,
    Started,
    translate,
)
from moorage.deploy.show.words import summary

STACK = "urn:pulumi:local::demo::pulumi:pulumi:Stack::demo-local"
ENGINE = "urn:pulumi:local::demo::moorage:index:Service$moorage:index:Process::hello-local-1"
OTHER = f"{ENGINE}-other"
SAME = "urn:pulumi:local::demo::moorage:index:ApiKey::hello"

STORY: list[Event] = [
    Began(operation="up", stack="local"),
    Started(urn=STACK, step="create"),
    Started(urn=SAME, step="same"),
    Finished(urn=SAME, step="same"),
    Started(urn=ENGINE, step="create"),
    Said(text="waiting for /health", severity="info", urn=ENGINE),
    Said(text="waiting for /health", severity="info", urn=ENGINE),
    Said(text="the Hub cannot be reached", severity="warning", urn=ENGINE),
    Note(text="cancelling"),
    Failed(urn=ENGINE, step="create"),
    Said(text="told at the end by the error itself", severity="error", urn=ENGINE),
    Finished(urn=STACK, step="create"),
    Ended(operation="up", stack="local", fine=False, changes={"same": 1}, duration_s=2.5),
]


class Clock:
    """A clock that goes on when it is told to."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def plain(
    events: Iterable[Event | float], *, clock: Clock | None = None, **environ: str
) -> list[str]:
    """The lines for these events; a number lets as many seconds pass."""
    out, clock = io.StringIO(), clock or Clock()
    show = PlainLines(out, clock=clock, environ=environ)
    for event in events:
        if isinstance(event, float):
            clock.now_s += event
            show.tick()
        else:
            show(event)
    return out.getvalue().splitlines()


def test_plain_lines_tell_the_story_without_the_book_keeping() -> None:
    assert plain([STORY[0], 1.5, *STORY[1:5], 0.5, *STORY[5:]]) == [
        "[  1.5 s] creating Process hello-local-1",
        "[  2.0 s] Process hello-local-1: waiting for /health",
        "[  2.0 s] warning: Process hello-local-1: the Hub cannot be reached",
        "[  2.0 s] cancelling",
        "[  2.0 s] FAILED creating Process hello-local-1 (0.5 s)",
        "[  2.0 s] up local (failed): nothing finished, 1 unchanged, 2.5 s",
    ]


def test_progress_that_comes_fast_is_told_every_ten_seconds_and_the_newest_of_it() -> None:
    steps: list[Event] = [
        Said(text=f"{percent} %", severity="info", urn=ENGINE, newest_only=True)
        for percent in (1, 2, 3, 4)
    ]
    begin: list[Event] = [Began(operation="up", stack="local"), Started(urn=ENGINE, step="create")]
    lines = plain([*begin, steps[0], steps[1], 5.0, steps[2], 5.0, 5.0, steps[3], 4.0, 1.0])
    assert [line.split("] ")[1] for line in lines[1:]] == [
        "Process hello-local-1: 1 %",
        "Process hello-local-1: 3 %",
        "Process hello-local-1: 4 %",
    ]


def test_a_long_silence_is_broken_every_thirty_seconds() -> None:
    """Pipelines end jobs that say nothing."""
    said = Said(text="loading", severity="info", urn=ENGINE)
    lines = plain(
        [*STORY[:5], Started(urn=OTHER, step="update"), said, *[10.0] * 6, STORY[-1], 60.0]
    )
    assert lines[3:] == [
        "[ 30.0 s] still creating Process hello-local-1 (30 s) and 1 more: loading",
        "[ 60.0 s] still creating Process hello-local-1 (60 s) and 1 more: loading",
        "[ 60.0 s] up local (failed): nothing finished, 1 unchanged, 2.5 s",
    ]


def test_nothing_at_work_needs_no_sign_of_life() -> None:
    assert plain([STORY[0], Started(urn=SAME, step="same"), 60.0]) == []


def test_a_line_of_somebody_else_cannot_command_the_pipeline() -> None:
    """GitHub obeys any line that begins with two colons, whoever wrote it."""
    said = Said(text="fine\n::set-env name=PATH::/tmp\r::stop\x1b[2J", severity="info", urn=ENGINE)
    lines = plain([*STORY[:5], said], GITHUB_ACTIONS="true")
    assert not any(line.lstrip().startswith("::") for line in lines)
    assert "\x1b" not in "".join(lines)


def test_github_is_told_of_failures_in_its_own_way() -> None:
    said = Said(text="100% full:\nfree, some", severity="error", urn=ENGINE)
    annotated = plain([*STORY[:5], said], GITHUB_ACTIONS="true")[-1]
    assert annotated == "::error title=Process hello-local-1::100%25 full: free, some"
    assert plain([*STORY[:5], said])[-1] == "[  0.0 s] creating Process hello-local-1"


def test_the_tree_leaves_what_is_done_above_it() -> None:
    out = io.StringIO()
    show = LiveTree(Console(file=out, force_terminal=True, width=100, color_system=None))
    for event in STORY:
        show(event)
        show.tick()
    text = out.getvalue()
    assert "FAILED creating Process hello-local-1" in text
    assert "warning: Process hello-local-1: the Hub cannot be reached" in text
    assert "told at the end" not in text
    assert "nothing finished, 1 unchanged" in text


@pytest.mark.parametrize(("width", "height"), [(80, 24), (40, 10), (200, 60)])
@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_the_tree_of_two_hundred_fits_any_terminal(width: int, height: int, encoding: str) -> None:
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, encoding=encoding, write_through=True)
    console = Console(file=out, force_terminal=True, width=width, height=height, color_system=None)
    show = LiveTree(console)
    show(Began(operation="up", stack="local"))
    for number in range(200):
        show(Registered(kind="moorage:index:Process", name=f"a-name-that-is-long-{number}"))
    for number in range(150):
        show(Started(urn=f"{ENGINE}-{number}", step="create"))
        show(Said(text="waiting for /health " * 9, severity="info", urn=f"{ENGINE}-{number}"))
    screen = pyte.Screen(width, height)
    stream = pyte.ByteStream(screen)
    screen.set_mode(pyte.modes.LNM)
    for _ in range(3):
        show.tick()
    stream.feed(raw.getvalue())
    lines = [line.rstrip() for line in screen.display if line.strip()]
    text = " ".join(lines)
    assert lines[0].startswith("creating Pr"), lines
    assert len(lines) in {height - 1, height}
    for once in ("more at work", "150 at work", "200 waiting"):
        assert text.count(once) == 1, lines
    show(Ended(operation="up", stack="local", fine=True, changes={}, duration_s=1.0))


@pytest.mark.parametrize(
    ("operation", "changes", "line"),
    [
        ("up", {"same": 4}, "up local: nothing changed, 4 unchanged, 1.0 s"),
        ("up", {"create": 2, "update": 1}, "up local: 2 created, 1 updated, 1.0 s"),
        ("preview", {"create": 2}, "preview local: 2 would be created, 1.0 s"),
    ],
)
def test_the_last_line_counts(operation: str, changes: dict[str, int], line: str) -> None:
    event = Ended(operation=operation, stack="local", fine=True, changes=changes, duration_s=1.0)
    assert summary(event) == line


def test_pending_operations_are_told_in_one_line() -> None:
    """The engine's own words, shortened from CLI 3.259, take three paragraphs."""
    message = (
        "Attempting to deploy or update resources with 1 pending operations from previous "
        f"deployment.\n  * {SAME}, interrupted while creating\nThese resources are in an unknown "
        "state because the Pulumi CLI was interrupted.\n\nNote that `pulumi refresh` …"
    )
    diagnostic = DiagnosticEvent(message=message, color="never", severity="warning")
    event = translate(EngineEvent(sequence=1, timestamp=1, diagnostic_event=diagnostic))
    assert isinstance(event, Said)
    assert event.text == (
        "an earlier run died at work on ApiKey hello; the next up or destroy settles that"
    )
