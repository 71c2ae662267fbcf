"""An `up` of many new resources: ours beside a bare program and the thinnest provider."""

from __future__ import annotations

import json
import sys
import tempfile
from functools import partial
from pathlib import Path
from statistics import median
from typing import Final

from clock import Line, Took, in_turns, told, took
from engine import environ

RATIO: Final = 1.20  # at most
ROWS: Final = 200
WAITS: Final = 64

_SIDES: Final = Path(__file__).with_name("sides.py")


def measure(rounds: int) -> list[Line]:
    """The sides take turns, each time in a folder of its own, from exec to exit."""
    runs = in_turns(rounds, {side: partial(up, side) for side in ("ours", "bare")})
    pairs = zip(runs["ours"], runs["bare"], strict=True)
    ratio = median(ours.wall_s / bare.wall_s for ours, bare in pairs)
    cpu = median(one.cpu_s for one in runs["ours"]) / median(one.cpu_s for one in runs["bare"])
    return [
        Line(what=f"up of {ROWS} resources, ours", measured=told(runs["ours"], 1)),
        Line(what="the same, bare program and thinnest provider", measured=told(runs["bare"], 1)),
        Line(
            what="ours by bare, median of the rounds",
            measured=f"{ratio:.2f} (of CPU {cpu:.2f})",
            limit=f"{RATIO:.2f}",
            kept=ratio <= RATIO,
        ),
    ]


def waits() -> Line:
    """What creates that block cost through the whole engine; told, not promised."""
    runs = in_turns(2, {str(s): partial(up, "ours", WAITS, s) for s in (0, 1)})
    at_once_s, waited_s = (min(one.wall_s for one in runs[s]) for s in ("0", "1"))
    what = f"{WAITS} creates of 1 s through the engine, beyond those of 0 s, best of two"
    return Line(what=what, measured=f"{waited_s - at_once_s:.2f} s ({waited_s:.1f} s in all)")


def up(side: str, rows: int = ROWS, sleep_s: float = 0) -> Took:
    """One up in a process of its own; its state is looked at, lest one side does less."""
    with tempfile.TemporaryDirectory(prefix="moorage-bench-") as folder:
        command = [sys.executable, str(_SIDES), side, folder, str(rows), str(sleep_s)]
        done = took(command, Path(folder), environ())
        made = sum(map(_rows, Path(folder).rglob("stacks/*/bench.json")))
    if made != rows:
        message = f"{side}: {made} rows in the state, {rows} are declared: {done.out[-2000:]}"
        raise SystemExit(message)
    return done


def _rows(state: Path) -> int:
    resources = json.loads(state.read_text())["checkpoint"]["latest"]["resources"]
    return sum(one["type"] == "moorage:index:Row" for one in resources)
