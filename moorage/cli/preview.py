"""`moorage preview`: show what an up would change; nothing is changed."""

from __future__ import annotations

import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """Which stack, and how the result is printed."""
    from moorage.cli.stacks import arguments

    arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Run the operation on Pulumi's engine."""
    from moorage.cli.stacks import open_stack, print_result

    return print_result(open_stack(args.stack).preview(), as_json=args.json)
