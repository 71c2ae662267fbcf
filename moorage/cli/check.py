"""`moorage check`: every problem of every spec, before anything is spent."""

from __future__ import annotations

import argparse
import os
import sys
from datetime import UTC, datetime
from pathlib import Path


def configure(parser: argparse.ArgumentParser) -> None:
    """Paths, the format, and a promise that is always kept: no network."""
    parser.add_argument("paths", metavar="PATH", nargs="*", help="files, folders, globs (specs/)")
    parser.add_argument("--format", choices=("text", "json", "github", "sarif"), default="text")
    parser.add_argument("--offline", action="store_true", help="ask nobody; check never does")


def run(args: argparse.Namespace) -> int:
    """Print the problems."""
    from moorage.plan.load import load
    from moorage.plan.project import find_root
    from moorage.plan.slugs import SAID
    from moorage.spec import report

    root = find_root(Path.cwd())
    loaded = load(
        [Path(path) for path in args.paths] or [root / "specs"],
        root=root,
        today=datetime.now(UTC).date(),
        plans=False,
        processes=os.cpu_count() or 1,
    )
    sys.stdout.write(report.FORMATS[args.format](loaded.problems, SAID))
    if args.format == "text":
        print(report.summary(len(loaded.files), loaded.problems))
    return int(report.exit_code(loaded.problems))
