"""Many Inference Endpoints at once, on the twin: brought up, and taken over as they stand."""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

from clock import Line, Took, table, took
from engine import environ
from fleet import REVISION

from moorage.twin import face
from moorage.twin.hardware import catalogue

COUNT: Final = 50
RATIO: Final = 1.15  # of the whole up to its slowest endpoint, at most
REQUESTS: Final = 12  # per endpoint, at most
# What one endpoint takes: 30 s from the request to the first good answer.
_TIMINGS: Final = face.Timings(pending_s=2, initializing_s=26, loading_s=2)
_QUOTA: Final = 10 * COUNT
_MODEL: Final = {
    "repository": "acme/model",
    "revision": REVISION,
    "framework": "pytorch",
    "task": "text-generation",
    "image": {"huggingface": {}},
}
_SIDE: Final = Path(__file__).with_name("fleet.py")
_NAME: Final = re.compile(r"/acme/(endpoint-\d+)\b")
_POLLED: Final = re.compile(r"/v2/(endpoint|provider)/acme/?$")


def configure(parser: argparse.ArgumentParser) -> None:
    """No option of its own: the waits are what takes the time."""


def run(args: argparse.Namespace) -> bool:
    """Measure, print a table and the verdict; whether every promise was kept."""
    lines = [*_up(), *_import()]
    print(table(lines))
    missed = [] if args.no_targets else [line for line in lines if not line.kept]
    for line in missed:
        print(f"missed: {line.what}: {line.measured}, promised {line.limit}")
    promised = sum(bool(line.limit) for line in lines)
    print(f"hf: {promised - len(missed)} of {promised} promises kept, {COUNT} endpoints")
    return not missed


def _up() -> list[Line]:
    """An up of all, from exec to exit, beside its slowest endpoint and what it asked."""
    with _twin(_TIMINGS) as (twin, folder):
        done = _run(twin, "up", folder)
        running = sum(one.state == "running" for one in twin.endpoints.values())
        if running != COUNT:
            message = f"{running} endpoints run, {COUNT} are declared: {done.out[-2000:]}"
            raise SystemExit(message)
        requests = list(twin.requests)
    slowest_s = max(_lives(requests))
    ratio, each = done.wall_s / slowest_s, len(requests) / COUNT
    wall = f"{done.wall_s:.1f} s (of CPU {done.cpu_s:.1f} s)"
    return [
        Line(
            what="the slowest endpoint, from its first request to its last",
            measured=f"{slowest_s:.1f} s",
        ),
        Line(
            what=f"up of {COUNT} endpoints, from exec to exit",
            measured=f"{wall}, {ratio:.2f} times the slowest",
            limit=f"{RATIO:g} times",
            kept=ratio <= RATIO,
        ),
        Line(
            what="requests for each, lists and prices shared among all",
            measured=f"{each:.1f}, of them {_shared(requests) / COUNT:.1f} shared",
            limit=str(REQUESTS),
            kept=each <= REQUESTS,
        ),
    ]


def _import() -> list[Line]:
    """Endpoints that somebody made by hand are taken over; then nothing is left to change."""
    with _twin(face.Timings()) as (twin, folder):
        for number in range(COUNT):
            twin.plant("acme", f"endpoint-{number}", model=_MODEL)
        imported = _run(twin, "import", folder)
        seen = len(twin.requests)
        preview = _run(twin, "preview", folder)
        written = [one for one in twin.requests if one.method != "GET" and one.host == "endpoints"]
    return [
        Line(
            what=f"import of {COUNT} endpoints",
            measured=f"{imported.wall_s:.1f} s, {seen / COUNT:.1f} requests for each",
        ),
        Line(
            what="the preview after it, which expects no changes",
            measured=f"{preview.wall_s:.1f} s, {len(written)} writes since the import began",
            limit="no changes, no writes",
            kept=not written,
        ),
    ]


@contextmanager
def _twin(timings: face.Timings) -> Iterator[tuple[face.Twin, Path]]:
    computes = [replace(one, quota=_QUOTA) for one in catalogue()]
    repos = {"acme/model": face.Repo(files={"config.json": b"{}"}, revision=REVISION)}
    scenario = face.Scenario(timings=timings, computes=computes, repos=repos)
    with (
        face.serve(scenario) as twin,
        tempfile.TemporaryDirectory(prefix="moorage-bench-") as folder,
    ):
        yield twin, Path(folder)


def _run(twin: face.Twin, operation: str, folder: Path) -> Took:
    """One run; one that fails ends the bench, a preview that finds changes too."""
    command = [sys.executable, str(_SIDE), operation, str(folder), str(COUNT)]
    return took(command, folder, {**environ(), **twin.environment()})


def _lives(requests: Sequence[face.Request]) -> Iterator[float]:
    """How long each endpoint took, told by the requests that name it."""
    times: dict[str, list[float]] = {}
    for one in requests:
        named = _NAME.search(one.path)
        if named:
            times.setdefault(named[1], []).append(one.at_s)
    return (max(own) - min(own) for own in times.values())


def _shared(requests: Sequence[face.Request]) -> int:
    return sum(one.method == "GET" and bool(_POLLED.search(one.path)) for one in requests)
