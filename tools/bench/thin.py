"""The thinnest provider that the engine takes: it echoes, and does nothing else.

No schema, no checks, no diffs, no secrets, no deadlines, no cancel, no threads, no log. It loads
the protocol as our own does, without the SDK, so that its start is as short as it can be.
"""

from __future__ import annotations

import asyncio
from typing import Any

import grpc.aio
from google.protobuf.empty_pb2 import Empty

from moorage.provider.protocol import plugin_pb2, provider_pb2, provider_pb2_grpc


class Thin(provider_pb2_grpc.ResourceProviderServicer):
    """The calls that a run makes; all others are answered as not implemented."""

    async def GetPluginInfo(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        """A version, which the engine insists on."""
        return plugin_pb2.PluginInfo(version="0.1.0")

    async def CheckConfig(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        """Echo."""
        return provider_pb2.CheckResponse(inputs=request.news)

    async def Configure(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        """Secrets stay marked, so that an echo is true."""
        return provider_pb2.ConfigureResponse(acceptSecrets=True, supportsPreview=True)

    async def Check(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        """Echo."""
        return provider_pb2.CheckResponse(inputs=request.news)

    async def Create(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        """Echo, under the resource's own name."""
        return provider_pb2.CreateResponse(id=request.name, properties=request.properties)

    async def Cancel(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        """Every run ends with it."""
        return Empty()


async def _serve() -> None:
    server = grpc.aio.server()
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(Thin(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    print(port, flush=True)
    await server.wait_for_termination()


if __name__ == "__main__":
    asyncio.run(_serve())
