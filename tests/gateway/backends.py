"""Small OpenAI-like servers on real sockets whose every answer is a script, good or at fault."""

from __future__ import annotations

import json
import socket
import socketserver
import struct
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self

ROLE = {"choices": [{"index": 0, "delta": {"role": "assistant", "content": None}}]}
DONE = b"data: [DONE]\n\n"


@dataclass(kw_only=True)
class Seen:
    """A request as it reached the backend."""

    method: str
    path: str
    headers: dict[str, str]
    raw: bytes

    @property
    def body(self) -> dict[str, object]:
        body = json.loads(self.raw)
        assert isinstance(body, dict)
        return body


@dataclass(kw_only=True)
class Turn:
    """One request on one connection: what a script answers through."""

    connection: socket.socket
    seen: Seen
    stopping: threading.Event
    hung_up: threading.Event
    count: int

    def send(self, *parts: bytes) -> None:
        for part in parts:
            self.connection.sendall(part)

    def head(self, status: int = 200, **headers: str) -> None:
        lines = [
            f"HTTP/1.1 {status} X",
            *(f"{n.replace('_', '-')}: {v}" for n, v in headers.items()),
        ]
        self.send("\r\n".join([*lines, "", ""]).encode())

    def chunk(self, data: bytes) -> None:
        self.send(f"{len(data):x}\r\n".encode() + data + b"\r\n")

    def wait_for_the_end(self) -> None:
        """Say nothing more until the other side goes or the backend stops."""
        self.connection.settimeout(0.05)
        while not self.stopping.is_set():
            try:
                if not self.connection.recv(1):
                    self.hung_up.set()
                    return
            except TimeoutError:
                continue


Script = Callable[[Turn], bool]  # returns whether the connection is kept


def completion(text: str) -> dict[str, object]:
    message = {"role": "assistant", "content": text}
    return {"object": "chat.completion", "choices": [{"index": 0, "message": message}]}


def says(text: str) -> Script:
    return replies(json.dumps(completion(text)).encode())


def replies(body: bytes, *, status: int = 200, **headers: str) -> Script:
    def script(turn: Turn) -> bool:
        known = {"Content_Type": "application/json", "Content_Length": str(len(body))}
        turn.head(status, **{**known, **headers})
        turn.send(body)
        return True

    return script


def fails(status: int) -> Script:
    return replies(b'{"error": {"message": "as scripted"}}', status=status)


def lists_models(turn: Turn) -> bool:
    return replies(b'{"object": "list", "data": []}')(turn)


def closes(turn: Turn) -> bool:
    return False


def resets(turn: Turn) -> bool:
    reset(turn.connection)
    return False


def hangs(turn: Turn) -> bool:
    turn.wait_for_the_end()
    return False


def cuts_short(turn: Turn) -> bool:
    turn.head(Content_Type="application/json", Content_Length="5000")
    turn.send(b'{"choices": [')
    return False


def resets_inside(turn: Turn) -> bool:
    cuts_short(turn)
    time.sleep(0.05)
    return resets(turn)


def hangs_inside(turn: Turn) -> bool:
    cuts_short(turn)
    return hangs(turn)


def trickles_a_head(turn: Turn) -> bool:
    turn.send(b"HTTP/1.1 200 OK\r\nContent-Ty")
    return hangs(turn)


def talks_nonsense(turn: Turn) -> bool:
    turn.send(b"SSH-2.0-OpenSSH_9.9\r\n")
    return False


def event(body: object) -> bytes:
    return b"data: " + json.dumps(body).encode() + b"\n\n"


def token(text: str) -> bytes:
    return event({"choices": [{"index": 0, "delta": {"content": text}}]})


def streams(*events: bytes, then: Script | None = None, pause_s: float = 0.0) -> Script:
    """Send events as a chunked stream; `then` replaces the orderly end."""

    def script(turn: Turn) -> bool:
        turn.head(Content_Type="text/event-stream; charset=utf-8", Transfer_Encoding="chunked")
        for each in events:
            turn.chunk(each)
            time.sleep(pause_s)
        return (then or ends)(turn)

    return script


def ends(turn: Turn) -> bool:
    """The orderly end of a chunked answer."""
    turn.chunk(b"")
    return True


def tells(*words: str, then: Script | None = None, pause_s: float = 0.0) -> Script:
    """Stream words as a chat: the role first, a finish reason and [DONE] last."""
    finish = event({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    tail = () if then else (finish, DONE)
    events = (event(ROLE), *map(token, words), *tail)
    return streams(*events, then=then, pause_s=pause_s)


def in_turn(*scripts: Script) -> Script:
    """Take one script after the other; the last one stays."""
    left = list(scripts)

    def script(turn: Turn) -> bool:
        return (left.pop(0) if len(left) > 1 else left[0])(turn)

    return script


def reset(connection: socket.socket) -> None:
    """Close with RST instead of FIN."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


class _Connection(socketserver.StreamRequestHandler):
    server: _Listener

    def handle(self) -> None:
        backend = self.server.backend
        count = 0
        try:
            while seen := self._read():
                count += 1
                if not self._answer(backend, seen, count):
                    return
        except (OSError, ValueError):
            return  # the gateway hung up, or the backend is stopping

    def _answer(self, backend: ScriptedBackend, seen: Seen, count: int) -> bool:
        is_probe = seen.path.endswith("/models")
        (backend.probes if is_probe else backend.seen).append(seen)
        turn = Turn(
            connection=self.connection,
            seen=seen,
            stopping=backend.stopping,
            hung_up=backend.hung_up,
            count=count,
        )
        return (backend.probe_script if is_probe else backend.script)(turn)

    def _read(self) -> Seen | None:
        start = self.rfile.readline()
        if not start:
            return None
        method, path, _ = start.decode().split()
        headers: dict[str, str] = {}
        while line := self.rfile.readline().decode().strip():
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        raw = self.rfile.read(int(headers.get("content-length", "0")))
        return Seen(method=method, path=path, headers=headers, raw=raw)


class _Listener(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = False
    request_queue_size = 128

    def __init__(self, backend: ScriptedBackend, port: int) -> None:
        self.backend = backend
        self.open: set[socket.socket] = set()
        super().__init__(("127.0.0.1", port), _Connection)

    def process_request(self, request: object, client_address: object) -> None:
        assert isinstance(request, socket.socket)
        self.open.add(request)
        super().process_request(request, client_address)

    def hang_up(self) -> None:
        for connection in self.open:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue


@dataclass(kw_only=True)
class ScriptedBackend:
    """A server on a port of loopback; enter it to start, leave it to stop every thread of it."""

    script: Script
    probe_script: Script = lists_models
    port: int = 0
    seen: list[Seen] = field(default_factory=list)
    probes: list[Seen] = field(default_factory=list)
    stopping: threading.Event = field(default_factory=threading.Event)
    hung_up: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        self._listener = _Listener(self, self.port)
        self.port = self._listener.server_address[1]
        self._thread = threading.Thread(target=self._listener.serve_forever, args=(0.02,))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        self._listener.shutdown()
        self._listener.hang_up()
        self._listener.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"


def main() -> None:
    """Serve as a process of its own, to be killed: `python -m tests.gateway.backends PORT WORD`."""
    port, word = sys.argv[1:]
    with ScriptedBackend(script=lambda turn: _slowly(turn, word), port=int(port)) as backend:
        print(backend.port, flush=True)
        sys.stdin.read()


def _slowly(turn: Turn, word: str) -> bool:
    """Half an answer, a pause in which a kill hits, the other half."""
    body = json.dumps(completion(word)).encode()
    turn.head(Content_Type="application/json", Content_Length=str(len(body)))
    turn.send(body[:20])
    time.sleep(0.02)
    turn.send(body[20:])
    return True


if __name__ == "__main__":
    main()
