"""The Docker daemon that a provider is configured for."""

from __future__ import annotations

import http.client
import os
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any, Final
from urllib.parse import urlsplit

from moorage.errors import MoorageError
from moorage.provider.handler import Context

_DEFAULT: Final = "unix:///var/run/docker.sock"
_ANSWERS_S: Final = 120
_TRY_AGAIN_S: Final = 0.5
_TRIES: Final = 60

Missing: type[Exception]
Refused: type[Exception]


def __getattr__(name: str) -> Any:
    """Docker's errors, which a run that only compares has no use for: its SDK loads slowly."""
    import docker.errors

    try:
        return {"Missing": docker.errors.NotFound, "Refused": docker.errors.APIError}[name]
    except KeyError:
        raise AttributeError(name) from None


@contextmanager
def asked(config: Mapping[str, Any], doing: str) -> Iterator[Any]:
    """A client; what the daemon refuses is told in its words, behind what was being done."""
    import docker

    host = _host(config)
    try:
        by_ssh = host.startswith("ssh://")
        client = docker.DockerClient(host, timeout=_ANSWERS_S, use_ssh_client=by_ssh)
    except (docker.errors.DockerException, OSError) as error:
        raise _unreachable(host, error) from None
    try:
        yield client
    except docker.errors.APIError as error:
        message = f"{doing}: Error response from daemon: {error.explanation}"
        raise MoorageError(message) from None
    except OSError as error:
        raise _unreachable(host, error) from None
    finally:
        client.close()


def ping(config: Mapping[str, Any]) -> None:
    """Ask whether it is there."""
    host = _host(config)
    try:
        with closing(_Connection(host)) as connection:
            connection.request("GET", "/_ping")
            answer = connection.getresponse()
    except (OSError, http.client.HTTPException) as error:
        raise _unreachable(host, error) from None
    if answer.status != http.HTTPStatus.OK:
        raise _unreachable(host, MoorageError(f"{answer.status} {answer.reason}"))


def remove_unused(remove: Callable[[], object], in_use: str, context: Context) -> None:
    """Remove a thing as soon as nobody uses it; one that is gone is fine."""
    import docker.errors

    for _ in range(_TRIES):
        try:
            remove()
        except docker.errors.NotFound:
            return
        except docker.errors.APIError as error:
            if in_use not in str(error):
                raise
            context.pause(_TRY_AGAIN_S)
        else:
            return
    message = f"timeout while waiting for state to become 'removed': {in_use}"
    raise MoorageError(message)


def labelled(labels: list[dict[str, str]] | None) -> dict[str, str]:
    """Labels as Docker takes them."""
    return {one["label"]: one["value"] for one in labels or []}


class _Connection(http.client.HTTPConnection):
    """To a daemon on a port or a socket: a ping needs no more, and a run waits for it."""

    def __init__(self, host: str) -> None:
        self._way = urlsplit(host)
        super().__init__(self._way.netloc or "localhost", timeout=_ANSWERS_S)

    def connect(self) -> None:
        if self._way.scheme != "unix":
            super().connect()
            return
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(_ANSWERS_S)
        self.sock.connect(self._way.path)


def _host(config: Mapping[str, Any]) -> str:
    return str(config.get("host") or os.environ.get("DOCKER_HOST") or _DEFAULT)


def _unreachable(host: str, error: Exception) -> MoorageError:
    return MoorageError(
        f"Error pinging Docker server, please make sure that {host} is reachable"
        f" and has a  '_ping' endpoint. Error: {error}"
    )
