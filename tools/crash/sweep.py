"""A sweep over operations and the ways to disturb them: its points, its progress, its table."""

from __future__ import annotations

import argparse
import shutil
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Final

from crash import mounts
from crash.lab import Lab
from crash.operations import Operation, Stage
from crash.ways import Way
from moorage.deploy.cli import pulumi_cli
from tests import vault

_WHOLE: Final = 3  # an operation, a way, a number
_PATIENT: Final = 4  # points at once that mostly wait
_EVERY: Final = 20  # points between two lines of progress
_SLOWEST: Final = 5

Lend = Callable[[str, str], AbstractContextManager[Stage]]  # by operation and way


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """What is disturbed, how, and where; a stage is lent for as long as a point is tried on it."""

    operations: Mapping[str, Operation]
    ways: Mapping[str, Way]
    sample: Sequence[str]
    lend: Lend


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


def environ(*, cheap: bool = False) -> dict[str, str]:
    """What every driver needs in its environment; a cheap one seals as in tests/vault.py."""
    cli = pulumi_cli.find(lambda _: None)
    if cli is None:
        raise SystemExit("there is no Pulumi CLI; run `make setup`")
    return {"MOORAGE_PULUMI": str(cli.path), **(vault.environment() if cheap else {})}


def run(sweep: Sweep, folder: Path, args: argparse.Namespace) -> tuple[int, int]:
    """Try the points; returns how many there were, and how many were clean."""
    begun_s = time.monotonic()
    with ThreadPoolExecutor(args.workers) as pool, ThreadPoolExecutor(_PATIENT) as patient:
        points = _points(sweep, args, pool)
        progress = _Progress(total=len(points), begun_s=begun_s)

        def attempt(point: Point) -> Tried:
            return progress.told(_try(sweep, point))

        waiting = patient.map(attempt, [point for point in points if _waits(sweep, point)])
        others = pool.map(attempt, [point for point in points if not _waits(sweep, point)])
        tried = [*others, *waiting]
    _table(sweep, tried)
    clean = sum(not one.found for one in tried)
    if clean == len(tried):
        shutil.rmtree(folder, ignore_errors=True)
    return len(tried), clean


def _points(sweep: Sweep, args: argparse.Namespace, pool: ThreadPoolExecutor) -> list[Point]:
    if args.sample:
        return [_parsed(sweep, text) for text in sweep.sample]
    parts = args.points.split("/") if args.points else []
    if len(parts) == _WHOLE:
        points = [_parsed(sweep, args.points)]
    else:
        rows = pool.map(lambda name: list(_of_operation(sweep, name, parts)), sweep.operations)
        points = [point for row in rows for point in row]
        # Some points wait and some compute: mixed, they share the machine better.
        Random(0).shuffle(points)  # noqa: S311 (no secret)
    skipped = sorted({point.way for point in points if not _possible(sweep, point)})
    for way in skipped:
        print(f"{way}: not tried, this machine lets nobody mount a disk", flush=True)
    return [point for point in points if _possible(sweep, point)]


def _of_operation(sweep: Sweep, operation: str, parts: Sequence[str]) -> Iterator[Point]:
    for name, way in sweep.ways.items():
        wanted = [operation, name][: len(parts)] == list(parts)
        if wanted and operation in (way.operations or sweep.operations):
            with sweep.lend(operation, name) as stage:
                numbers = list(way.points(stage))
            for number in numbers:
                yield Point(operation=operation, way=name, number=number)


def _parsed(sweep: Sweep, text: str) -> Point:
    operation, way, number = text.split("/")
    if operation not in sweep.operations or way not in sweep.ways or not number.isdecimal():
        known = f"{', '.join(sweep.operations)} / {', '.join(sweep.ways)} / a number"
        message = f"{text}: no such point; there are {known}"
        raise SystemExit(message)
    return Point(operation=operation, way=way, number=int(number))


def _possible(sweep: Sweep, point: Point) -> bool:
    return mounts.may() or not _waits(sweep, point)


def _waits(sweep: Sweep, point: Point) -> bool:
    return sweep.ways[point.way].needs_mounts


def _try(sweep: Sweep, point: Point) -> Tried:
    begun_s = time.monotonic()
    with sweep.lend(point.operation, point.way) as stage:
        found = _found(stage, sweep.ways[point.way], point)
    return Tried(point=point, found=found, took_s=time.monotonic() - begun_s)


def _found(stage: Stage, way: Way, point: Point) -> list[str]:
    lab: Lab | None = None
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
    return found


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


def _table(sweep: Sweep, tried: Sequence[Tried]) -> None:
    print(f"{'operation':<18}{'victim':<18}{'points':>7}{'clean':>7}  unclean")
    for operation in sweep.operations:
        for way in sweep.ways:
            row = [one for one in tried if (one.point.operation, one.point.way) == (operation, way)]
            unclean = [str(one.point.number) for one in row if one.found]
            if row:
                counts = f"{len(row):>7}{len(row) - len(unclean):>7}"
                print(f"{operation:<18}{way:<18}{counts}  {' '.join(unclean)}")
    slow = sorted(tried, key=lambda one: -one.took_s)[:_SLOWEST]
    print(f"slowest: {', '.join(f'{one.point} {one.took_s:.0f} s' for one in slow)}")
