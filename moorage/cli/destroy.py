"""`moorage destroy`: take a stack away, its processes, ports and files."""

from __future__ import annotations

import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """Which stack, which of its resources, and how."""
    from moorage.cli.operation import flags

    flags(parser, "destroy")


def run(args: argparse.Namespace) -> int:
    """Run the operation on Pulumi's engine."""
    from moorage.cli.operation import options
    from moorage.cli.stacks import open_stack, print_result, remove_reports

    stack = open_stack(args.stack)
    result = stack.destroy(options(args))
    remove_reports(stack)
    return print_result(result, as_json=args.json)
