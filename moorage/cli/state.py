"""`moorage state`: a stack's state written out, put back, repaired, or let go of."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Final

_NAME: Final = "a name, Type::name or URN"
_Run = Callable[[argparse.Namespace], int]


def configure(parser: argparse.ArgumentParser) -> None:
    """One subcommand for each thing that can be done."""
    commands = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    for name, (summary, _) in _ACTIONS.items():
        _configure_one(name, commands.add_parser(name, help=summary, description=summary))


def run(args: argparse.Namespace) -> int:
    """Do it."""
    _, action = _ACTIONS[args.action]
    return action(args)


def _configure_one(name: str, parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--stack", default="local", metavar="S", help="which stack (local)")
    if name == "export":
        parser.add_argument("--file", type=Path, metavar="FILE", help="into a new file (stdout)")
        parser.add_argument("--show-secrets", action="store_true", help="secrets in clear")
    if name == "import":
        parser.add_argument("file", type=Path, metavar="FILE", help="what `export` wrote")
        parser.add_argument(
            "--force", action="store_true", help="though it is older, or lacks what exists"
        )
    if name in {"unprotect", "settle"}:
        parser.add_argument("name", metavar="NAME", help=_NAME)
    if name == "remove":
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("name", metavar="NAME", nargs="?", help=_NAME)
        what.add_argument("--host", metavar="ADDRESS", help="all that was on this Docker host")
    if name == "settle":
        answer = parser.add_mutually_exclusive_group(required=True)
        answer.add_argument("--id", metavar="ID", help="it was created, with this id")
        answer.add_argument("--gone", action="store_true", help="it was not created")


def _export(args: argparse.Namespace) -> int:
    from moorage.cli.stacks import open_stack
    from moorage.deploy.stored import state

    text = state.export(open_stack(args.stack).at_hand(), show_secrets=args.show_secrets)
    if args.file is None:
        print(text, end="")
        return 0
    state.write(args.file, text)
    count = len(json.loads(text)["deployment"].get("resources") or [])
    print(f"{args.file}: {count} resources of stack {args.stack}")
    return 0


def _import(args: argparse.Namespace) -> int:
    from moorage.cli.stacks import open_stack
    from moorage.deploy.stored import state

    with open_stack(args.stack).opened("state import") as session:
        backup = state.replace(session, args.file, force=args.force)
    kept = f"; what it was is kept in {backup}" if backup is not None else ""
    print(f"stack {args.stack} is what {args.file} says{kept}")
    return 0


def _repair(args: argparse.Namespace) -> int:
    from moorage.cli.stacks import open_stack
    from moorage.deploy.stored import state

    with open_stack(args.stack).opened("state repair") as session:
        print("\n".join(state.repair(session)))
    return 0


def _remove(args: argparse.Namespace) -> int:
    from moorage.cli.stacks import open_stack
    from moorage.deploy.stored import gone, state

    with open_stack(args.stack).opened("state remove") as session:
        if args.host is not None:
            print(gone.forget(session, args.host))
        else:
            print(state.remove(session, args.name))
    return 0


def _unprotect(args: argparse.Namespace) -> int:
    from moorage.cli.stacks import open_stack
    from moorage.deploy.stored import state

    with open_stack(args.stack).opened("state unprotect") as session:
        print(state.unprotect(session, args.name))
    return 0


def _settle(args: argparse.Namespace) -> int:
    from moorage.cli.stacks import open_stack
    from moorage.deploy.stored import recover

    with open_stack(args.stack).opened("state settle") as session:
        print(recover.declare(session.where, session.command, args.name, args.id))
    return 0


_ACTIONS: Final[dict[str, tuple[str, _Run]]] = {
    "export": ("write the state to a file that only you can read, or to stdout", _export),
    "import": ("put a written state in the place of the present one, which is kept", _import),
    "repair": ("bring a state that contradicts itself into order", _repair),
    "settle": ("say whether a died run created a thing whose provider cannot be asked", _settle),
    "remove": ("forget one resource, or a host that is gone; what there is goes on", _remove),
    "unprotect": ("let one resource be deleted and replaced again", _unprotect),
}
