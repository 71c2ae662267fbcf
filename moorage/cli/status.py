"""`moorage status`: what every placement of a stack does now."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from moorage.errors import Exit, MoorageError

if TYPE_CHECKING:
    from moorage.deploy.driver import Stack


def configure(parser: argparse.ArgumentParser) -> None:
    """Which stack, for how long, and who is asked."""
    from moorage.cli.amounts import seconds
    from moorage.cli.stacks import arguments

    arguments(parser)
    parser.add_argument(
        "--all", action="store_true", help="ask also who is paid by the request or may be asleep"
    )
    parser.add_argument(
        "--within", type=seconds, default=6.0, metavar="SECONDS", help="for all of it (6)"
    )
    parser.add_argument(
        "--calibration",
        type=Path,
        metavar="FILE",
        help="where measured caches are kept (.moorage/calibration/STACK.yaml)",
    )


def run(args: argparse.Namespace) -> int:
    """Print the table; 3 where somebody who must answer does not."""
    from moorage import status
    from moorage.cli.stacks import open_stack

    stack = open_stack(args.stack)
    places = status.places(stack.outputs(show_secrets=True), _routes(stack))
    report = status.look(places, within_s=args.within, ask_all=args.all)
    print(json.dumps(status.as_json(report)) if args.json else status.text(report))
    file = args.calibration or stack.root / ".moorage" / "calibration" / f"{stack.name}.yaml"
    status.keep(file, places, report)
    return int(Exit.FINE if report.is_fine else Exit.UNANSWERED)


def _routes(stack: Stack) -> Any:
    """The gateway's own file, which holds the keys; nothing where another machine runs it."""
    file = stack.root / ".moorage" / "run" / stack.name / "gateway" / "routes.json"
    try:
        return json.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        message = f"{file} cannot be read: {error}"
        raise MoorageError(message) from error
