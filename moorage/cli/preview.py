"""`moorage preview`: show what an up would change; nothing is changed."""

from __future__ import annotations

import argparse
from pathlib import Path

from moorage.errors import Exit


def configure(parser: argparse.ArgumentParser) -> None:
    """Which stack, which of its resources, and how."""
    from moorage.cli.operation import flags

    flags(parser, "preview")
    parser.add_argument("--save", type=Path, metavar="FILE", help="keep it for `up --plan FILE`")


def run(args: argparse.Namespace) -> int:
    """Run the operation on Pulumi's engine."""
    from moorage.cli.ahead import plans, ready
    from moorage.cli.operation import done, options, stack_of

    stack, asked = stack_of(args), options(args)
    prepared = ready(stack, plans(stack), asks=not args.no_preflight)
    if prepared is None:
        return int(Exit.PROBLEMS)
    return done(prepared.preview(asked, save=args.save), args)
