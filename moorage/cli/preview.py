"""`moorage preview`: show what an up would change; nothing is changed."""

from __future__ import annotations

import argparse
from pathlib import Path


def configure(parser: argparse.ArgumentParser) -> None:
    """Which stack, which of its resources, and how."""
    from moorage.cli.operation import flags

    flags(parser, "preview")
    parser.add_argument("--save", type=Path, metavar="FILE", help="keep it for `up --plan FILE`")


def run(args: argparse.Namespace) -> int:
    """Run the operation on Pulumi's engine."""
    from moorage.cli.operation import options
    from moorage.cli.stacks import open_stack, print_result

    return print_result(
        open_stack(args.stack).preview(options(args), save=args.save), as_json=args.json
    )
