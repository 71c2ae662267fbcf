"""Deaths of CLI, program and provider, disks that fail, two runs at once: on scripted things."""

from __future__ import annotations

import argparse
import shutil
import tempfile
import threading
import time
import traceback
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Final

from crash import mounts
from crash.lab import Lab
from crash.operations import OPERATIONS, Stage
from crash.ways import SHARED, WAYS
from moorage.deploy.cli import pulumi_cli

_SAMPLE: Final = (
    *("create/cli/8", "create/program/8", "create/provider/9", "create/all/17"),
    *("create/two-at-once/1", "replace/all/16"),
)
_WHOLE: Final = 3  # an operation, a way, a number
_PATIENT: Final = 4  # points at once that mostly wait
_EVERY: Final = 20  # points between two lines of progress
_SLOWEST: Final = 5


Stages = dict[tuple[str, bool], Stage]  # by operation, and whether the backend is shared


@dataclass(frozen=True, kw_only=True)
class Point:
    """One moment of one operation, and what happens there."""

    operation: str
    way: str
    number: int

    def __str__(self) -> str:
        return f"{self.operation}/{self.way}/{self.number}"


@dataclass(frozen=True, kw_only=True)
class Tried:
    """A point, and what was wrong afterwards."""

    point: Point
    found: list[str]
    took_s: float


def configure(parser: argparse.ArgumentParser) -> None:
    """The options of this sweep."""
    parser.add_argument("--workers", type=int, default=2, help="points at once (default 2)")
    parser.add_argument("--folder", type=Path, help="where to work (default: a temporary one)")
    parser.add_argument("--sample", action="store_true", help="a few points only")


def run(args: argparse.Namespace) -> tuple[int, int]:
    """Try the points; returns how many there were, and how many were clean."""
    mounts.enter()
    folder = args.folder or Path(tempfile.mkdtemp(prefix="moorage-crash-"))
    folder.mkdir(parents=True, exist_ok=True)
    begun_s = time.monotonic()
    stages = _stages(folder)
    with ThreadPoolExecutor(args.workers) as pool, ThreadPoolExecutor(_PATIENT) as patient:
        points = _points(stages, args, pool)
        progress = _Progress(total=len(points), begun_s=begun_s)

        def attempt(point: Point) -> Tried:
            return progress.told(_try(stages, point))

        waiting = patient.map(attempt, [point for point in points if _waits(point)])
        others = pool.map(attempt, [point for point in points if not _waits(point)])
        tried = [*others, *waiting]
    _table(tried)
    clean = sum(not one.found for one in tried)
    if clean == len(tried):
        shutil.rmtree(folder, ignore_errors=True)
    return len(tried), clean


def _stages(folder: Path) -> Stages:
    """Every operation, on a backend of the checkout's own and on a shared one."""
    cli = pulumi_cli.find(lambda _: None)
    if cli is None:
        raise SystemExit("there is no Pulumi CLI; run `make setup`")
    environ = {"MOORAGE_PULUMI": str(cli.path)}
    stages: Stages = {}
    for name, operation in OPERATIONS.items():
        own = Stage(folder=folder / "own" / name, operation=operation, environ=environ)
        place = folder / "shared" / name
        shared = Stage(folder=place, operation=operation, environ=environ, own=own)
        stages |= {(name, False): own, (name, True): shared}
    return stages


def _points(stages: Stages, args: argparse.Namespace, pool: ThreadPoolExecutor) -> list[Point]:
    if args.sample:
        return [_parsed(text) for text in _SAMPLE]
    parts = args.points.split("/") if args.points else []
    if len(parts) == _WHOLE:
        points = [_parsed(args.points)]
    else:
        rows = pool.map(lambda name: list(_of_operation(stages, name, parts)), OPERATIONS)
        points = [point for row in rows for point in row]
        # Some points wait and some compute: mixed, they share the machine better.
        Random(0).shuffle(points)  # noqa: S311 (no secret)
    skipped = sorted({point.way for point in points if not _possible(point)})
    for way in skipped:
        print(f"{way}: not tried, this machine lets nobody mount a disk", flush=True)
    return [point for point in points if _possible(point)]


def _of_operation(stages: Stages, operation: str, parts: Sequence[str]) -> Iterator[Point]:
    for name, way in WAYS.items():
        wanted = [operation, name][: len(parts)] == list(parts)
        if wanted and operation in (way.operations or OPERATIONS):
            for number in way.points(stages[operation, name in SHARED]):
                yield Point(operation=operation, way=name, number=number)


def _parsed(text: str) -> Point:
    operation, way, number = text.split("/")
    if operation not in OPERATIONS or way not in WAYS or not number.isdecimal():
        known = f"{', '.join(OPERATIONS)} / {', '.join(WAYS)} / a number"
        message = f"{text}: no such point; there are {known}"
        raise SystemExit(message)
    return Point(operation=operation, way=way, number=int(number))


def _possible(point: Point) -> bool:
    return mounts.may() or not _waits(point)


def _waits(point: Point) -> bool:
    return WAYS[point.way].needs_mounts


def _try(stages: Stages, point: Point) -> Tried:
    stage, way = stages[point.operation, point.way in SHARED], WAYS[point.way]
    lab: Lab | None = None
    begun_s = time.monotonic()
    try:
        lab = way.base(stage).copied(stage.folder / f"{point.way}-{point.number}")
        found = way.attempt(stage, lab, point.number)
    except Exception:  # noqa: BLE001 (one point must not end the sweep)
        found = [traceback.format_exc()]
    if lab is not None:
        lab.clear()
        if not found:
            shutil.rmtree(lab.folder, ignore_errors=True)
        else:
            found.append(f"see {lab.folder}")
    return Tried(point=point, found=found, took_s=time.monotonic() - begun_s)


@dataclass(kw_only=True)
class _Progress:
    """Says now and then how far it has come, and at once what is unclean."""

    total: int
    begun_s: float
    done: int = 0
    unclean: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def told(self, one: Tried) -> Tried:
        with self._lock:
            self.done += 1
            self.unclean += bool(one.found)
            for index, line in enumerate(one.found):
                print(f"{one.point if not index else ' '}: {line}", flush=True)
            if self.done % _EVERY == 0 or self.done == self.total:
                minutes = (time.monotonic() - self.begun_s) / 60
                told = f"{self.done} of {self.total} points, {self.unclean} unclean"
                print(f"{told}, {minutes:.1f} min", flush=True)
        return one


def _table(tried: Sequence[Tried]) -> None:
    print(f"{'operation':<15}{'victim':<18}{'points':>7}{'clean':>7}  unclean")
    for operation in OPERATIONS:
        for way in WAYS:
            row = [one for one in tried if (one.point.operation, one.point.way) == (operation, way)]
            unclean = [str(one.point.number) for one in row if one.found]
            if row:
                counts = f"{len(row):>7}{len(row) - len(unclean):>7}"
                print(f"{operation:<15}{way:<18}{counts}  {' '.join(unclean)}")
    slow = sorted(tried, key=lambda one: -one.took_s)[:_SLOWEST]
    print(f"slowest: {', '.join(f'{one.point} {one.took_s:.0f} s' for one in slow)}")
