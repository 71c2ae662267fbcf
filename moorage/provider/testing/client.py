"""The engine's side of the provider protocol, small, for tests: a client, an ear for log lines."""

from __future__ import annotations

import asyncio
import subprocess
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, Self

import grpc
import grpc.aio
from google.protobuf.empty_pb2 import Empty

from moorage.provider.package import Package
from moorage.provider.protocol import (
    engine_pb2_grpc,
    plugin_pb2,
    provider_pb2,
    provider_pb2_grpc,
    status_pb2,
)
from moorage.provider.servicer import Provider
from moorage.provider.values import Path as ValuePath
from moorage.provider.values import Properties, decode, encode

PATIENCE_S: Final = 60.0


class EngineEar(engine_pb2_grpc.EngineServicer):
    """An engine that does nothing but hear log lines."""

    def __init__(self) -> None:
        self.lines: list[Any] = []
        self._server = grpc.server(ThreadPoolExecutor(max_workers=4))
        engine_pb2_grpc.add_EngineServicer_to_server(self, self._server)
        self.address = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"

    def Log(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        """Keep the line."""
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
        self.details = details
        self.id: str = details.id
        self.properties: Properties = decode(details.properties)
        self.inputs: Properties = decode(details.inputs)
        self.refresh_before_update: bool = details.refresh_before_update


class Refused(Exception):  # noqa: N818
    """Any other failure; the message is what a user would see."""


@dataclass
class Client:
    """Calls of the protocol with plain dicts; `secrets` are the paths to be marked so."""

    channel: grpc.Channel
    token: str = "moorage:index:Process"  # noqa: S105  a resource type
    process: subprocess.Popen[str] | None = None
    secrets: frozenset[ValuePath] = field(default_factory=frozenset)
    heard: list[Any] = field(default_factory=list)  # every answer and every fault
    config: dict[str, Any] = field(default_factory=dict)  # of the provider

    def __post_init__(self) -> None:
        self.stub = provider_pb2_grpc.ResourceProviderStub(self.channel)

    @property
    def who(self) -> dict[str, Any]:
        """The resource that all calls are about."""
        return who(self.token)

    def configure(self, config: dict[str, Any]) -> None:
        """Begin a run with this configuration of the provider."""
        self.config = config
        self._call(self.stub.Configure, provider_pb2.ConfigureRequest(args=encode(config)))

    def check(self, news: dict[str, Any]) -> tuple[Properties, dict[str, str]]:
        """The inputs with defaults, and the failures by property."""
        answer = self._call(self.stub.Check, self.check_request(news))
        return decode(answer.inputs), {f.property: f.reason for f in answer.failures}

    def check_request(self, news: dict[str, Any]) -> Any:
        """What check sends."""
        return provider_pb2.CheckRequest(news=encode(news, self.secrets), **self.who)

    def diff(self, olds: dict[str, Any], news: dict[str, Any], /, **state: Any) -> Any:
        """What an update from the old inputs and their state to the new inputs would do."""
        return self._call(self.stub.Diff, self.diff_request(olds, news, **state))

    def diff_request(self, olds: dict[str, Any], news: dict[str, Any], /, **state: Any) -> Any:
        """What diff sends."""
        return provider_pb2.DiffRequest(
            id="x",
            olds=encode({**olds, **state}),
            old_inputs=encode(olds),
            news=encode(news),
            **self.who,
        )

    def create(self, inputs: dict[str, Any], **more: Any) -> Any:
        """Create, or preview it."""
        return self._call(self.stub.Create, self.create_request(inputs, **more))

    def create_later(self, inputs: dict[str, Any], **more: Any) -> Any:
        """A create in the background, as a future."""
        return self.stub.Create.future(self.create_request(inputs, **more), timeout=PATIENCE_S)

    def create_request(self, inputs: dict[str, Any], **more: Any) -> Any:
        """What create sends."""
        struct = encode(inputs, self.secrets)
        return provider_pb2.CreateRequest(properties=struct, **more, **self.who)

    def read(self, id_: str, state: dict[str, Any], inputs: dict[str, Any]) -> Any:
        """Look at the thing; by its id alone with no state and no inputs."""
        request = provider_pb2.ReadRequest(
            id=id_, properties=encode(state), inputs=encode(inputs, self.secrets), **self.who
        )
        return self._call(self.stub.Read, request)

    def update(self, id_: str, state: dict[str, Any], inputs: dict[str, Any], **more: Any) -> Any:
        """Update, or preview it."""
        return self._call(self.stub.Update, self.update_request(id_, state, inputs, **more))

    def update_request(
        self, id_: str, state: dict[str, Any], inputs: dict[str, Any], **more: Any
    ) -> Any:
        """What update sends."""
        return provider_pb2.UpdateRequest(
            id=id_, olds=encode(state), news=encode(inputs, self.secrets), **more, **self.who
        )

    def delete(self, id_: str, state: dict[str, Any]) -> None:
        """Take the thing away, in a run of its own: in one with its creation it would stay."""
        self.configure(self.config)
        self._call(self.stub.Delete, self.delete_request(id_, state))

    def delete_request(self, id_: str, state: dict[str, Any]) -> Any:
        """What delete sends."""
        return provider_pb2.DeleteRequest(id=id_, properties=encode(state), **self.who)

    def cancel(self) -> None:
        """End all waiting."""
        self._call(self.stub.Cancel, Empty())

    def _call(self, method: Any, request: Any) -> Any:
        return self.wait_for(method.future(request, timeout=PATIENCE_S))

    def wait_for(self, call: Any) -> Any:
        """The answer of a call that was begun."""
        try:
            self.heard.append(call.result())
        except grpc.RpcError as error:
            fault = understood(error)
            self.heard.append(fault)
            raise fault from None
        return self.heard[-1]


def who(token: str) -> dict[str, Any]:
    """A resource of this type, as requests name it."""
    return {"urn": f"urn:pulumi:s::p::{token}::web", "type": token, "name": "web"}


def understood(error: Any) -> Exception:
    """A gRPC error as the engine would understand it."""
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin":
            return init_failed(value)
    return Refused(error.details())


def init_failed(packed: bytes) -> InitFailed:
    """The partial failure in the details of a status."""
    details = provider_pb2.ErrorResourceInitFailed()
    [only] = status_pb2.Status.FromString(packed).details
    if not only.Unpack(details):
        raise AssertionError("the details of the status are no partial failure")
    return InitFailed(details)


@contextmanager
def served(ear: EngineEar) -> Iterator[Callable[[Package], Client]]:
    """Providers in this process, each on a loop in a thread."""
    with ExitStack() as stack:

        def start(package: Package) -> Client:
            port = stack.enter_context(_on_a_loop(package))
            channel = stack.enter_context(grpc.insecure_channel(f"127.0.0.1:{port}"))
            client = Client(channel, token=next(iter(package.handlers)))
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
        asyncio.run_coroutine_threadsafe(stop(server, provider), loop).result(60)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
