"""`moorage test`: measure the services of a stack and judge them by their specs."""

from __future__ import annotations

import argparse
from pathlib import Path

PROFILES = ("ready", "smoke", "failover")


def configure(parser: argparse.ArgumentParser) -> None:
    """The stack, the profile and where the reports go."""
    parser.add_argument("--stack", default="local", help="which stack (local)")
    parser.add_argument("--profile", choices=PROFILES, default="smoke", help="what to prove")
    parser.add_argument("--report", metavar="DIR", type=Path, help="where the reports go")


def run(args: argparse.Namespace) -> int:
    """Run the profile on every service; the worst verdict is the exit code."""
    from moorage.cli.stacks import open_stack, reports
    from moorage.cli.trial import Trial

    stack = open_stack(args.stack)
    trial = Trial(
        outputs=stack.outputs(show_secrets=True),
        heal=stack.up,
        folder=args.report or reports(stack),
    )
    with stack.held(f"moorage test --stack {stack.name}"):
        return int(trial.run(args.profile))
