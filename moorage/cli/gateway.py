"""`moorage gateway`: run the gateway of a routes file in the foreground."""

from __future__ import annotations

import argparse
from pathlib import Path


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--routes",
        type=Path,
        required=True,
        metavar="FILE",
        help="the routes file (JSON, mode 0600); SIGHUP reads it again",
    )


def run(args: argparse.Namespace) -> int:
    from moorage.gateway.serve import serve

    return serve(args.routes)
