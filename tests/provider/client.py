"""Our own provider to talk to: in this process, or as the plugin that the engine starts."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

import grpc

from moorage import __version__
from moorage.provider.handler import Field, Handler
from moorage.provider.package import Package
from moorage.provider.protocol import provider_pb2
from moorage.provider.testing import client as testing
from moorage.provider.testing.client import Client, EngineEar, InitFailed, Refused, understood

__all__ = ["Client", "EngineEar", "InitFailed", "Refused", "plugin", "served", "understood"]


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
    with testing.served(ear) as start:
        yield lambda handlers: start(package_of(handlers, config))


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
