"""`moorage up`: make a stack what its specs say."""

from __future__ import annotations

import argparse
from pathlib import Path

from moorage.errors import Exit, MoorageError


def configure(parser: argparse.ArgumentParser) -> None:
    """Which stack, which of its resources, and how."""
    from moorage.cli.operation import flags

    flags(parser, "up")
    parser.add_argument("--plan", type=Path, metavar="FILE", help="only what was reviewed in it")
    parser.add_argument("--test", action="store_true", help="plan first, and measure afterwards")


def run(args: argparse.Namespace) -> int:
    """Run the operation on Pulumi's engine."""
    from moorage.cli.ahead import plans, ready
    from moorage.cli.launch import launch
    from moorage.cli.operation import done, options, says_what, stack_of

    if args.plan is not None and (args.test or says_what(args)):
        raise MoorageError("--plan says what is done; leave the flags that say it too out")
    stack, asked = stack_of(args), options(args)
    if args.test and (args.json or args.display == "json"):
        raise MoorageError(
            "--test tells a person how it goes; leave JSON out, its reports are JSON"
        )
    if args.test:
        return int(launch(stack, asked, asks=not args.no_preflight))
    prepared = ready(stack, plans(stack), asks=not args.no_preflight)
    if prepared is None:
        return int(Exit.PROBLEMS)
    return done(prepared.up(asked, plan=args.plan), args)
