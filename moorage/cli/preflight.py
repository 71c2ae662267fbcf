"""`moorage preflight`: what Hugging Face says to a stack's plans, before anything is created."""

from __future__ import annotations

import argparse
import json

from moorage.errors import Exit, MoorageError


def configure(parser: argparse.ArgumentParser) -> None:
    """Which stack, and how the table is printed."""
    from moorage.cli.stacks import arguments

    arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Print the table; problems of the specs come first, since without plans nothing is asked."""
    from moorage import preflight
    from moorage.cli import ahead
    from moorage.cli.stacks import open_stack

    stack = open_stack(args.stack)
    loaded = ahead.plans(stack)
    errors = [one for one in loaded.problems if one.severity == "error"]
    if errors:
        raise MoorageError("\n".join(map(str, errors)), exit_code=Exit.PROBLEMS)
    report = ahead.preflight(stack, loaded) or preflight.Report(rows=())
    print(json.dumps(preflight.as_json(report)) if args.json else preflight.text(report))
    return int(Exit.FINE if report.is_fine else Exit.PROBLEMS)
