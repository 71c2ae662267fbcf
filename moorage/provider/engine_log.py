"""Pulumi's log channel, from any thread."""

from __future__ import annotations

import asyncio
import concurrent.futures
from typing import Any, Final

import grpc
import grpc.aio

from moorage.provider.handler import Severity
from moorage.provider.protocol import engine_pb2, engine_pb2_grpc

_PATIENCE_S: Final = 2.0  # a message is never worth holding up the work


class EngineLog:
    """Lines to the engine, each with the URN of the resource that it is about."""

    def __init__(self) -> None:
        self._address = ""
        self._channel: Any = None
        self._stub: Any = None

    async def connect(self, address: str) -> None:
        """Speak to the engine at this address from now on."""
        if not address or address == self._address:
            return
        await self.close()
        self._address = address
        self._channel = grpc.aio.insecure_channel(address)
        self._stub = engine_pb2_grpc.EngineStub(self._channel)

    async def close(self) -> None:
        """Let go of the engine."""
        if self._channel is not None:
            await self._channel.close()
        self._channel = self._stub = None
        self._address = ""

    def say(
        self,
        loop: asyncio.AbstractEventLoop,
        urn: str,
        severity: Severity,
        text: str,
        newest_only: bool,
    ) -> None:
        """Send a line from a thread; returns when it is sent, so that lines keep their order."""
        sending = asyncio.run_coroutine_threadsafe(
            self.say_later(urn, severity, text, newest_only=newest_only), loop
        )
        try:
            sending.result(timeout=_PATIENCE_S)
        except concurrent.futures.TimeoutError:
            sending.cancel()

    async def say_later(
        self, urn: str, severity: Severity, text: str, *, newest_only: bool = False
    ) -> None:
        """Send a line; an engine that does not listen is no fault of the work."""
        if self._stub is None:
            return
        level: Any = int(severity)
        line = engine_pb2.LogRequest(severity=level, message=text, urn=urn, ephemeral=newest_only)
        try:
            await self._stub.Log(line, timeout=_PATIENCE_S)
        except grpc.RpcError:
            return
