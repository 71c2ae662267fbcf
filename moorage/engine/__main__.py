"""`python -m moorage.engine`: serve a model from this machine, or write the tiny one."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Final

from moorage.engine import serve, tiny
from moorage.errors import MoorageError

KEY_VARIABLE: Final = "MOORAGE_ENGINE_KEY"


def main(argv: list[str] | None = None) -> int:
    """Run one of the two commands; a foreseeable fault is one line on stderr."""
    args = _parser().parse_args(argv)
    try:
        if args.command == "serve":
            serve.serve(_service(args))
        tiny.write(args.task, args.out)
    except MoorageError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    except OSError as error:
        print(f"{error.filename}: {error.strerror}", file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m moorage.engine", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    server = commands.add_parser("serve", help="serve one GGUF file")
    server.add_argument("--model", type=Path, required=True, metavar="PATH")
    server.add_argument("--alias", required=True, help="the name clients ask for")
    server.add_argument("--task", choices=tiny.TASKS, default=tiny.CHAT_TASK)
    server.add_argument("--host", default="127.0.0.1")
    server.add_argument("--port", type=_positive, required=True)
    server.add_argument("--ctx", type=_positive, default=4096, help="tokens each request may use")
    server.add_argument("--parallel", type=_positive, default=4, help="requests served at a time")
    server.add_argument("--threads", type=_positive, help="default: half of the processors")
    writer = commands.add_parser("tiny", help="write the generated tiny model")
    writer.add_argument("--task", choices=tiny.TASKS, default=tiny.CHAT_TASK)
    writer.add_argument("--out", type=Path, required=True, metavar="PATH")
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        message = f"{text} is less than 1"
        raise argparse.ArgumentTypeError(message)
    return number


def _service(args: argparse.Namespace) -> serve.Service:
    return serve.Service(
        model=args.model,
        alias=args.alias,
        task=args.task,
        host=args.host,
        port=args.port,
        context_tokens=args.ctx,
        parallel=args.parallel,
        threads=args.threads,
        key=os.environ.get(KEY_VARIABLE) or None,
    )


if __name__ == "__main__":
    sys.exit(main())
