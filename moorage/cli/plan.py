"""`moorage plan`: what would run where, what it would cost, and why."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from moorage.plan.types import Plan


def configure(parser: argparse.ArgumentParser) -> None:
    """Paths and the format."""
    parser.add_argument("paths", metavar="PATH", nargs="*", help="files, folders, globs (specs/)")
    parser.add_argument("--format", choices=("text", "json", "markdown"), default="text")
    parser.add_argument(
        "--base", metavar="REF", help="tell what changes against a commit (text, markdown)"
    )


def run(args: argparse.Namespace) -> int:
    """Print the plans, and the problems of the specs that have none."""
    from moorage.plan.load import find_root, load
    from moorage.plan.render import FORMATS
    from moorage.spec import report

    root = find_root(Path.cwd())
    paths = [Path(path) for path in args.paths] or [root / "specs"]
    loaded = load(paths, root=root)
    changes = _changes(args.base, paths, root, loaded.plans) if args.base is not None else []
    sys.stdout.write(FORMATS[args.format](loaded))
    if args.format != "json":
        sys.stdout.writelines(f"{line}\n" for line in changes)
    return int(report.exit_code(loaded.problems))


def _changes(ref: str, paths: list[Path], root: Path, plans: Sequence[Plan]) -> list[str]:
    from moorage.cli import base
    from moorage.plan import catalog
    from moorage.plan.compare import markdown_changes
    from moorage.plan.load import catalog_folder

    before = base.base(ref, paths, root=root)
    known = catalog.read(catalog_folder(root))
    told = markdown_changes(base.changes(before, base.side(plans), known))
    return ["", f"Against {base.shown(ref)}:", "", *told]
