"""`moorage plan`: what would run where, what it would cost, and why."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def configure(parser: argparse.ArgumentParser) -> None:
    """Paths and the format."""
    parser.add_argument("paths", metavar="PATH", nargs="*", help="files, folders, globs (specs/)")
    parser.add_argument("--format", choices=("text", "json", "markdown"), default="text")


def run(args: argparse.Namespace) -> int:
    """Print the plans, and the problems of the specs that have none."""
    from moorage.plan.load import find_root, load
    from moorage.plan.render import FORMATS
    from moorage.spec import report

    root = find_root(Path.cwd())
    loaded = load([Path(path) for path in args.paths] or [root / "specs"], root=root)
    sys.stdout.write(FORMATS[args.format](loaded))
    return int(report.exit_code(loaded.problems))
