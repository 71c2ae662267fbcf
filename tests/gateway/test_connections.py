"""Whoever holds a connection and does nothing loses it: with no request, or with no reading."""

from __future__ import annotations

import asyncio
from asyncio import StreamReader as Reader
from asyncio import StreamWriter as Writer
from collections.abc import Awaitable, Callable

import pytest
from aiohttp import web

from moorage.gateway import app
from moorage.gateway.app import Server

LARGE = bytes(30_000_000)
ASKS = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"


def drive(story: Callable[[Reader, Writer], Awaitable[None]], *, idle_s: float) -> None:
    """Hold one connection to a server whose answers are large."""

    async def answer(_: web.BaseRequest) -> web.StreamResponse:
        return web.Response(body=LARGE)

    async def run() -> None:
        runner = web.ServerRunner(Server(answer, keepalive_timeout=idle_s))
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        _, port = runner.addresses[0]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            async with asyncio.timeout(10):
                await story(reader, writer)
        finally:
            writer.close()
            await runner.cleanup()

    asyncio.run(run())


@pytest.mark.parametrize("sent", [b"", ASKS[:9]])
def test_who_asks_nothing_is_hung_up_on(sent: bytes) -> None:
    async def story(reader: Reader, writer: Writer) -> None:
        writer.write(sent)
        assert await reader.read() == b""

    drive(story, idle_s=0.1)


def test_who_asks_late_is_answered() -> None:
    async def story(reader: Reader, writer: Writer) -> None:
        for _ in range(2):
            await asyncio.sleep(0.3)
            writer.write(ASKS)
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200")
            await reader.readexactly(len(LARGE))

    drive(story, idle_s=2)


def test_who_does_not_read_is_hung_up_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "ANSWER_DEADLINE_S", 0.3)

    async def story(reader: Reader, writer: Writer) -> None:
        writer.write(ASKS)
        await asyncio.sleep(1)
        assert len(await reader.read()) < len(LARGE)

    drive(story, idle_s=5)
