"""`moorage up`: make a stack what its specs say."""

from __future__ import annotations

import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """Which stack, which of its resources, and how."""
    from moorage.cli.operation import flags

    flags(parser, "up")
    parser.add_argument("--test", action="store_true", help="plan first, and measure afterwards")


def run(args: argparse.Namespace) -> int:
    """Run the operation on Pulumi's engine."""
    from moorage.cli.launch import launch
    from moorage.cli.operation import options
    from moorage.cli.stacks import open_stack, print_result

    if args.test:
        return int(launch(open_stack(args.stack), options(args)))
    return print_result(open_stack(args.stack).up(options(args)), as_json=args.json)
