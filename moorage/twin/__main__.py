"""The twin as a process: `python -m moorage.twin --repos DIR --port P`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from moorage.twin.hub import Hub, TwinError, application, make
from moorage.twin.serving import Door, as_process


def main(argv: list[str] | None = None) -> int:
    """Serve until a signal; 2 for a folder or a port that cannot be used."""
    args = _arguments().parse_args(argv)
    try:
        hub = make(args.repos, tokens=tuple(args.token))
        door = Door(app=application(hub), host=args.host, ports=(args.port, 0))
        as_process([door], announce=lambda urls: _announce(hub, urls))
    except TwinError as error:
        print(f"moorage twin: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"moorage twin: cannot listen on {args.host}:{args.port}: {error}", file=sys.stderr)
        return 2
    return 0


def _announce(hub: Hub, urls: list[str]) -> None:
    hub.listens_at(urls)
    print(f"hub: {hub.url}", flush=True)


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="moorage twin", description=__doc__)
    parser.add_argument("--repos", type=Path, required=True, help="folder of <owner>/<name>/")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one (default)")
    parser.add_argument("--token", action="append", default=[], help="a token to accept")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
