"""`moorage schema`: the JSON Schema of a spec, printed, written, or proven fresh."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from moorage.errors import Exit, MoorageError


def configure(parser: argparse.ArgumentParser) -> None:
    """Print by default."""
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--check", action="store_true", help="prove that specs/schema.json is fresh")
    what.add_argument("--write", action="store_true", help="write specs/schema.json")


def run(args: argparse.Namespace) -> int:
    """Print, write or compare."""
    from moorage.plan import catalog
    from moorage.plan.load import catalog_folder, find_root
    from moorage.spec import schema

    root = find_root(Path.cwd())
    text = schema.render(catalog.spec_schema(catalog.read(catalog_folder(root))))
    file = root / "specs" / "schema.json"
    if args.check:
        return int(_check(file, text))
    if args.write:
        _write(file, text)
    else:
        sys.stdout.write(text)
    return int(Exit.FINE)


def _check(file: Path, text: str) -> Exit:
    if file.is_file() and file.read_text(encoding="utf-8") == text:
        return Exit.FINE
    print(f"{file}: not what the code says; write it anew with `moorage schema --write`")
    return Exit.PROBLEMS


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        message = f"{file}: cannot be written: {error.strerror}"
        raise MoorageError(message) from error
