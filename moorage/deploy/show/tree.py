"""The live tree: what is at work below its components, with a footer; what is done stays above."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from moorage.deploy.events import Ended, Event, Failed, Finished, Note, Said, Started
from moorage.deploy.show import money, tell
from moorage.deploy.show.run import Clock, Row, Run, follow
from moorage.deploy.show.values import printable
from moorage.deploy.show.words import WORDS, doing, outputs_line, said_line, summary
from moorage.deploy.urns import is_internal, label

SLOW_LOOK_S: Final = 1.0  # looking at a resource is worth a row only when it takes this long
_FEWEST_ROWS: Final = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class _Signs:
    """What the tree is drawn with."""

    branch: str
    last: str
    through: str
    more: str
    dot: str


_UNICODE: Final = _Signs(branch="├─ ", last="└─ ", through="│  ", more="…", dot=" · ")
_ASCII: Final = _Signs(branch="|- ", last="`- ", through="|  ", more="...", dot=" | ")


class LiveTree:
    """What is being worked on is a tree that moves; what is done stays above it."""

    def __init__(
        self, console: Console, *, diff: bool = False, clock: Clock = time.monotonic
    ) -> None:
        self._console = console
        self._diff = diff
        self._run = Run(clock)
        self._live: Live | None = None
        self._waiting: list[Text] = []  # lines that stay, until the next time that we draw

    def __call__(self, event: Event) -> None:
        """Take in what the event is worth; it is drawn by the next tick."""
        self._run = follow(self._run, event)
        row = self._run.take(event)
        match event:
            case Started() if self._diff:
                self._keep(tell.started(event, preview=self._run.preview, full=True))
            case Finished() | Failed() if row is not None:
                self._over(event, row)
            case Said():
                self._said(event, row)
            case Note():
                self._keep([event.text], "yellow")
            case Ended():
                self._end(event)
            case _:
                pass
        if not self._run.active:
            self._print()

    def tick(self) -> None:
        """Draw anew: the size of the terminal may have changed as well."""
        if not self._run.active:
            return
        if self._live is None:
            self._live = Live(
                console=self._console,
                auto_refresh=False,
                transient=True,
                redirect_stdout=False,
                redirect_stderr=False,
            )
            self._live.start()
        self._live.update(self._tree())
        self._print()
        self._live.refresh()

    def _over(self, event: Finished | Failed, row: Row) -> None:
        run = self._run
        style = "red" if isinstance(event, Failed) else "green"
        told = tell.over(event, row, run.clock(), preview=run.preview, full=self._diff)
        self._keep(told, style)

    def _said(self, event: Said, row: Row | None) -> None:
        if event.severity == "warning":
            self._keep([said_line(event)], "yellow")
        elif event.severity == "info" and row is None:
            self._keep([said_line(event)])

    def _end(self, event: Ended) -> None:
        self._print()
        if self._live is not None:
            self._live.stop()
            self._live = None
        self._keep([line for line in [outputs_line(self._run.changed_outputs())] if line])
        self._keep([summary(event, self._run.money)], "bold" if event.fine else "bold red")

    def _keep(self, lines: list[str], style: str = "") -> None:
        """Keep lines for good; the first one of several is coloured, diffs by their marks."""
        for number, line in enumerate("\n".join(lines).splitlines()):
            self._waiting.append(Text(printable(line), style=_style(line) if number else style))

    def _print(self) -> None:
        if self._waiting:
            self._console.print(Text("\n").join(self._waiting))
            self._waiting.clear()

    # --- the picture

    def _tree(self) -> Group:
        """As many rows as fit, and the footer."""
        signs = _ASCII if self._console.options.ascii_only else _UNICODE
        width = self._console.width
        footer = self._footer(width, signs)[: max(1, self._console.height // 4)]
        room = max(_FEWEST_ROWS, self._console.height - 1 - len(footer))
        rows = [row for row in self._run.at_work() if self._is_shown(row)]
        shown = self._fitting(rows, room)
        lines = list(self._lines(shown, width, signs))
        if len(shown) < len(rows):
            lines.append(Text(f"{signs.more} and {len(rows) - len(shown)} more at work"))
        lines += [Text(line, style="bold") for line in footer]
        return Group(*(_cut(line, width) for line in lines))

    def _is_shown(self, row: Row) -> bool:
        return row.step in WORDS or self._run.clock() - row.began_s >= SLOW_LOOK_S

    def _fitting(self, rows: list[Row], room: int) -> list[Row]:
        """The rows that fit with their branches, those that have been at work longest."""
        lines: set[str] = set()
        shown: list[Row] = []
        for row in rows:
            wanted = lines | {row.urn, *self._branches(row.urn)}
            if len(wanted) > room - (len(shown) + 1 < len(rows)):
                break
            lines, shown = wanted, [*shown, row]
        return shown

    def _branches(self, urn: str) -> list[str]:
        """The components around a resource, the outermost first; the stack is none."""
        found: list[str] = []
        parent = self._run.parents.get(urn, "")
        while parent and not is_internal(parent) and parent not in found:
            found.insert(0, parent)
            parent = self._run.parents.get(parent, "")
        return found

    def _lines(self, rows: list[Row], width: int, signs: _Signs) -> Iterator[Text]:
        children: dict[str, list[str]] = {}
        for row in rows:
            way = ["", *self._branches(row.urn), row.urn]
            for parent, child in itertools.pairwise(way):
                siblings = children.setdefault(parent, [])
                if child not in siblings:
                    siblings.append(child)
        yield from self._below("", "", children, width, signs)

    def _below(
        self, urn: str, indent: str, children: dict[str, list[str]], width: int, signs: _Signs
    ) -> Iterator[Text]:
        siblings = children.get(urn, [])
        for number, child in enumerate(siblings):
            last = number + 1 == len(siblings)
            lead = "" if not urn else indent + (signs.last if last else signs.branch)
            yield self._line(child, lead, width, signs)
            deeper = "" if not urn else indent + ("   " if last else signs.through)
            yield from self._below(child, deeper, children, width, signs)

    def _line(self, urn: str, lead: str, width: int, signs: _Signs) -> Text:
        """One row: what is done to which resource, since when, for how much, and its last word."""
        row = self._run.rows.get(urn)
        if row is None or row.component:
            return Text(f"{lead}{printable(label(urn))}", style="dim")
        told = f"  {self._run.clock() - row.began_s:.0f} s"
        cost = self._run.money.after.get(urn)
        if cost is not None:
            told += f"  {money.write(cost)} USD/h"
        verb = f"{lead}{doing(row.step)} "
        name = _squeezed(printable(label(urn)), width - len(verb) - len(told), signs)
        line = Text(verb, style="cyan").append(name, style="default").append(told, style="default")
        return line.append(f"  {printable(row.said)}", style="dim") if row.said else line

    def _footer(self, width: int, signs: _Signs) -> list[str]:
        """How long, how many in which state, and for how much per hour."""
        run, counts, sums = self._run, self._run.counts, self._run.money
        parts = [f"{run.operation} {run.stack} {run.elapsed_s():.0f} s"]
        for count, word in (
            (counts.at_work, "at work"),
            (counts.waiting, "waiting"),
            (counts.done, "done"),
            (counts.failed, "failed"),
        ):
            if count:
                parts.append(f"{count} {word}")
        if sums.known:
            now, after = money.write(sums.now_usd), money.write(sums.after_usd)
            parts.append(f"{now} USD/h now" + (f", {after} after" if after != now else ""))
        return _wrapped(parts, width, signs)


def _squeezed(text: str, width: int, signs: _Signs) -> str:
    """The text without its middle, where it does not fit."""
    width = max(width, 8)
    if len(text) <= width:
        return text
    keep = width - len(signs.more)
    return f"{text[: keep // 2]}{signs.more}{text[len(text) - (keep - keep // 2) :]}"


def _wrapped(parts: list[str], width: int, signs: _Signs) -> list[str]:
    """The parts on as few lines as they fit on."""
    lines = [parts[0]]
    for part in parts[1:]:
        longer = f"{lines[-1]}{signs.dot}{part}"
        if len(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(part)
    return lines


def _cut(line: Text, width: int) -> Text:
    line.no_wrap = True
    line.truncate(width, overflow="crop")
    return line


def _style(line: str) -> str:
    return {"+": "green", "-": "red", "~": "yellow"}.get(line.strip()[:1], "")
