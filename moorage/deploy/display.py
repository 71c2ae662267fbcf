"""Displays show events as they come: live on a terminal, plain or as JSON anywhere else."""

from __future__ import annotations

import os
import sys
from typing import TextIO

from rich.console import Console

from moorage.deploy.show.forms import FORMS
from moorage.deploy.show.json_lines import JsonLines
from moorage.deploy.show.plain import PlainLines
from moorage.deploy.show.pump import Display, Pump
from moorage.deploy.show.tree import LiveTree
from moorage.errors import MoorageError

__all__ = ["FORMS", "Display", "JsonLines", "LiveTree", "PlainLines", "Pump", "choose"]


def choose(out: TextIO | None = None, *, form: str = "auto", diff: bool = False) -> Pump:
    """The display of that form for a stream; it cannot hold up or break what it shows.

    `auto` is live on a terminal that can move its cursor, and plain anywhere else. JSON goes to
    stdout, the others to stderr, unless a stream is given. With `diff`, every property that a
    step changes is shown, of new resources too.
    """
    if form not in FORMS:
        message = f"{form}: no such display; there are {', '.join(FORMS)}"
        raise MoorageError(message)
    out = out or (sys.stdout if form == "json" else sys.stderr)
    return Pump(_display(out, form=form, diff=diff), out)


def _display(out: TextIO, *, form: str, diff: bool) -> Display:
    if form == "json":
        return JsonLines(out)
    if form == "live" or (form == "auto" and _moves(out)):
        return LiveTree(_Terminal(file=out, force_terminal=True, highlight=False), diff=diff)
    return PlainLines(out, diff=diff)


def _moves(out: TextIO) -> bool:
    return out.isatty() and os.environ.get("TERM", "").lower() not in {"", "dumb", "unknown"}


class _Terminal(Console):
    """A console that lets a broken pipe be told, instead of ending the process for it."""

    def on_broken_pipe(self) -> None:
        """Say it to whoever draws."""
        raise BrokenPipeError
