"""`python -m moorage.provider`: the plugin; `locate` and `sweep` find what dead runs left."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final, NoReturn

import grpc.aio
from pulumi.runtime.proto import provider_pb2_grpc

from moorage.provider import locate
from moorage.provider.handlers import HANDLERS, sweep
from moorage.provider.servicer import Provider

_GLANCE_S: Final = 0.5  # how often we look whether the engine still lives
_GRACE_S: Final = 30.0  # for creates in flight to reach the point where their id is known
_MESSAGE_BYTES: Final = 400 * 1024 * 1024  # the engine's own limit


def main() -> int:
    """Serve the engine that started us, or whoever attaches."""
    if sys.argv[1:2] == ["locate"]:
        return locate.main(sys.stdin, sys.stdout)
    if sys.argv[1:2] == ["sweep"]:
        return sweep.main(Path(sys.argv[2]), sys.argv[3], sys.stdout)
    engine = any(":" in argument for argument in sys.argv[1:])
    asyncio.run(_serve(watch_engine=engine))
    return 0


async def _serve(*, watch_engine: bool) -> None:
    limits = [
        ("grpc.max_receive_message_length", _MESSAGE_BYTES),
        ("grpc.max_send_message_length", _MESSAGE_BYTES),
    ]
    server = grpc.aio.server(options=limits)
    provider = Provider(HANDLERS)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(provider, server)
    port = server.add_insecure_port("127.0.0.1:0")
    ended = _end_on_signals()
    await server.start()
    print(port, flush=True)
    await _until(ended, watch_engine=watch_engine)
    provider.cancel()
    await server.stop(_GRACE_S)
    await provider.close()


def _end_on_signals() -> asyncio.Event:
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    return ended


async def _until(ended: asyncio.Event, *, watch_engine: bool) -> None:
    """Until a signal ends us, or the engine that started us is gone."""
    parent = os.getppid()
    while not ended.is_set():
        with suppress(TimeoutError):
            await asyncio.wait_for(ended.wait(), _GLANCE_S)
        if watch_engine and os.getppid() != parent:
            return


def _leave(code: int) -> NoReturn:
    """End now: a handler's thread that cannot be interrupted must not hold us."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    _leave(main())
