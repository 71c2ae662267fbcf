"""Many containers on one Docker host: how long a preview of them takes, and whom it asks."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from clock import Line, Took, table, took
from engine import environ
from pace import machine, promise

if TYPE_CHECKING:
    from tests.docker.engine import Engine

COUNT: Final = 20
PREVIEW_S: Final = 3.0  # at most
_REGISTRY: Final = ("/images/create", "/distribution/")  # how Docker is told to ask one


def configure(parser: argparse.ArgumentParser) -> None:
    """No option of its own; it takes `--rounds`."""


def run(args: argparse.Namespace) -> bool:
    """Measure, print a table and the verdict; whether every promise was kept."""
    from tests.docker import engine  # Docker's SDK, which the other benches do not need

    if reason := engine.unavailable():
        print(f"hosts: not measured: {reason}")
        return True
    load, cores = os.getloadavg()[0], os.cpu_count() or 1
    lines = _measure(args.rounds)
    print(table(lines))
    missed = [] if args.no_targets else [line for line in lines if not line.kept]
    for line in missed:
        print(f"missed: {line.what}: {line.measured}, promised {line.limit}")
    promised = sum(bool(line.limit) for line in lines)
    print(
        f"hosts: {promised - len(missed)} of {promised} promises kept, {COUNT} containers, "
        f"load before {load:.1f} on {cores} cores"
    )
    return not missed


def _measure(rounds: int) -> list[Line]:
    """Preview what is new, deploy it, preview what stands; then it is taken away."""
    from tests.docker.engine import running
    from tests.e2e.docked import a_docked_stack

    services = [f"chat-{number}" for number in range(1, COUNT + 1)]
    with (
        tempfile.TemporaryDirectory(prefix="moorage-bench-") as folder,
        running(gpus=COUNT) as docker,
        a_docked_stack(Path(folder), [docker], services=services, gpu="nvidia-l4") as stack,
    ):
        root, env = stack.checkout.root, {**stack.checkout.environ, **environ()}

        def moorage(*words: str) -> Took:
            command = [sys.executable, "-m", "moorage", *words, "--stack", stack.name]
            return took(command, root, env)

        new, new_asked = _previews(rounds, docker, lambda: moorage("preview"))
        began_s = time.perf_counter()
        moorage("up")
        up_s = time.perf_counter() - began_s
        stands, stands_asked = _previews(
            rounds, docker, lambda: moorage("preview", "--expect-no-changes")
        )
    return [
        machine(),
        promise(f"preview of {COUNT} new containers", new, PREVIEW_S),
        Line(what=f"up of {COUNT} containers", measured=f"{up_s:.1f} s"),
        promise(f"preview of {COUNT} containers that stand, unchanged", stands, PREVIEW_S),
        _asked(f"asked of the daemon by {2 * rounds} previews", [*new_asked, *stands_asked]),
    ]


def _previews(
    rounds: int, docker: Engine, preview: Callable[[], Took]
) -> tuple[list[Took], list[str]]:
    """The previews, and what they asked the daemon."""
    before = len(docker.calls())
    runs = [preview() for _ in range(rounds)]
    return runs, docker.calls()[before:]


def _asked(what: str, calls: Sequence[str]) -> Line:
    registry = [call for call in calls if any(path in call for path in _REGISTRY)]
    return Line(
        what=what,
        measured=f"{len(calls)} calls, {len(registry)} of them for a registry",
        limit="none for a registry",
        kept=not registry,
    )
