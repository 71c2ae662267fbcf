"""`moorage outputs`: the services of a stack, each with its URL, key and model."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from typing import Any

from moorage.errors import Exit, MoorageError


def configure(parser: argparse.ArgumentParser) -> None:
    """Which stack, how much, and whether secrets are shown."""
    from moorage.cli.stacks import arguments

    arguments(parser)
    parser.add_argument("--all", action="store_true", help="every output, not the services only")
    parser.add_argument("--key", metavar="SERVICE", help="print the key of one service, no more")
    parser.add_argument("--show-secrets", action="store_true", help="print keys in clear")


def run(args: argparse.Namespace) -> int:
    """Print the outputs."""
    from moorage.cli.stacks import open_stack

    show_secrets = args.show_secrets or args.key is not None
    outputs = open_stack(args.stack).outputs(show_secrets=show_secrets)
    if args.all:
        print(json.dumps(outputs, indent=None if args.json else 2))
        return 0
    services = outputs.get("services", {})
    if args.key is not None:
        print(key_of(services, args.key))
        return 0
    print(json.dumps({"services": services}) if args.json else as_text(services))
    return 0


def key_of(services: Mapping[str, Mapping[str, Any]], name: str) -> str:
    """The bearer key of one service."""
    if name not in services:
        message = f"there is no service {name!r} in this stack; there are: {', '.join(services)}"
        raise MoorageError(message)
    return str(whole(name, services[name])["api_key"])


def whole(name: str, service: Mapping[str, Any]) -> Mapping[str, Any]:
    """A service that has all that a client needs; one that failed to come up has not."""
    missing = [field for field in ("url", "api_key", "model") if field not in service]
    if missing:
        message = f"{name} did not come up, it has no {missing[0]}; `moorage up` goes on with it"
        raise MoorageError(message, exit_code=Exit.UNANSWERED)
    return service


def as_text(services: Mapping[str, Mapping[str, Any]]) -> str:
    """The services, one block each."""
    return "\n".join(
        "\n".join([name, *(f"  {key:8} {value}" for key, value in sorted(fields.items()))])
        for name, fields in sorted(services.items())
    )
