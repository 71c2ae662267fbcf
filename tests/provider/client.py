"""The engine's side of the provider protocol, small: a client, a log, a plugin process."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self

import grpc
import grpc.aio
from google.protobuf.empty_pb2 import Empty
from pulumi.runtime.proto import (
    engine_pb2_grpc,
    plugin_pb2,
    provider_pb2,
    provider_pb2_grpc,
    status_pb2,
)

from moorage import __version__
from moorage.provider.handler import Field, Handler
from moorage.provider.schema import Package
from moorage.provider.servicer import Provider
from moorage.provider.values import Path as ValuePath
from moorage.provider.values import Properties, decode, encode

PATIENCE_S = 30


class EngineEar(engine_pb2_grpc.EngineServicer):
    """An engine that does nothing but hear log lines."""

    def __init__(self) -> None:
        self.lines: list[Any] = []
        self._server = grpc.server(ThreadPoolExecutor(max_workers=4))
        engine_pb2_grpc.add_EngineServicer_to_server(self, self._server)
        self.address = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"

    def Log(self, request: Any, context: Any) -> Any:  # noqa: N802
        self.lines.append(request)
        return Empty()

    def texts(self) -> list[str]:
        """What was said."""
        return [line.message for line in self.lines]

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop(0).wait()


class InitFailed(Exception):  # noqa: N818
    """A partial failure, as the engine would understand it."""

    def __init__(self, details: Any) -> None:
        super().__init__("; ".join(details.reasons))
        self.id: str = details.id
        self.properties: Properties = decode(details.properties)
        self.inputs: Properties = decode(details.inputs)
        self.refresh_before_update: bool = details.refresh_before_update


class Refused(Exception):  # noqa: N818
    """Any other failure; the message is what a user would see."""


@dataclass
class Client:
    """Calls of the protocol with plain dicts."""

    channel: grpc.Channel
    token: str = "moorage:index:Process"
    process: subprocess.Popen[str] | None = None
    secrets: frozenset[ValuePath] = field(default_factory=frozenset)

    def __post_init__(self) -> None:
        self.stub = provider_pb2_grpc.ResourceProviderStub(self.channel)

    @property
    def who(self) -> dict[str, Any]:
        return {"urn": f"urn:pulumi:s::p::{self.token}::web", "type": self.token, "name": "web"}

    def check(self, news: dict[str, Any]) -> tuple[Properties, dict[str, str]]:
        request = provider_pb2.CheckRequest(news=encode(news, self.secrets), **self.who)
        answer = self._call(self.stub.Check, request)
        return decode(answer.inputs), {f.property: f.reason for f in answer.failures}

    def diff(self, olds: dict[str, Any], news: dict[str, Any], **state: Any) -> Any:
        request = provider_pb2.DiffRequest(
            id="x",
            olds=encode({**olds, **state}),
            old_inputs=encode(olds),
            news=encode(news),
            **self.who,
        )
        return self._call(self.stub.Diff, request)

    def create(self, inputs: dict[str, Any], **more: Any) -> Any:
        struct = encode(inputs, self.secrets)
        request = provider_pb2.CreateRequest(properties=struct, **more, **self.who)
        return self._call(self.stub.Create, request)

    def create_later(self, inputs: dict[str, Any], **more: Any) -> Any:
        struct = encode(inputs, self.secrets)
        request = provider_pb2.CreateRequest(properties=struct, **more, **self.who)
        return self.stub.Create.future(request, timeout=PATIENCE_S)

    def read(self, id_: str, state: dict[str, Any], inputs: dict[str, Any]) -> Any:
        request = provider_pb2.ReadRequest(
            id=id_, properties=encode(state), inputs=encode(inputs, self.secrets), **self.who
        )
        return self._call(self.stub.Read, request)

    def update(self, id_: str, state: dict[str, Any], inputs: dict[str, Any], **more: Any) -> Any:
        request = provider_pb2.UpdateRequest(
            id=id_, olds=encode(state), news=encode(inputs, self.secrets), **more, **self.who
        )
        return self._call(self.stub.Update, request)

    def delete(self, id_: str, state: dict[str, Any]) -> None:
        request = provider_pb2.DeleteRequest(id=id_, properties=encode(state), **self.who)
        self._call(self.stub.Delete, request)

    def cancel(self) -> None:
        self._call(self.stub.Cancel, Empty())

    def _call(self, method: Any, request: Any) -> Any:
        try:
            return method(request, timeout=PATIENCE_S)
        except grpc.RpcError as error:
            raise understood(error) from None


def understood(error: Any) -> Exception:
    """A gRPC error as the engine would understand it."""
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin":
            [packed] = status_pb2.Status.FromString(value).details
            details = provider_pb2.ErrorResourceInitFailed()
            assert packed.Unpack(details)
            return InitFailed(details)
    return Refused(error.details())


def package_of(handlers: Mapping[str, Handler], config: Mapping[str, Field]) -> Package:
    """The handlers as our own provider would have them."""
    return Package(
        name="moorage",
        version=__version__,
        description="Tests.",
        handlers=handlers,
        config=config,
    )


@contextmanager
def served(
    ear: EngineEar, config: Mapping[str, Field] = MappingProxyType({})
) -> Iterator[Callable[[Mapping[str, Handler]], Client]]:
    """Providers in this process, each on a loop in a thread."""
    with ExitStack() as stack:

        def start(handlers: Mapping[str, Handler]) -> Client:
            port = stack.enter_context(_on_a_loop(package_of(handlers, config)))
            channel = stack.enter_context(grpc.insecure_channel(f"127.0.0.1:{port}"))
            client = Client(channel, token=next(iter(handlers)))
            client.stub.Attach(plugin_pb2.PluginAttach(address=ear.address))
            return client

        yield start


@contextmanager
def _on_a_loop(package: Package) -> Iterator[int]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def start() -> tuple[int, Any, Provider]:
        server = grpc.aio.server()
        provider = Provider(package)
        provider_pb2_grpc.add_ResourceProviderServicer_to_server(provider, server)
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        return port, server, provider

    async def stop(server: Any, provider: Provider) -> None:
        await provider.close()
        await server.stop(5)

    port, server, provider = asyncio.run_coroutine_threadsafe(start(), loop).result(10)
    try:
        yield port
    finally:
        asyncio.run_coroutine_threadsafe(stop(server, provider), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@contextmanager
def plugin(ear: EngineEar, home: Path, **environment: str) -> Iterator[Client]:
    """The plugin in a process of its own; `home` keeps the user's caches out of it."""
    caches = {"HF_HOME": str(home / "hf"), "XDG_CACHE_HOME": str(home / "cache")}
    with subprocess.Popen(
        [sys.executable, "-m", "moorage.provider", ear.address],
        env={**os.environ, **caches, **environment},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            port = int(process.stdout.readline())
            with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
                client = Client(channel, process=process)
                request = provider_pb2.ProviderHandshakeRequest(engine_address=ear.address)
                assert client.stub.Handshake(request, timeout=10).accept_secrets
                yield client
        finally:
            process.kill()
