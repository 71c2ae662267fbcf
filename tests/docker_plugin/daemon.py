"""The Docker daemon that a provider is configured for."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import docker

from moorage.errors import MoorageError
from moorage.provider.handler import Context

Missing: Final = docker.errors.NotFound
Refused: Final = docker.errors.APIError
_DEFAULT: Final = "unix:///var/run/docker.sock"
_ANSWERS_S: Final = 120
_TRY_AGAIN_S: Final = 0.5
_TRIES: Final = 60


@contextmanager
def asked(config: Mapping[str, Any], doing: str) -> Iterator[Any]:
    """A client; what the daemon refuses is told in its words, behind what was being done."""
    host = config.get("host") or os.environ.get("DOCKER_HOST") or _DEFAULT
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
    with asked(config, "Error pinging Docker server") as client:
        client.ping()


def remove_unused(remove: Callable[[], object], in_use: str, context: Context) -> None:
    """Remove a thing as soon as nobody uses it; one that is gone is fine."""
    for _ in range(_TRIES):
        try:
            remove()
        except Missing:
            return
        except Refused as error:
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


def _unreachable(host: str, error: Exception) -> MoorageError:
    return MoorageError(
        f"Error pinging Docker server, please make sure that {host} is reachable"
        f" and has a  '_ping' endpoint. Error: {error}"
    )
