"""`make fuzz`: a hundred thousand mutants; the last line tells whether any of them crashed us."""

from __future__ import annotations

import argparse
import os
import sys
from concurrent.futures import ProcessPoolExecutor

from tests.fuzz.run import run

_SHARE = 2000


def main() -> int:
    """Try them on all cores, print what crashed."""
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("--mutants", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=4)
    args = parser.parse_args()
    shares = [min(_SHARE, args.mutants - start) for start in range(0, args.mutants, _SHARE)]
    numbers = range(args.seed * 1_000_000, args.seed * 1_000_000 + len(shares))
    tried, crashes = 0, 0
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for found in pool.map(run, shares, numbers):
            tried, crashes = tried + found.mutants, crashes + len(found.crashes)
            print("\n".join([*found.crashes, f"{tried} mutants"]), flush=True)
    print(f"fuzz: {tried} mutants, {crashes} crashes")
    return 1 if crashes else 0


if __name__ == "__main__":
    sys.exit(main())
