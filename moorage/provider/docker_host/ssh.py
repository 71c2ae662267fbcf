"""A Docker engine behind ssh: the system's own ssh carries every connection, with deadlines.

Docker's SDK can call ssh, too, and then waits for ever: for a password, for a host that is silent,
for an answer. Here ssh has one end of a pair of sockets, so that the other keeps to timeouts.
"""

from __future__ import annotations

import socket
import subprocess
import tempfile
import threading
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import IO, Any, Final
from urllib.parse import urlsplit

from moorage.errors import MoorageError

_CONNECT_S: Final = 10
_OPTIONS: Final = (
    *("-T", "-o", "BatchMode=yes", "-o", f"ConnectTimeout={_CONNECT_S}"),
    *("-o", "ServerAliveInterval=5", "-o", "ServerAliveCountMax=3"),
)
_THERE: Final = "docker system dial-stdio"  # Docker's own way to its socket, wherever that is
_LAST_WORDS_S: Final = 1.0
_END_S: Final = 2.0
_AT_ONCE: Final = 4  # to a host: an ssh server turns some away from the tenth on
_turns: Final[dict[str, threading.Semaphore]] = {}


@dataclass(frozen=True, kw_only=True, slots=True)
class _Call:
    process: subprocess.Popen[bytes]
    errors: IO[bytes] = field(repr=False)


class Line:
    """The way to one host; it ends with all the processes that it has started."""

    def __init__(self, address: str) -> None:
        self._command = ["ssh", *_OPTIONS, *_target(address), _THERE]
        self._calls: list[_Call] = []
        self._turns = _turns.setdefault(address, threading.Semaphore(_AT_ONCE))

    def turn(self) -> AbstractContextManager[object]:
        """For as long as a connection is made: nobody makes too many at once."""
        return self._turns

    def open(self, timeout_s: float) -> socket.socket:
        """A connection to the engine there."""
        ours, theirs = socket.socketpair()
        with theirs:
            self._calls.append(_call(self._command, theirs))
        ours.settimeout(timeout_s)
        return ours

    def last_words(self) -> str:
        """What ssh, or Docker's command there, said when the connection broke off."""
        if not self._calls:
            return ""
        last = self._calls[-1]
        try:
            last.process.wait(_LAST_WORDS_S)
        except subprocess.TimeoutExpired:
            return ""  # it has not broken off; what it said was no reason
        last.errors.seek(0)
        return last.errors.read().decode(errors="replace")

    def close(self) -> None:
        """End every process; its connection is closed already."""
        for call in self._calls:
            call.process.terminate()
            try:
                call.process.wait(_END_S)
            except subprocess.TimeoutExpired:
                call.process.kill()
                call.process.wait()
            call.errors.close()
        self._calls.clear()


def _call(command: list[str], end: socket.socket) -> _Call:
    errors = tempfile.TemporaryFile()  # noqa: SIM115  closed with the line
    try:
        process = subprocess.Popen(
            command,
            stdin=end.fileno(),
            stdout=end.fileno(),
            stderr=errors,
            start_new_session=True,  # a Ctrl-C is ours to deal with
        )
    except FileNotFoundError:
        errors.close()
        message = "ssh is not on this machine; install OpenSSH's client to reach hosts by ssh"
        raise MoorageError(message) from None
    return _Call(process=process, errors=errors)


def _target(address: str) -> list[str]:
    parts = urlsplit(address)
    user = ["-l", parts.username] if parts.username else []
    port = ["-p", str(parts.port)] if parts.port else []
    return [*user, *port, "--", parts.hostname or ""]


def adapter(line: Line, timeout_s: float) -> Any:
    """What has Docker's SDK send its requests along a line."""
    from docker.transport import UnixHTTPAdapter
    from urllib3.connection import HTTPConnection
    from urllib3.connectionpool import HTTPConnectionPool

    class Connection(HTTPConnection):
        def connect(self) -> None:
            self.sock = line.open(timeout_s)

    class Pool(HTTPConnectionPool):
        ConnectionCls = Connection

    pool = Pool("localhost", timeout=timeout_s)

    class Adapter(UnixHTTPAdapter):  # type: ignore[misc]
        def get_connection(self, url: str, proxies: Any = None) -> Pool:  # noqa: ARG002
            return pool

        def close(self) -> None:
            pool.close()
            super().close()

    return Adapter("/", timeout_s)
