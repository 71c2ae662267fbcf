"""`moorage refresh`: compare a stack with what really runs, and take over what differs."""

from __future__ import annotations

import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """Which stack, which of its resources, and how."""
    from moorage.cli.operation import flags

    flags(parser, "refresh")


def run(args: argparse.Namespace) -> int:
    """Run the operation on Pulumi's engine."""
    from moorage.cli.operation import options
    from moorage.cli.stacks import open_stack, print_result

    return print_result(open_stack(args.stack).refresh(options(args)), as_json=args.json)
