"""`make contract`: the table of all behaviours, and how many of them hold."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

from moorage.errors import Exit, MoorageError
from tests.contract import live
from tests.contract.run import SHORT, Finding, chosen, line, on_the_twin, total

_DIFFERENCES: Final = Path(".moorage", "contract-differences.json")


def main(argv: Sequence[str] | None = None) -> int:
    """0 when all of it holds; 1 when anything falls short; 2 for what cannot be run."""
    args = _arguments().parse_args(argv)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that nothing is left running
    try:
        return _run(args)
    except MoorageError as error:
        print(f"contract: {error}", file=sys.stderr)
        return int(Exit.USAGE)
    except KeyboardInterrupt:
        print("contract: interrupted", file=sys.stderr)
        return int(Exit.INTERRUPTED)


def _run(args: argparse.Namespace) -> int:
    wanted = chosen(args.only)
    if not wanted:
        message = f"no behaviour has {args.only!r} in its id"
        raise MoorageError(message)
    told = live.terms(os.environ)
    if told is None:
        return _tell(on_the_twin(wanted))
    seen: list[Finding] = []
    try:
        return _tell(live.findings(told, wanted, _say), seen)
    finally:
        if seen:
            _record(seen, args.differences)


def _tell(found: Iterable[Finding], seen: list[Finding] | None = None) -> int:
    """A row as soon as it is known, the total last."""
    every = [] if seen is None else seen
    for finding in found:
        every.append(finding)
        print(line(finding), flush=True)
    print(total(every))
    return int(Exit.PROBLEMS if any(one.verdict == SHORT for one in every) else Exit.FINE)


def _record(found: Sequence[Finding], path: Path) -> None:
    """Where the real service differs is to be read later, and to be put right in the twin."""
    differing = [asdict(finding) for finding in found if finding.verdict == SHORT]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(differing, indent=2) + "\n", "utf-8")
    _say(f"contract: {len(differing)} differences are written to {path}")


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make contract", description=__doc__)
    parser.add_argument(
        "--only", default="", metavar="WORDS", help="behaviours with this in the id"
    )
    parser.add_argument(
        "--differences",
        type=Path,
        default=_DIFFERENCES,
        metavar="FILE",
        help=f"where a live run writes what differs ({_DIFFERENCES})",
    )
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
