"""Run the sweeps, all or one, whole or in part; the exit code tells whether all is clean."""

from __future__ import annotations

import argparse
import sys

from crash import provider

SWEEPS = {"provider": provider.run}


def main() -> int:
    """Run the sweeps; the last line counts the points."""
    parser = argparse.ArgumentParser(prog="make crash", description=__doc__)
    parser.add_argument("--only", default="", help="a sweep, or points, such as create/cli/17")
    provider.configure(parser)
    args = parser.parse_args()
    named, _, points = args.only.partition("/")
    if named not in SWEEPS:
        named, points = "", args.only
    args.points = points
    counts = [run(args) for name, run in SWEEPS.items() if named in ("", name)]
    tried, clean = (sum(column) for column in zip(*counts, strict=True))
    print(f"crash: {tried} points, {clean} clean")
    return 0 if tried and tried == clean else 1


if __name__ == "__main__":
    sys.exit(main())
