"""`moorage refresh`: compare a stack with what really runs, and take over what differs."""

from __future__ import annotations

import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """Which stack, which of its resources, and how."""
    from moorage.cli.operation import flags

    flags(parser, "refresh")


def run(args: argparse.Namespace) -> int:
    """Run the operation on Pulumi's engine."""
    from moorage.cli.operation import done, options, stack_of

    return done(stack_of(args).refresh(options(args)), args)
