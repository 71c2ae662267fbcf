"""A plugin: handlers served to Pulumi's engine as a process of its own."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import Final, NoReturn

import grpc.aio

from moorage.errors import MoorageError
from moorage.provider import locate
from moorage.provider.calls import fault_of
from moorage.provider.handler import State
from moorage.provider.package import Package
from moorage.provider.protocol import provider_pb2_grpc
from moorage.provider.servicer import Provider, configured

_GLANCE_S: Final = 0.5  # how often we look whether the engine still lives
_ANSWERS_S: Final = 5.0  # for the answers of cancelled calls to reach the engine
_MESSAGE_BYTES: Final = 400 * 1024 * 1024  # the engine's own limit

_BESIDE: Final = "--beside="

Command = Callable[[Sequence[str]], int]


def main(
    package: Package,
    arguments: Sequence[str] | None = None,
    commands: Mapping[str, Command] | None = None,
    servicer: Callable[[Package], Provider] = Provider,
) -> NoReturn:
    """Serve the engine that started us, or whoever attaches; or answer one of the commands.

    With `--beside=PID` it ends with that process, its parent, as it does with an engine that
    started it; and what it reads are the types that it will be asked about.

    `locate` tells the driver what interrupted creates left; `schema` prints the package schema,
    `resources` the module of its Python classes, and `pages FOLDER` writes its reference there.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    known: dict[str, Command] = {
        "locate": lambda _rest: _locate(package),
        "schema": lambda _rest: _print_schema(package),
        "resources": lambda _rest: _print_classes(package),
        "pages": lambda rest: _write_pages(package, rest),
        **(commands or {}),
    }
    if words and words[0] in known:
        _leave(_answered(known[words[0]], words[1:]))
    engine = next((word for word in words if ":" in word), "")
    guard = next((word.removeprefix(_BESIDE) for word in words if word.startswith(_BESIDE)), "")
    parent = int(guard) if guard.isdecimal() else os.getppid() if engine else None
    if guard:
        Thread(target=_load_ahead, args=(package,), daemon=True).start()
    asyncio.run(_serve(servicer(package), engine, parent))
    _leave(0)


def _load_ahead(package: Package) -> None:
    """Load what calls will need, while there is none yet."""
    for token in sys.stdin.read().split():
        with suppress(Exception):  # told of by the call that needs it
            for name in package.handlers[token].needs:
                import_module(name)


def _answered(command: Command, words: Sequence[str]) -> int:
    """The exit code of a command; the last line on stderr says why where it is not 0."""
    try:
        return command(words)
    except Exception as error:  # noqa: BLE001  it is whoever asked that has to tell it on
        fault = fault_of(error)
        sys.stderr.write(f"{fault.traceback}{fault.message}\n")
        return int(error.exit_code) if isinstance(error, MoorageError) else 1


def _locate(package: Package) -> int:
    def settings(told: State) -> State:
        return configured(package, told)[0]

    return locate.main(package.handlers, sys.stdin, sys.stdout, configured=settings)


def _print_schema(package: Package) -> int:
    from moorage.provider import schema  # these are not imported for a run

    print(json.dumps(schema.build(package), indent=2))
    return 0


def _print_classes(package: Package) -> int:
    from moorage.provider.derived import classes

    print(classes.build(package), end="")
    return 0


def _write_pages(package: Package, folders: Sequence[str]) -> int:
    from moorage.provider.derived import pages

    for folder in folders:
        Path(folder).mkdir(parents=True, exist_ok=True)
        for name, text in pages.build(package).items():
            Path(folder, name).write_text(text, encoding="utf-8")
    return 0


async def _serve(provider: Provider, engine: str, parent: int | None) -> None:
    limits = [
        ("grpc.max_receive_message_length", _MESSAGE_BYTES),
        ("grpc.max_send_message_length", _MESSAGE_BYTES),
    ]
    server = grpc.aio.server(options=limits)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(provider, server)
    port = server.add_insecure_port("127.0.0.1:0")
    ended = _end_on_signals()
    await server.start()
    print(port, flush=True)
    await _until(ended, engine, parent)
    await provider.close()
    await server.stop(_ANSWERS_S)


def _end_on_signals() -> asyncio.Event:
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    return ended


async def _until(ended: asyncio.Event, engine: str, parent: int | None) -> None:
    """Until a signal ends us, or whoever started us is gone."""
    if engine and not await _listens(engine):
        return  # it died while we started, and somebody else has adopted us by now
    while not ended.is_set():
        with suppress(TimeoutError):
            await asyncio.wait_for(ended.wait(), _GLANCE_S)
        if parent is not None and os.getppid() != parent:
            return


async def _listens(address: str) -> bool:
    host, _, port = address.rpartition(":")
    try:
        _, writer = await asyncio.open_connection(host, int(port))
    except (OSError, ValueError):
        return False
    writer.close()
    return True


def _leave(code: int) -> NoReturn:
    """End now: a handler's thread that cannot be interrupted must not hold us."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
