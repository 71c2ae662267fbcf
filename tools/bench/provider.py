"""What the provider's framework and the driver cost, beside a bare program and a thin provider."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from typing import Final

import judgements
import previews
import starts
import ups
import waits
from clock import Line, table

# What is quick and sensitive comes first: what was deployed may still be ending afterwards.
_PARTS: Final[dict[str, Callable[[int], list[Line]]]] = {
    "check and diff": lambda _rounds: judgements.measure(),
    "starts": lambda _rounds: starts.measure(),
    "waiting creates": lambda _rounds: [*waits.measure(), ups.waits()],
    "previews": previews.measure,
    "ups": ups.measure,
}


def configure(parser: argparse.ArgumentParser) -> None:
    """How many rounds of the two sides."""
    parser.add_argument("--rounds", type=int, default=5, help="of up and of preview (5)")


def run(args: argparse.Namespace) -> bool:
    """Measure, print a table and the verdict; whether every promise was kept."""
    start_s, load, cores = time.monotonic(), os.getloadavg()[0], os.cpu_count() or 1
    lines: list[Line] = []
    for what, measure in _PARTS.items():
        print(f"{time.monotonic() - start_s:4.0f} s: {what} ...", file=sys.stderr)
        lines += measure(args.rounds)
    print(table(lines))
    missed = [] if args.no_targets else [line for line in lines if not line.kept]
    for line in missed:
        print(f"missed: {line.what}: {line.measured}, promised {line.limit}")
    if missed and load > cores / 2:
        print(
            f"the machine was busy before it began (load {load:.1f}): measure again when it rests"
        )
    promised = sum(bool(line.limit) for line in lines)
    print(
        f"provider: {promised - len(missed)} of {promised} promises kept, "
        f"{time.monotonic() - start_s:.0f} s, load before {load:.1f} on {cores} cores"
    )
    return not missed
