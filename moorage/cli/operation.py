"""What preview, up, refresh and destroy share: the flags that become the driver's options."""

from __future__ import annotations

import argparse
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from moorage.errors import MoorageError

if TYPE_CHECKING:
    from moorage.deploy.driver import Result, Stack
    from moorage.deploy.options import Options

_WHAT = "a name, Type::name or URN; may be given again"

_SAY_WHAT = ("target", "target_dependents", "exclude", "replace", "refresh", "expect_no_changes")


def flags(parser: argparse.ArgumentParser, operation: str) -> None:
    """The flags of one operation; each takes what the engine can do with it."""
    from moorage.cli.amounts import count
    from moorage.cli.stacks import arguments
    from moorage.deploy.options import PARALLEL

    arguments(parser)
    add = parser.add_argument
    run_flags(parser)
    add("--target", action="append", metavar="NAME", help=f"only this resource: {_WHAT}")
    add("--target-dependents", action="store_true", help="and whatever depends on a target")
    add("--parallel", type=count, default=PARALLEL, metavar="N", help=f"at once ({PARALLEL})")
    add("--message", default="", metavar="TEXT", help="why, for the history")
    if operation != "destroy":
        add("--exclude", action="append", metavar="NAME", help=f"not this resource: {_WHAT}")
        add("--expect-no-changes", action="store_true", help="do nothing; exit 7 on a change")
    if operation in {"preview", "up"}:
        add("--no-preflight", action="store_true", help="do not ask Hugging Face beforehand")
        add("--replace", action="append", metavar="NAME", help=f"this one anew: {_WHAT}")
    if operation != "refresh":
        add("--refresh", action="store_true", help="look at every thing first")
    if operation in {"up", "destroy"}:
        either = parser.add_mutually_exclusive_group()
        onward = either.add_argument("--continue-on-error", action="store_true")
        onward.help = "go on with what does not depend on a failure (the default)"
        either.add_argument(
            "--stop-on-error", action="store_true", help="begin nothing new after a failure"
        )


def run_flags(parser: argparse.ArgumentParser) -> None:
    """How the progress is shown, and whether it waits for another run."""
    from moorage.deploy.show.forms import FORMS

    parser.add_argument("--display", choices=FORMS, default="auto", help="how progress is shown")
    parser.add_argument("--diff", action="store_true", help="show every property that changes")
    wait = "so long at most for another run on the stack: 90s, 10m, 1h (not at all)"
    parser.add_argument("--wait", type=_seconds, default=0.0, metavar="DURATION", help=wait)


def stack_of(args: argparse.Namespace) -> Stack:
    """The stack that the flags name, shown as they ask."""
    from moorage.cli.stacks import open_stack

    stack = open_stack(args.stack, form=args.display, diff=args.diff)
    return replace(stack, wait_s=args.wait)


def done(result: Result, args: argparse.Namespace) -> int:
    """Print what an operation did; JSON events end with it anyway."""
    from moorage.cli.stacks import print_result

    return print_result(result, as_json=args.json and args.display != "json")


def options(args: argparse.Namespace) -> Options:
    """The options that the flags ask for."""
    from moorage.deploy.options import Options

    if args.target_dependents and not args.target:
        raise MoorageError("--target-dependents says nothing without --target")
    given = vars(args)
    if args.target and given.get("exclude"):
        raise MoorageError("--target and --exclude: give one of them, it leaves the rest out")
    return Options(
        targets=tuple(args.target or ()),
        target_dependents=args.target_dependents,
        exclude=tuple(given.get("exclude") or ()),
        replace=tuple(given.get("replace") or ()),
        parallel=args.parallel,
        continue_on_error=not given.get("stop_on_error", False),
        expect_no_changes=given.get("expect_no_changes", False),
        refresh=given.get("refresh", False),
        message=args.message,
    )


def says_what(args: argparse.Namespace) -> bool:
    """Whether a flag says which steps there are, which a plan says too."""
    given = vars(args)
    return any(given.get(name) for name in _SAY_WHAT)


def _seconds(text: str) -> float:
    found = re.fullmatch(r"([0-9]{1,9})\s*(s|m|h)?", text)
    if found is None:
        message = f"{text!r} is no duration: write it as 90s, 10m or 1h"
        raise argparse.ArgumentTypeError(message)
    return float(found[1]) * {"s": 1, "m": 60, "h": 3600}[found[2] or "s"]
