"""`moorage outputs`: the services of a stack, each with its URL, key and model."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from typing import Any


def configure(parser: argparse.ArgumentParser) -> None:
    """Which stack, how much, and whether secrets are shown."""
    from moorage.cli.stacks import arguments

    arguments(parser)
    parser.add_argument("--all", action="store_true", help="every output, not the services only")
    parser.add_argument("--show-secrets", action="store_true", help="print keys in clear")


def run(args: argparse.Namespace) -> int:
    """Print the outputs."""
    from moorage.cli.stacks import open_stack

    outputs = open_stack(args.stack).outputs(show_secrets=args.show_secrets)
    if args.all:
        print(json.dumps(outputs, indent=None if args.json else 2))
        return 0
    services = outputs.get("services", {})
    print(json.dumps({"services": services}) if args.json else as_text(services))
    return 0


def as_text(services: Mapping[str, Mapping[str, Any]]) -> str:
    """The services, one block each."""
    return "\n".join(
        "\n".join([name, *(f"  {key:8} {value}" for key, value in sorted(fields.items()))])
        for name, fields in sorted(services.items())
    )
