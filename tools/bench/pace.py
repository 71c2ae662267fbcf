"""How fast this machine is at what the promises are about: Python that begins and computes.

Limits in seconds of such work were set on a machine that takes 0.40 s of CPU to import pulumi. One
that takes longer gets longer, in the same ratio; one that is faster is held to the limits as set.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import cache
from statistics import median
from typing import Final

from clock import Line, Took, middle, told, took
from generate import ROOT

_SET_AT_S: Final = 0.40
_RUNS: Final = 7


@cache
def pulumi_s() -> float:
    """What importing pulumi takes here, of CPU and with the interpreter; measured once."""
    command = [sys.executable, "-c", "import pulumi"]
    return median(took(command, ROOT).cpu_s for _ in range(_RUNS))


def pace() -> float:
    """By how much limits are longer here than where they were set; 1 at least."""
    return max(1.0, pulumi_s() / _SET_AT_S)


def told_limit(limit: str) -> str:
    """A limit, and what it is multiplied with here."""
    return limit if pace() == 1.0 else f"{limit} x {pace():.2f}"


def promise(what: str, runs: Sequence[Took], limit_s: float) -> Line:
    """A limit in seconds of Python's own work, kept or missed."""
    kept = middle(runs) <= limit_s * pace()
    return Line(what=what, measured=told(runs), limit=told_limit(f"{limit_s:g} s"), kept=kept)


def machine() -> Line:
    """The measure itself."""
    times = pulumi_s() / _SET_AT_S
    return Line(
        what="the machine: importing pulumi",
        measured=f"{pulumi_s():.2f} s of CPU, {times:.2f} times what it was where limits were set",
    )
