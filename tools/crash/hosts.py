"""Deaths at every request to AWS of the operations on GPU hosts, on the tests' EC2."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from queue import Queue
from typing import Final

from crash import sweep
from crash.clouds import HostLab, LiveCloud, live_cloud
from crash.host_programs import REGION
from crash.operations import Operation, Stage
from crash.sweep import Sweep
from crash.ways import ALL, Way, around_writes, at_a_call, distinct, given_up
from tests.aws.world import environment

OPERATIONS: Final = {
    "create": Operation(before=None, goal="up host"),
    "update": Operation(before="up host", goal="up host changed"),
    "replace": Operation(before="up host", goal="up host elsewhere"),
    "replace-in-place": Operation(before="up host", goal="up host moved"),
    "destroy": Operation(before="up host", goal="destroy host"),
}
_VICTIMS: Final = {"provider": "provider", "cli": "cli", "all": ALL}
WAYS: Final = {
    **{name: Way(attempt=at_a_call(them), points=distinct) for name, them in _VICTIMS.items()},
    "given-up": Way(
        attempt=given_up, points=around_writes, operations=("create", "update", "replace")
    ),
}
_SAMPLE: Final = ("create/all/20", "replace/provider/24")
_REGIONS: Final = ("eu-north-1", "eu-west-1", "us-east-1", "us-east-2", "us-west-2")


def run(folder: Path, args: argparse.Namespace) -> tuple[int, int]:
    """Try the points; returns how many there were, and how many were clean."""
    place, free = folder / "hosts", Queue[dict[str, Stage]]()

    @contextmanager
    def lend(operation: str, _way: str) -> Iterator[Stage]:
        stages = free.get()
        try:
            stages[operation].undisturbed()  # before a point, as both need the one region
            yield stages[operation]
        finally:
            free.put(stages)

    args.workers = min(args.workers, len(_REGIONS))
    with ExitStack() as clouds:
        for region in _REGIONS[: args.workers]:
            machines = place / "machines" / region
            cloud = clouds.enter_context(live_cloud(machines, region))
            free.put(_stages(cloud, place / region))
        whole = Sweep(operations=OPERATIONS, ways=WAYS, sample=_SAMPLE, lend=lend)
        return sweep.run(whole, place, args)


def _stages(cloud: LiveCloud, folder: Path) -> dict[str, Stage]:
    """Every operation in a region of its own, as states tell of addresses there."""
    environ = {**sweep.environ(), **environment(cloud.url), REGION: cloud.region}
    lab = partial(HostLab.empty, environ=environ, cloud=cloud, kept=cloud.kept())
    return {
        name: Stage(folder=folder / name, operation=operation, lab=lab)
        for name, operation in OPERATIONS.items()
    }
