"""`make bench`: what this project promises about speed, measured beside what others use."""

from __future__ import annotations

import argparse
import sys

import hosts
import hugging_face
import judge
import provider

BENCHES = {"judge": judge.run, "provider": provider.run, "hf": hugging_face.run, "hosts": hosts.run}


def main() -> int:
    """Run all benches or one; the exit code tells whether every promise was kept."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--only", choices=tuple(BENCHES), help="one bench")
    judge.configure(parser)
    provider.configure(parser)
    hugging_face.configure(parser)
    hosts.configure(parser)
    args = parser.parse_args()
    kept = [run(args) for name, run in BENCHES.items() if args.only in (None, name)]
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(main())
