"""`moorage preview`: show what an up would change; nothing is changed."""

from __future__ import annotations

import argparse
from dataclasses import replace
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
    from moorage.deploy import beside

    stack, asked = stack_of(args), options(args)
    with beside.plugin(stack.plugin, goes_on=asked.goes_on) as attached:
        prepared = ready(stack, plans(stack), asks=not args.no_preflight)
        if prepared is None:
            return int(Exit.PROBLEMS)
        result = replace(prepared, attached=attached).preview(asked, save=args.save)
    return done(result, args)
