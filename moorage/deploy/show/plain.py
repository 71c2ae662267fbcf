"""Plain lines, for pipelines: one when a step begins, one when it is over, and signs of life."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import Final, TextIO

from moorage.deploy.events import Ended, Event, Failed, Finished, Note, Said, Started
from moorage.deploy.faults import distil
from moorage.deploy.show import tell
from moorage.deploy.show.run import Clock, Row, Run, follow
from moorage.deploy.show.values import printable
from moorage.deploy.show.words import WORDS, doing, outputs_line, said_line, summary
from moorage.deploy.urns import label

PROGRESS_EVERY_S: Final = 10.0  # of one resource; what it says in between is left out
ALIVE_EVERY_S: Final = 30.0  # pipelines end jobs that are silent for long


class PlainLines:
    """Lines with the seconds since the operation began."""

    def __init__(
        self,
        out: TextIO,
        *,
        diff: bool = False,
        clock: Clock = time.monotonic,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self._out = out
        self._diff = diff
        self._run = Run(clock)
        self._wrote_s = clock()
        self._github = environ.get("GITHUB_ACTIONS") == "true"

    def __call__(self, event: Event) -> None:
        """Write what the event is worth."""
        self._run = follow(self._run, event)
        row = self._run.take(event)
        match event:
            case Started():
                told = tell.started(event, preview=self._run.preview, full=self._diff)
                self._lines(told)
            case Finished() | Failed() if row is not None:
                self._over(event, row)
            case Said():
                self._said(event, row)
            case Note():
                self._lines([event.text])
            case Ended():
                self._ended(event)
            case _:
                pass

    def tick(self) -> None:
        """Say what came too fast before, and that the work goes on where nothing was said long."""
        now_s = self._run.clock()
        for row in self._run.at_work():
            if row.said != row.told and now_s - row.told_s >= PROGRESS_EVERY_S:
                self._progress(row, now_s)
        if self._run.active and now_s - self._wrote_s >= ALIVE_EVERY_S:
            self._alive(now_s)

    def _over(self, event: Finished | Failed, row: Row) -> None:
        run = self._run
        self._lines(tell.over(event, row, run.clock(), preview=run.preview, full=self._diff))

    def _said(self, event: Said, row: Row | None) -> None:
        if event.severity == "error":
            self._annotate(event)
            return
        now_s = self._run.clock()
        if row is None:
            self._lines([said_line(event)])
        elif row.said != row.told and (
            not event.newest_only or not row.told or now_s - row.told_s >= PROGRESS_EVERY_S
        ):
            row.told, row.told_s = row.said, now_s
            self._lines([said_line(event)])

    def _progress(self, row: Row, now_s: float) -> None:
        row.told, row.told_s = row.said, now_s
        self._lines([f"{label(row.urn)}: {row.said}"])

    def _alive(self, now_s: float) -> None:
        rows = [row for row in self._run.at_work() if row.step in WORDS]
        if not rows:
            return
        oldest = min(rows, key=lambda row: row.began_s)
        more = f" and {len(rows) - 1} more" if len(rows) > 1 else ""
        said = f": {oldest.said}" if oldest.said else ""
        about = f"{doing(oldest.step)} {label(oldest.urn)}"
        self._lines([f"still {about} ({now_s - oldest.began_s:.0f} s){more}{said}"])

    def _ended(self, event: Ended) -> None:
        for line in (outputs_line(self._run.changed_outputs()), summary(event, self._run.money)):
            self._lines([line] if line else [])

    def _annotate(self, event: Said) -> None:
        """Let GitHub show the failure on the run's page; elsewhere the error itself tells it."""
        fault = distil(event.text) if self._github else None
        if fault is not None:
            title = label(event.urn) if event.urn else "moorage"
            self._write(f"::error title={_property(title)}::{_data(fault.line)}\n")

    def _lines(self, lines: list[str]) -> None:
        """Write lines that belong together; what continues one never begins as a command would."""
        if not lines:
            return
        at = f"[{self._run.elapsed_s():5.1f} s] "
        rest = "| ".rjust(len(at))
        told = map(printable, "\n".join(lines).splitlines())
        self._write("".join(f"{rest if n else at}{line}\n" for n, line in enumerate(told)))

    def _write(self, text: str) -> None:
        self._wrote_s = self._run.clock()
        encoding = getattr(self._out, "encoding", None) or "utf-8"
        self._out.write(text.encode(encoding, "replace").decode(encoding))
        self._out.flush()


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
