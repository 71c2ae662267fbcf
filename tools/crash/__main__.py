"""Run the sweeps, all or one, whole or in part; the exit code tells whether all is clean."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from crash import docked, hf, hosts, mounts, provider

SWEEPS = {"provider": provider.run, "hf": hf.run, "hosts": hosts.run, "docker": docked.run}
_GROUPS = {"hosts": ("hosts", "docker")}  # where no point is named
_USUAL = "provider"  # of points that name no sweep
_WORKERS = {"hosts": 5}  # whose points mostly wait; two of the others keep two cores busy
_FEW = 2


def main() -> int:
    """Run the sweeps; the last line counts the points."""
    args = _arguments()
    named, _, points = args.only.partition("/")
    if args.only and named not in SWEEPS:
        named, points = _USUAL, args.only
    args.points = points
    if named in ("", _USUAL):
        mounts.enter()  # starts this program anew
    folder = args.folder or Path(tempfile.mkdtemp(prefix="moorage-crash-"))
    wanted = _wanted(named, points)
    counts = [run(folder, _of(name, args)) for name, run in SWEEPS.items() if name in wanted]
    tried, clean = (sum(column) for column in zip(*counts, strict=True))
    print(f"crash: {tried} points, {clean} clean")
    return 0 if tried and tried == clean else 1


def _of(name: str, args: argparse.Namespace) -> argparse.Namespace:
    workers = args.workers or _WORKERS.get(name, _FEW)
    return argparse.Namespace(**{**vars(args), "workers": workers})


def _wanted(named: str, points: str) -> Iterable[str]:
    if not named:
        return SWEEPS
    return (named,) if points else _GROUPS.get(named, (named,))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make crash", description=__doc__)
    parser.add_argument("--only", default="", help="a sweep, or points, such as create/cli/17")
    parser.add_argument("--workers", type=int, help="points at once (2, and 5 instances)")
    parser.add_argument("--folder", type=Path, help="where to work (default: a temporary one)")
    parser.add_argument("--sample", action="store_true", help="a few points only")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
