"""`moorage destroy`: take a stack away, its processes, ports and files."""

from __future__ import annotations

import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """Which stack, which of its resources, and how."""
    from moorage.cli.operation import flags

    flags(parser, "destroy")


def run(args: argparse.Namespace) -> int:
    """Run the operation on Pulumi's engine."""
    from moorage.cli.operation import done, options, stack_of
    from moorage.cli.stacks import remove_reports

    stack, asked = stack_of(args), options(args)
    result = stack.destroy(asked)
    if not asked.is_partial:
        remove_reports(stack)
    return done(result, args)
