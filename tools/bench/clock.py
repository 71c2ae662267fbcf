"""Times of commands, and the lines of a table in which a promise is kept or missed."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

END_S = 120.0


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line of a table."""

    what: str
    measured: str
    limit: str = ""  # empty where nothing is promised
    kept: bool = True

    def __str__(self) -> str:
        return f"| {self.what} | {self.measured} | {self.limit} |"


@dataclass(frozen=True, kw_only=True)
class Took:
    """One command: how long it took, and how much of that it and its children worked."""

    wall_s: float
    cpu_s: float
    out: str


def table(lines: Sequence[Line]) -> str:
    """The lines in Markdown."""
    return "\n".join(("| what | measured | limit |", "|---|---|---|", *map(str, lines)))


def took(command: Sequence[str], folder: Path, environ: Mapping[str, str] | None = None) -> Took:
    """Run a command to its end; one that fails ends the bench."""
    with tempfile.TemporaryFile("w+") as out:
        start_s = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=folder, env=environ, stdout=out, stderr=subprocess.STDOUT
        )
        _, status, used = os.wait4(process.pid, 0)
        wall_s = time.perf_counter() - start_s
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        said = out.read()
    if process.returncode != 0:
        message = f"{' '.join(command)} ended with {process.returncode}: {said[-2000:]}"
        raise SystemExit(message)
    return Took(wall_s=wall_s, cpu_s=used.ru_utime + used.ru_stime, out=said)


def in_turns(rounds: int, sides: Mapping[str, Callable[[], Took]]) -> dict[str, list[Took]]:
    """Let every side run once a round, each round beginning with another one."""
    names, all_took = list(sides), {name: list[Took]() for name in sides}
    for number in range(rounds):
        first = number % len(names)
        for name in names[first:] + names[:first]:
            all_took[name].append(sides[name]())
    return all_took


def middle(runs: Sequence[Took]) -> float:
    """The median of the wall-clock times."""
    return median(one.wall_s for one in runs)


def told(runs: Sequence[Took], digits: int = 2) -> str:
    """The median, the spread, and the work of the processors."""
    walls = sorted(one.wall_s for one in runs)
    cpu_s = median(one.cpu_s for one in runs)
    wall = f"{median(walls):.{digits}f} s ({walls[0]:.{digits}f} to {walls[-1]:.{digits}f})"
    return f"{wall}, of it {cpu_s:.{digits}f} s of CPU"
