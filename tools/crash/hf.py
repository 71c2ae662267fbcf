"""Deaths at every HTTP request of the operations on Inference Endpoints, on the twin of the API."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from queue import Queue
from typing import Final

from crash import sweep
from crash.endpoints import EndpointLab, live_twin
from crash.operations import Operation, Stage
from crash.sweep import Sweep
from crash.ways import ALL, Way, around_writes, at_a_call, distinct, given_up
from moorage.twin import face

OPERATIONS: Final = {
    "create": Operation(before=None, goal="up chat and draft"),
    "update": Operation(before="up chat and draft", goal="up chat and draft changed"),
    "replace": Operation(before="up chat", goal="up chat elsewhere"),
    "replace-in-place": Operation(before="up chat", goal="up chat moved"),
    "delete": Operation(before="up chat and draft", goal="up chat"),
    "destroy": Operation(before="up chat and draft", goal="destroy chat and draft"),
}
_VICTIMS: Final = {"provider": "provider", "cli": "cli", "all": ALL}
WAYS: Final = {
    **{name: Way(attempt=at_a_call(them), points=distinct) for name, them in _VICTIMS.items()},
    "given-up": Way(
        attempt=given_up, points=around_writes, operations=("create", "update", "replace")
    ),
}
_SAMPLE: Final = ("create/all/29",)


def run(folder: Path, args: argparse.Namespace) -> tuple[int, int]:
    """Try the points; returns how many there were, and how many were clean."""
    place, free = folder / "hf", Queue[dict[str, Stage]]()

    @contextmanager
    def lend(operation: str, _way: str) -> Iterator[Stage]:
        stages = free.get()
        try:
            stages[operation].undisturbed()  # before a point, as both need the one twin
            yield stages[operation]
        finally:
            free.put(stages)

    with ExitStack() as twins:
        for number in range(args.workers):
            free.put(_stages(twins, place / f"twin-{number + 1}"))
        whole = Sweep(operations=OPERATIONS, ways=WAYS, sample=_SAMPLE, lend=lend)
        return sweep.run(whole, place, args)


def _stages(twins: ExitStack, folder: Path) -> dict[str, Stage]:
    """Every operation on a twin of its own, as states tell of the addresses of their endpoints."""
    twin = twins.enter_context(live_twin())
    environ = {**sweep.environ(), **face.environment(twin.world)}
    lab = partial(EndpointLab.empty, environ=environ, twin=twin)
    return {
        name: Stage(folder=folder / name, operation=operation, lab=lab)
        for name, operation in OPERATIONS.items()
    }
