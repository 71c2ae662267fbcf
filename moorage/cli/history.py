"""`moorage history`: what was done to a stack, newest first."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from moorage.deploy.history import Entry


def configure(parser: argparse.ArgumentParser) -> None:
    """Which stack, and how many operations back."""
    from moorage.cli.amounts import count
    from moorage.cli.stacks import arguments

    arguments(parser)
    parser.add_argument("--limit", type=count, default=20, metavar="N", help="how many (20)")


def run(args: argparse.Namespace) -> int:
    """Print the history."""
    from moorage.cli.stacks import open_stack
    from moorage.deploy import history

    stack = open_stack(args.stack)
    entries = history.read(stack.at_hand(), limit=args.limit)
    if args.json:
        print(json.dumps([_as_json(entry) for entry in entries]))
    else:
        print("\n".join(as_text(entry) for entry in entries) or "nothing was done yet")
    return 0


def as_text(entry: Entry) -> str:
    """One operation in one line; whoever wrote a commit may have written anything into it."""
    from moorage.deploy.show.values import printable

    changes = ", ".join(f"{n} {step}" for step, n in sorted(entry.changes.items()) if n)
    parts = (
        f"{entry.began.astimezone():%Y-%m-%d %H:%M:%S}",
        f"{entry.operation} {entry.result}",
        f"{entry.duration_s:.0f} s",
        changes or "no resources",
        entry.who,
        f"{entry.commit} by {entry.author}" if entry.author else entry.commit,
        f'"{first_line(entry.message)}"' if entry.message else "",
    )
    number = f"{entry.version:>4}  " if entry.version else ""
    return printable(number + "  ".join(part for part in parts if part))


def first_line(text: str) -> str:
    """What of a message fits into a list."""
    return text.strip().partition("\n")[0]


def _as_json(entry: Entry) -> dict[str, object]:
    return {**asdict(entry), "began": entry.began.isoformat()}
