"""`moorage check` against check-jsonschema: the same files, the same schema, the same cores."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

import psutil
from generate import ROOT, Fleet, write

RATIO: Final = 5.0  # at least
MEMORY_MB: Final = 300  # of all processes together, at most
START_S: Final = 0.3  # one spec with the interpreter's start, at most

_MOORAGE: Final = Path(sys.executable).with_name("moorage")
_SCHEMA: Final = ROOT / "specs" / "schema.json"
_HELLO: Final = "specs/examples/hello.yaml"
_EVERY_S: Final = 0.02  # how often memory is looked at


@dataclass(frozen=True, kw_only=True)
class Ran:
    """One command: how long, what it said, the most memory of it and its children together."""

    seconds: float
    code: int
    said: str
    peak_mb: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Result:
    """What was measured."""

    count: int
    cores: int
    ours_s: float
    theirs_s: float
    one_core_ratio: float
    ours_mb: float
    theirs_mb: float
    start_s: float

    @property
    def ratio(self) -> float:
        return self.theirs_s / self.ours_s

    @property
    def missed(self) -> list[str]:
        """The promises that were not kept."""
        wanted = {
            f"ratio {self.ratio:.1f}, promised {RATIO:g}": self.ratio >= RATIO,
            f"{self.ours_mb:.0f} MB, promised {MEMORY_MB}": self.ours_mb < MEMORY_MB,
            f"one spec in {self.start_s:.2f} s, promised {START_S:g}": self.start_s < START_S,
        }
        return [says for says, kept in wanted.items() if not kept]


def configure(parser: argparse.ArgumentParser) -> None:
    """How many specs, runs and cores, and which rival."""
    rival = Path(sys.executable).with_name("check-jsonschema")
    parser.add_argument("--specs", type=int, default=10_000, help="how many (10000)")
    parser.add_argument("--runs", type=int, default=3, help="of which the median counts (3)")
    parser.add_argument("--cores", type=int, default=2, help="for both (2)")
    parser.add_argument("--rival", type=Path, default=rival, help="another check-jsonschema")
    parser.add_argument("--no-targets", action="store_true", help="measure, promise nothing")


def run(args: argparse.Namespace) -> bool:
    """Measure, print a table and the verdict; whether every promise was kept."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: args.cores])
    with tempfile.TemporaryDirectory(prefix="moorage-bench-") as folder:
        fleet = write(Path(folder) / "project", count=args.specs)
        ours = [str(_MOORAGE), "check", "--offline", "specs"]
        theirs = [str(args.rival), "--schemafile", str(_SCHEMA), *fleet.specs]
        _prove(fleet, ours, theirs)
        result = _measure(fleet, ours, theirs, args.runs)
    print(_table(result))
    missed = [] if args.no_targets else result.missed
    for says in missed:
        print(f"missed: {says}")
    print(
        f"judge: {result.count} specs, moorage {result.ours_s:.1f} s, "
        f"check-jsonschema {result.theirs_s:.1f} s, ratio {result.ratio:.1f}"
    )
    return not missed


def _prove(fleet: Fleet, ours: Sequence[str], theirs: Sequence[str]) -> None:
    """Both really look: what one mistake is to the schema, both refuse, and nothing else."""
    said = _ran(theirs, fleet.folder).said
    refused = {line.partition("::")[0].strip() for line in said.splitlines() if "::" in line}
    if len(refused) != fleet.mistaken:
        message = f"check-jsonschema refuses {len(refused)} specs, {fleet.mistaken} are mistaken"
        raise SystemExit(message)
    told = {line.partition(":")[0] for line in _ran(ours, fleet.folder).said.splitlines()}
    if overlooked := refused - told:
        message = f"moorage overlooks {len(overlooked)} specs, such as {min(overlooked)}"
        raise SystemExit(message)


def _measure(fleet: Fleet, ours: Sequence[str], theirs: Sequence[str], runs: int) -> Result:
    """Alternating, after the warm-up that the proof was; memory in runs that are not timed."""
    pairs = [(_seconds(ours, fleet), _seconds(theirs, fleet)) for _ in range(runs)]
    every = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(every)})
    one_core = _seconds(theirs, fleet) / _seconds(ours, fleet)
    os.sched_setaffinity(0, every)
    start = [_ran([str(_MOORAGE), "check", "--offline", _HELLO], ROOT).seconds for _ in range(15)]
    return Result(
        count=len(fleet.specs),
        cores=len(every),
        ours_s=median(pair[0] for pair in pairs),
        theirs_s=median(pair[1] for pair in pairs),
        one_core_ratio=one_core,
        ours_mb=_ran(ours, fleet.folder, watch=True).peak_mb,
        theirs_mb=_ran(theirs, fleet.folder, watch=True).peak_mb,
        start_s=median(start),
    )


def _seconds(command: Sequence[str], fleet: Fleet) -> float:
    return _ran(command, fleet.folder).seconds


def _ran(command: Sequence[str], folder: Path, *, watch: bool = False) -> Ran:
    with tempfile.TemporaryFile("w+") as out:
        start = time.perf_counter()
        process = subprocess.Popen(command, cwd=folder, stdout=out, stderr=subprocess.STDOUT)
        peak = _watched(process) if watch else 0.0
        code = process.wait()
        seconds = time.perf_counter() - start
        out.seek(0)
        said = out.read()
    if code not in (0, 1):
        message = f"{command[0]} ended with {code}: {said[-500:]}"
        raise SystemExit(message)
    return Ran(seconds=seconds, code=code, said=said, peak_mb=peak)


def _watched(process: subprocess.Popen[bytes]) -> float:
    """The most that a command and its children held at a time; what they share counts twice."""
    peak = 0
    while process.poll() is None:
        peak = max(peak, _held_bytes(process.pid))
        time.sleep(_EVERY_S)
    return peak / 1e6


def _held_bytes(pid: int) -> int:
    try:
        root = psutil.Process(pid)
        family = (root, *root.children(recursive=True))
        return sum(one.memory_info().rss for one in family)
    except psutil.NoSuchProcess:
        return 0


def _table(result: Result) -> str:
    rows = (
        (f"{result.count} specs on {result.cores} cores", f"{result.ratio:.1f} times as fast", "5"),
        ("the same on one core", f"{result.one_core_ratio:.1f} times as fast", ""),
        (
            "memory of all processes, shared pages counted twice",
            f"{result.ours_mb:.0f} MB (check-jsonschema {result.theirs_mb:.0f} MB)",
            f"{MEMORY_MB} MB",
        ),
        ("one spec with the interpreter's start", f"{result.start_s:.2f} s", f"{START_S:g} s"),
    )
    lines = (f"| {what} | {measured} | {limit} |" for what, measured, limit in rows)
    return "\n".join(("| what | measured | limit |", "|---|---|---|", *lines))
