"""`moorage plan`: what would run where, what it would cost, and why."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from moorage.errors import MoorageError

if TYPE_CHECKING:
    from moorage.plan.load import Loaded
    from moorage.plan.show.compare import Against


def configure(parser: argparse.ArgumentParser) -> None:
    """Paths, the format, and what to compare with."""
    parser.add_argument("paths", metavar="PATH", nargs="*", help="files, folders, globs (specs/)")
    parser.add_argument("--format", choices=("text", "json", "markdown"), default="text")
    parser.add_argument(
        "--base", metavar="REF", help="tell what changes against a commit (text, markdown)"
    )


def run(args: argparse.Namespace) -> int:
    """Print the plans, and the problems of the specs that have none."""
    from moorage.plan.load import load
    from moorage.plan.project import find_root
    from moorage.plan.show.render import FORMATS
    from moorage.spec import report

    if args.base is not None and args.format == "json":
        message = "--base is told by --format text or markdown; JSON holds the plans alone"
        raise MoorageError(message)
    root = find_root(Path.cwd())
    paths = [Path(path) for path in args.paths] or [root / "specs"]
    today = datetime.now(UTC).date()
    loaded = load(paths, root=root, today=today)
    change = _change(args.base, paths, root, loaded, today) if args.base is not None else None
    sys.stdout.write(FORMATS[args.format](loaded, change))
    return int(report.exit_code(loaded.problems))


def _change(ref: str, paths: list[Path], root: Path, after: Loaded, today: date) -> Against:
    from moorage.cli import base
    from moorage.plan.catalogue import catalog
    from moorage.plan.project import catalog_folder
    from moorage.plan.show.compare import Against

    before = base.base(ref, paths, root=root, today=today)
    known = catalog.read(catalog_folder(root))
    return Against(ref=ref, changes=base.changes(before, after, known))
