"""Deaths in every write to Docker of the operations on a container of a Docker host."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from queue import Queue
from typing import Final

from crash import sweep
from crash.docker_programs import HOST
from crash.docks import DockLab, live_dock
from crash.operations import Operation, Stage
from crash.sweep import Sweep
from crash.ways import ALL, Way, at_a_call, given_up, passed
from tests.docker import engine

OPERATIONS: Final = {
    "create": Operation(before=None, goal="up served"),
    "downtime": Operation(before="up served", goal="up served otherwise"),
    "blue-green": Operation(before="up served blue", goal="up served green"),
    "delete": Operation(before="up served", goal="up host alone"),
    "destroy": Operation(before="up served", goal="destroy served"),
}
_VICTIMS: Final = {"provider": "provider", "cli": "cli", "program": "program", "all": ALL}
WAYS: Final = {
    **{name: Way(attempt=at_a_call(them), points=passed) for name, them in _VICTIMS.items()},
    "given-up": Way(
        attempt=given_up, points=passed, operations=("create", "downtime", "blue-green")
    ),
}
_SAMPLE: Final = ("create/all/6", "blue-green/provider/4")


def run(folder: Path, args: argparse.Namespace) -> tuple[int, int]:
    """Try the points; returns how many there were, and how many were clean."""
    if reason := engine.unavailable():
        print(f"docker: not tried, this machine {reason}", flush=True)
        return 0, 0
    place, free = folder / "docker", Queue[dict[str, Stage]]()

    @contextmanager
    def lend(operation: str, _way: str) -> Iterator[Stage]:
        stages = free.get()
        try:
            stages[operation].undisturbed()  # before a point, as both need the one engine
            yield stages[operation]
        finally:
            free.put(stages)

    with ExitStack() as docks:
        for number in range(args.workers):
            free.put(_stages(docks, place / f"engine-{number + 1}"))
        whole = Sweep(operations=OPERATIONS, ways=WAYS, sample=_SAMPLE, lend=lend)
        return sweep.run(whole, place, args)


def _stages(docks: ExitStack, folder: Path) -> dict[str, Stage]:
    """Every operation on an engine of its own, as states tell of its address."""
    dock = docks.enter_context(live_dock())
    environ = {**sweep.environ(), HOST: dock.host}
    lab = partial(DockLab.empty, environ=environ, dock=dock)
    return {
        name: Stage(folder=folder / name, operation=operation, lab=lab)
        for name, operation in OPERATIONS.items()
    }
