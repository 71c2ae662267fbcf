"""The commands: parse the arguments, run one module, turn faults into a line and an exit code."""

from __future__ import annotations

import argparse
import importlib
import signal
import sys
from typing import Final, Protocol

from moorage import __version__
from moorage.cli import streams
from moorage.errors import Exit, MoorageError

# One module of this package each, imported only when the command runs.
COMMANDS: Final[dict[str, str]] = {
    "new": "write a commented spec from a few answers",
    "check": "prove specs before anything is spent",
    "lock": "freeze what the Hub says of a spec's model beside the spec",
    "plan": "show what would run where, and what it would cost",
    "schema": "print, write or prove the JSON Schemas of specs, policies and locks",
    "catalog": "list, explain, prove or refresh what can be had for how much",
    "preflight": "ask Hugging Face whether a stack's plans can be had, before anything is created",
    "preview": "show what an up would change",
    "up": "deploy a stack",
    "refresh": "compare a stack with what really runs",
    "destroy": "take a stack away",
    "import": "take over a thing that exists already",
    "state": "write out, put back, repair or let go of a stack's state",
    "history": "tell what was done to a stack",
    "cancel": "free a stack of the locks of runs that died",
    "outputs": "print a stack's services: URL, key, model",
    "status": "show what every placement of a stack does now",
    "test": "measure a stack: ready, smoke or failover",
    "gateway": "run the gateway from a routes file",
    "twin": "run an emulator of Hugging Face on this machine",
    "doctor": "tell what is installed, reachable, running and missing",
}

_MODULES: Final = {"import": "adopt"}  # a word of the language cannot name a module


def main(argv: list[str] | None = None) -> int:
    """Run one command; returns its exit code (moorage.errors.Exit)."""
    streams.ensure()
    arguments = sys.argv[1:] if argv is None else argv
    try:
        return streams.flushed(_ran(arguments))
    except SystemExit as ended:  # --help, --version, or arguments that are none
        raise SystemExit(streams.flushed(int(ended.code or 0))) from None


def _ran(arguments: list[str]) -> int:
    try:
        # CI cancels a job by SIGTERM: it ends what a person's Ctrl-C would end, in the same order.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        args = _parser(arguments).parse_args(arguments)
        return int(_module(args.command).run(args))
    except MoorageError as error:
        streams.tell(_printable(error))
        return int(error.exit_code)
    except KeyboardInterrupt:
        streams.tell("interrupted")
        return int(Exit.INTERRUPTED)
    except OSError as error:
        if isinstance(error, BrokenPipeError) and streams.has_no_reader():
            return int(Exit.FINE)
        streams.tell(_of_system(error))
        return int(Exit.USAGE)


def _of_system(error: OSError) -> str:
    """What the system refuses: a full disk, a folder that cannot be written, no more files."""
    where = f"{error.filename}: " if error.filename is not None else ""
    return f"{where}{error.strerror or error}"


def _printable(error: MoorageError) -> str:
    """What it says; servers and models may have a word in it, and a terminal obeys none of it."""
    from moorage.deploy.show.values import printable

    return "\n".join(map(printable, str(error).splitlines()))


def _parser(arguments: list[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="moorage", description="Model services from specs: proven, deployed, measured."
    )
    parser.add_argument("--version", action="version", version=f"moorage {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    wanted = next((word for word in arguments if word in COMMANDS), None)
    for name, summary in COMMANDS.items():
        command = commands.add_parser(name, help=summary, description=summary)
        if name == wanted:
            _module(name).configure(command)
    return parser


def _module(command: str) -> _Command:
    name = _MODULES.get(command, command)
    module: _Command = importlib.import_module(f"moorage.cli.{name}")
    return module


class _Command(Protocol):
    def configure(self, parser: argparse.ArgumentParser) -> None: ...

    def run(self, args: argparse.Namespace) -> int: ...
