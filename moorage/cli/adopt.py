"""`moorage import`: take over things that exist already, by their ids."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from moorage.errors import MoorageError

if TYPE_CHECKING:
    from moorage.deploy.imports import Batch


def configure(parser: argparse.ArgumentParser) -> None:
    """One thing from the command line, or many from a file."""
    from moorage.cli.operation import run_flags
    from moorage.cli.stacks import arguments

    arguments(parser)
    run_flags(parser)
    parser.add_argument("type", nargs="?", metavar="TYPE", help="such as moorage:index:Process")
    parser.add_argument("name", nargs="?", metavar="NAME", help="as the program names it")
    parser.add_argument("id", nargs="?", metavar="ID", help="what its provider knows it by")
    parser.add_argument("--parent", default="", metavar="NAME", help="its parent in the stack")
    parser.add_argument("--file", type=Path, metavar="FILE", help="many: Pulumi's bulk JSON form")


def run(args: argparse.Namespace) -> int:
    """Import, and tell what the next up would change."""
    from moorage.cli.operation import done, stack_of
    from moorage.provider.handlers import HANDLERS

    result = stack_of(args).adopt(batch(args), tuple(HANDLERS))
    return done(result, args)


def batch(args: argparse.Namespace) -> Batch:
    """What the arguments ask for."""
    from moorage.deploy.imports import Batch, Wanted, from_file

    if args.file is not None:
        if args.type or args.parent:
            raise MoorageError("--file names everything; leave TYPE, NAME, ID and --parent out")
        return from_file(args.file)
    if not args.id:
        raise MoorageError("moorage import TYPE NAME ID, or moorage import --file FILE")
    wanted = Wanted(type=args.type, name=args.name, id=args.id, parent=args.parent)
    return Batch(wanted=(wanted,), name_table={})
