"""A small OpenAI-like server on loopback with an exact schedule and every fault of a real one."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

CHUNK_END = b"0\r\n\r\n"


@dataclass(frozen=True, kw_only=True, slots=True)
class Behaviour:
    """How one request is answered."""

    first_s: float = 0.03  # from the request to the first token
    gap_s: float = 0.01  # from token to token
    tokens: int = 8
    usage: bool = True
    backend: str | None = None
    status: int = 200
    body: bytes | None = None  # instead of an answer that fits the request
    fault: str | None = None  # fin, rst, clean-end, error-event, bad-json, stall, buffered, empty
    at_token: int = 3  # where the fault strikes


@dataclass(kw_only=True, slots=True)
class Served:
    """What the server knows of one request (CLOCK_MONOTONIC seconds)."""

    came_s: float
    key: str
    body: dict[str, Any]
    token_s: list[float] = field(default_factory=list)


Choose = Callable[[dict[str, Any], int], Behaviour]


class SseServer:
    def __init__(self, choose: Choose) -> None:
        self.choose = choose
        self.served: dict[str, Served] = {}  # by request id
        self.port = 0
        self.cut = threading.Event()  # set: streams of a backend in `cut_backend` are reset
        self.cut_backend: str | None = None
        self._count = 0
        self._loop = asyncio.new_event_loop()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    async def _serve(self, started: threading.Event, ended: asyncio.Event) -> None:
        server = await asyncio.start_server(self._talk, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        started.set()
        await ended.wait()
        server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await server.wait_closed()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            while await self._answer(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(task)
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        came_s = time.monotonic()
        method, path, _ = head.split("\r\n")[0].split(" ")
        fields = [line.split(": ", 1) for line in head.split("\r\n")[1:] if line]
        headers = {name.lower(): value for name, value in fields}
        raw = await reader.readexactly(int(headers.get("content-length", 0)))
        body = json.loads(raw) if raw else {}
        if method == "GET":
            return await self._whole(writer, "models", 200, b'{"data": [{"id": "m"}]}', None)
        request_id = f"r{self._count}"
        behaviour = self.choose(body, self._count)
        self._count += 1
        key = headers.get("authorization", "")
        self.served[request_id] = Served(came_s=came_s, key=key, body=body)
        if behaviour.status != 200 or not body.get("stream"):
            return await self._not_streamed(writer, request_id, path, behaviour)
        return await self._streamed(writer, request_id, came_s, behaviour)

    async def _not_streamed(
        self, writer: asyncio.StreamWriter, request_id: str, path: str, how: Behaviour
    ) -> bool:
        if how.status == 200:
            await asyncio.sleep(how.first_s)
        if how.fault == "rst":
            reset(writer)
            return False
        if how.fault == "stall":
            await asyncio.sleep(60)
        body = how.body if how.body is not None else whole_answer(path, how)
        return await self._whole(writer, request_id, how.status, body, how.backend)

    async def _whole(
        self, writer: asyncio.StreamWriter, request_id: str, status: int, body: bytes,
        backend: str | None,
    ) -> bool:  # fmt: skip
        head = head_lines(status, request_id, backend, [f"content-length: {len(body)}"])
        writer.write(head + body)
        await writer.drain()
        return True

    async def _streamed(
        self, writer: asyncio.StreamWriter, request_id: str, came_s: float, how: Behaviour
    ) -> bool:
        chunked = ["content-type: text/event-stream", "transfer-encoding: chunked"]
        writer.write(head_lines(200, request_id, how.backend, chunked))
        writer.write(chunk(b": ping\n\n") + event({"choices": [{"delta": {"role": "assistant"}}]}))
        served = self.served[request_id]
        held = b""
        for index in range(0 if how.fault == "empty" else how.tokens):
            await asyncio.sleep(came_s + how.first_s + index * how.gap_s - time.monotonic())
            if index and self.cut.is_set() and how.backend == self.cut_backend:
                reset(writer)
                return False
            if how.fault and index == how.at_token:
                lives_on = await strike(how.fault, writer)
                if lives_on is not None:
                    return lives_on
            token = event({"choices": [{"delta": {"content": f"w{index} "}}]})
            if how.fault == "buffered":
                held += token
            else:
                served.token_s.append(time.monotonic())
                writer.write(token)
        writer.write(held + last_events(how) + CHUNK_END)
        await writer.drain()
        return True


async def strike(fault: str, writer: asyncio.StreamWriter) -> bool | None:
    """The fault in the middle of a stream: whether the connection lives on; None: go on."""
    if fault == "stall":
        await asyncio.sleep(60)
    if fault == "rst":
        reset(writer)
    if fault in ENDINGS:
        writer.write(ENDINGS[fault])
        await writer.drain()
        return True
    return False if fault in ("fin", "rst", "stall") else None


def reset(writer: asyncio.StreamWriter) -> None:
    """Close with a TCP reset, as a killed process does with unread data."""
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def last_events(how: Behaviour) -> bytes:
    finish = event({"choices": [{"delta": {}, "finish_reason": "stop"}]})
    usage = event({"choices": [], "usage": {"completion_tokens": how.tokens}})
    return finish + (usage if how.usage else b"") + chunk(b"data: [DONE]\n\n")


def event(payload: dict[str, Any]) -> bytes:
    return chunk(b"data: " + json.dumps(payload).encode() + b"\n\n")


def chunk(data: bytes) -> bytes:
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


def head_lines(status: int, request_id: str, backend: str | None, more: list[str]) -> bytes:
    lines = [f"HTTP/1.1 {status} X", f"x-request-id: {request_id}", *more]
    if backend is not None:
        lines.append(f"x-moorage-backend: {backend}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def whole_answer(path: str, how: Behaviour) -> bytes:
    if how.status != 200:
        return json.dumps({"error": {"message": "no", "type": "x", "code": how.status}}).encode()
    if path.endswith("/embeddings"):
        return json.dumps({"data": [{"embedding": [0.1, 0.2]}]}).encode()
    message = {"message": {"content": "yes"}, "finish_reason": "stop"}
    return json.dumps({"choices": [message], "usage": {"completion_tokens": how.tokens}}).encode()


# How a stream ends early though its HTTP message is whole.
ENDINGS = {
    "clean-end": CHUNK_END,
    "error-event": event({"error": {"message": "the engine died"}}) + CHUNK_END,
    "bad-json": chunk(b"data: {broken\n\n") + CHUNK_END,
}


@contextlib.contextmanager
def serving(choose: Choose) -> Iterator[SseServer]:
    server = SseServer(choose)
    started, ended = threading.Event(), asyncio.Event()
    loop = server._loop
    thread = threading.Thread(target=lambda: loop.run_until_complete(server._serve(started, ended)))
    thread.start()
    assert started.wait(10)
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join(10)
        loop.close()
