"""Displays show events as they come: a live table on a terminal, plain lines anywhere else."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TextIO

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from moorage.deploy.events import (
    Began,
    Ended,
    Event,
    Failed,
    Finished,
    Note,
    Said,
    Started,
    is_internal,
    label,
)

Display = Callable[[Event], None]

# Pulumi's step -> (while it lasts, when it is done); steps that are not here change nothing.
WORDS = {
    "create": ("creating", "created"),
    "update": ("updating", "updated"),
    "delete": ("deleting", "deleted"),
    "replace": ("replacing", "replaced"),
    "create-replacement": ("creating anew", "created anew"),
    "delete-replaced": ("deleting the old", "deleted the old"),
    "discard-replaced": ("dropping the old", "dropped the old"),
    "import": ("importing", "imported"),
    "import-replacement": ("importing anew", "imported anew"),
    "remove-pending-replace": ("forgetting the old", "forgot the old"),
}
# A preview finishes every step at once, and nothing is done by then.
PLANNED = {step: f"would be {done}" for step, (_, done) in WORDS.items()}
UNCHANGED_STEPS = frozenset({"same", "read", "refresh", "read-replacement", "read-discard"})
SLOW_LOOK_S = 1.0  # looking at a resource is worth a row only when it takes this long


def choose(out: TextIO | None = None) -> Display:
    """The display for a stream: live on a terminal, plain otherwise."""
    out = out or sys.stderr
    return LiveTable(Console(file=out)) if out.isatty() else PlainLines(out)


def summary(event: Ended) -> str:
    """The one line at the end of an operation."""
    words = PLANNED if event.operation == "preview" else {s: w[1] for s, w in WORDS.items()}
    changes = [
        f"{count} {words.get(step, step)}"
        for step, count in sorted(event.changes.items())
        if count and step not in UNCHANGED_STEPS
    ]
    same = event.changes.get("same", 0)
    told = ", ".join(changes) or "nothing changed"
    verdict = "" if event.fine else " (failed)"
    unchanged = f", {same} unchanged" if same else ""
    return f"{event.operation} {event.stack}{verdict}: {told}{unchanged}, {event.duration_s:.1f} s"


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """A resource that is being worked on."""

    step: str
    began_s: float
    said: str = ""


class PlainLines:
    """One line when a step begins, when it says something new, and when it ends."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._rows: dict[str, Row] = {}
        self._preview = False
        self._began_s = time.monotonic()

    def __call__(self, event: Event) -> None:
        """Write what the event is worth."""
        match event:
            case Began():
                self._began_s, self._preview = time.monotonic(), event.operation == "preview"
            case Started():
                self._started(event)
            case Finished() | Failed():
                self._ended(event)
            case Said():
                self._said(event)
            case Note():
                self._line(event.text)
            case Ended():
                self._line(summary(event))

    def _started(self, event: Started) -> None:
        self._rows[event.urn] = Row(step=event.step, began_s=time.monotonic())
        if event.step in WORDS and not is_internal(event.urn) and not self._preview:
            self._line(f"{WORDS[event.step][0]} {label(event.urn)}")

    def _ended(self, event: Finished | Failed) -> None:
        row = self._rows.pop(event.urn, None)
        if row is not None:
            line = ended_line(event, row, preview=self._preview)
            if line:
                self._line(line)

    def _said(self, event: Said) -> None:
        row = self._rows.get(event.urn)
        if event.severity == "error" or (row and row.said == event.text):
            return
        if row:
            self._rows[event.urn] = replace(row, said=event.text)
        self._line(said_line(event))

    def _line(self, text: str) -> None:
        self._out.write(f"[{time.monotonic() - self._began_s:5.1f} s] {text}\n")
        self._out.flush()


class LiveTable:
    """What is being worked on is a table that moves; what is done stays above it."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._rows: dict[str, Row] = {}
        self._live: Live | None = None
        self._preview = False

    def __call__(self, event: Event) -> None:
        """Show what the event is worth."""
        match event:
            case Began():
                self._begin(event)
            case Started():
                self._rows[event.urn] = Row(step=event.step, began_s=time.monotonic())
            case Finished() | Failed():
                self._ended(event)
            case Said():
                self._said(event)
            case Note():
                self._console.print(Text(event.text, style="yellow"))
            case Ended():
                self._end(event)

    def _begin(self, event: Began) -> None:
        self._preview = event.operation == "preview"
        self._live = Live(
            get_renderable=self._table,
            console=self._console,
            refresh_per_second=4,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._live.start()

    def _ended(self, event: Finished | Failed) -> None:
        row = self._rows.pop(event.urn, None)
        line = ended_line(event, row, preview=self._preview) if row else ""
        if line:
            self._console.print(Text(line, style="red" if isinstance(event, Failed) else "green"))

    def _said(self, event: Said) -> None:
        row = self._rows.get(event.urn)
        if row and event.severity != "error":
            self._rows[event.urn] = replace(row, said=event.text)
        if event.severity == "warning" or (event.severity == "info" and not row):
            style = "yellow" if event.severity == "warning" else ""
            self._console.print(Text(said_line(event), style=style))

    def _end(self, event: Ended) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None
        self._rows.clear()
        self._console.print(Text(summary(event), style="bold" if event.fine else "bold red"))

    def _table(self) -> Table:
        table = Table.grid(padding=(0, 2))
        now_s = time.monotonic()
        for urn, row in list(self._rows.items()):
            elapsed_s = now_s - row.began_s
            if is_internal(urn) or (row.step not in WORDS and elapsed_s < SLOW_LOOK_S):
                continue
            doing = WORDS.get(row.step, ("looking at", ""))[0]
            said = Text(row.said, style="dim", overflow="ellipsis", no_wrap=True)
            table.add_row(doing, label(urn), f"{elapsed_s:.0f} s", said)
        return table


def ended_line(event: Finished | Failed, row: Row, *, preview: bool) -> str:
    """The line that stays when a step is over; empty for a step that changed nothing."""
    step = row.step if row.step in WORDS else event.step
    if is_internal(event.urn) or (step not in WORDS and isinstance(event, Finished)):
        return ""
    elapsed_s = time.monotonic() - row.began_s
    if isinstance(event, Failed):
        doing = WORDS.get(step, ("looking at", ""))[0]
        return f"FAILED {doing} {label(event.urn)} ({elapsed_s:.1f} s)"
    if preview:
        return f"{label(event.urn)} {PLANNED[step]}"
    return f"{WORDS[step][1]} {label(event.urn)} ({elapsed_s:.1f} s)"


def said_line(event: Said) -> str:
    """What somebody said, with who it is about."""
    about = "" if not event.urn or is_internal(event.urn) else f"{label(event.urn)}: "
    warning = "warning: " if event.severity == "warning" else ""
    return f"{warning}{about}{event.text}"
