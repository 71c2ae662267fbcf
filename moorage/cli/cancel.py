"""`moorage cancel`: free a stack of the locks of runs that died."""

from __future__ import annotations

import argparse
import json


def configure(parser: argparse.ArgumentParser) -> None:
    """Which stack, and whose run a person knows to be dead."""
    from moorage.cli.stacks import arguments

    arguments(parser)
    parser.add_argument(
        "--dead-owner",
        metavar="HOST:PID",
        help="free it of this owner too, which cannot be asked and which you know to be dead",
    )


def run(args: argparse.Namespace) -> int:
    """Free the stack; a run that lives is refused, and told how to end it."""
    from moorage.cli.stacks import open_stack

    open_stack(args.stack).cancel(args.dead_owner)
    told = {"stack": args.stack, "free": True}
    print(json.dumps(told) if args.json else f"no dead run holds stack {args.stack}")
    return 0
