"""Displays: plain lines for pipelines, a moving tree for people, one line at the end for both."""

from __future__ import annotations

import io

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
    Said,
    Started,
    translate,
)
from moorage.deploy.show.pump import Display
from moorage.deploy.show.words import summary

STACK = "urn:pulumi:local::demo::pulumi:pulumi:Stack::demo-local"
ENGINE = "urn:pulumi:local::demo::moorage:index:Service$moorage:index:Process::hello-local-1"
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


def shown(display: Display, out: io.StringIO) -> list[str]:
    for event in STORY:
        display(event)
    return [line.split("] ", 1)[-1] for line in out.getvalue().splitlines()]


def test_plain_lines_tell_the_story_without_the_book_keeping() -> None:
    out = io.StringIO()
    lines = shown(PlainLines(out), out)
    assert lines == [
        "creating Process hello-local-1",
        "Process hello-local-1: waiting for /health",
        "warning: Process hello-local-1: the Hub cannot be reached",
        "cancelling",
        "FAILED creating Process hello-local-1 (0.0 s)",
        "up local (failed): nothing changed, 1 unchanged, 2.5 s",
    ]


def test_the_tree_leaves_what_is_done_above_it() -> None:
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=100, color_system=None)
    text = "\n".join(shown(LiveTree(console), out))
    assert "FAILED creating Process hello-local-1" in text
    assert "warning: Process hello-local-1: the Hub cannot be reached" in text
    assert "told at the end" not in text
    assert "nothing changed, 1 unchanged" in text


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
