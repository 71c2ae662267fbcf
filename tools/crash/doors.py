"""A door before a Docker engine: whatever is asked of the engine passes through it."""

from __future__ import annotations

import http.client
import re
import socket
import socketserver
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Final, cast

_READS: Final = ("GET", "HEAD")
_NOT_PASSED_ON: Final = frozenset({"transfer-encoding", "connection", "content-length"})
_PATIENCE_S: Final = 120

# Of a write that was done (method, path, status): whether nobody is there to hear of it.
Watch = Callable[[str, str, int], bool]


@contextmanager
def opened(engine: str, watch: Watch) -> Iterator[str]:
    """The socket of a door to the engine's own, while the block runs."""
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/docker.sock"
        with _Door(path, _Asked) as door:
            door.engine, door.watch = engine, watch
            threading.Thread(target=door.serve_forever, args=(0.02,), daemon=True).start()
            try:
                yield path
            finally:
                door.shutdown()


class _Door(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    engine: str
    watch: Watch

    def handle_error(self, *_: object) -> None:
        """An asker that was killed."""


class _Upstream(http.client.HTTPConnection):
    """Docker's own socket."""

    def __init__(self, path: str) -> None:
        super().__init__("docker", timeout=_PATIENCE_S)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self._path)


class _Asked(BaseHTTPRequestHandler):
    """Passes a request on, and its answer back."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = False  # there is none on a socket of the machine

    def address_string(self) -> str:
        return "somebody"

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""

    def _pass(self) -> None:
        door = cast("_Door", self.server)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        upstream = _Upstream(door.engine)
        upstream.request(self.command, self.path, body, dict(self.headers))
        answer = upstream.getresponse()
        told = answer.read()
        upstream.close()
        path = re.sub(r"^/v[0-9.]+", "", self.path)
        if self.command not in _READS and door.watch(self.command, path, answer.status):
            self.close_connection = True
            return
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in _NOT_PASSED_ON:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(told)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(told)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = _pass  # noqa: N815  as its class calls them
