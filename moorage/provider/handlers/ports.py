"""Which port a process of this machine listens on."""

from __future__ import annotations

import errno
import hashlib
import os
import socket
import time
from typing import Final

# Below the range that kernels give to outgoing connections: what is free now stays free until
# the process has loaded its weights and binds it.
_FIRST: Final = 20000
_COUNT: Final = 12000
_KNOCKS: Final = 4
_KNOCK_S: Final = 2.0
_BETWEEN_S: Final = 0.2
IN_USE: Final = "in use"


def fault(host: str, port: int) -> str | None:
    """Why a server could not listen there now; None when it could."""
    try:
        with socket.create_server((host, port)):
            return None
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return IN_USE
        number = error.errno or 0
        return os.strerror(number) if number > 0 else str(error.strerror)


def is_free(host: str, port: int) -> bool:
    """Whether a server could listen there now."""
    return fault(host, port) is None


def is_refused(host: str, port: int) -> bool:
    """Whether the machine says that nobody listens there.

    Nothing else counts: whoever is busy, or stopped for a while, still listens, since it is the
    kernel that takes calls in. Asked more than once, for a server may open its port anew.
    """
    for _ in range(_KNOCKS):
        try:
            socket.create_connection((host, port), timeout=_KNOCK_S).close()
        except ConnectionRefusedError:
            time.sleep(_BETWEEN_S)
        except OSError:
            return False
        else:
            return False
    return True


def choose(host: str, directory: str) -> int | None:
    """A free port; for one directory the same again while it stays free."""
    start = int.from_bytes(hashlib.sha256(directory.encode()).digest()[:4])
    for step in range(_COUNT):
        port = _FIRST + (start + step) % _COUNT
        if is_free(host, port):
            return port
    return None
