"""Why a backend did not answer, in a few words, and what that means for it and for the client."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

import aiohttp

# What a backend says of us or of itself, not of the client's request: credit, keys, a missing
# model, a busy or slow server. The next backend may do better. Every other 4xx is the client's.
OURS_4XX = frozenset({401, 402, 403, 404, 408, 429})

# What the proxy of Inference Endpoints answers, with 400, for one that is paused: nothing is wrong
# with the request then.
_PAUSED = "Bad Request: Invalid state"

_UNAVAILABLE = HTTPStatus.SERVICE_UNAVAILABLE
_LATE = HTTPStatus.GATEWAY_TIMEOUT
_BAD = HTTPStatus.BAD_GATEWAY

_MEANINGS: tuple[tuple[type[Exception], str, HTTPStatus], ...] = (
    (aiohttp.ConnectionTimeoutError, "connect timed out", _LATE),
    (TimeoutError, "timed out", _LATE),
    (aiohttp.ClientConnectorDNSError, "host not found", _UNAVAILABLE),
    (aiohttp.ClientSSLError, "TLS failed", _BAD),
    (aiohttp.ClientConnectorError, "unreachable", _UNAVAILABLE),
    (aiohttp.ServerDisconnectedError, "closed without an answer", _BAD),
    (aiohttp.ClientPayloadError, "answer cut short", _BAD),
    (aiohttp.ClientResponseError, "answer is not HTTP", _BAD),
    (OSError, "connection reset", _BAD),
    (aiohttp.ClientError, "connection failed", _BAD),
)


class BackendError(Exception):
    """A backend that did not answer; `transport` when not even a whole HTTP answer came."""

    def __init__(self, reason: str, *, status: HTTPStatus = _BAD, transport: bool = False) -> None:
        super().__init__(reason)
        self.status = status
        self.transport = transport


@contextmanager
def translated(late: str = "timed out") -> Iterator[None]:
    """Turn what the network may raise into a BackendError; `late` names what was waited for."""
    try:
        yield
    except (aiohttp.ClientError, OSError) as error:
        raise _fault(error, late) from None


def of_status(status: int) -> BackendError | None:
    """Return the fault that a backend's HTTP status is, None for one that is the client's."""
    if status in OURS_4XX or status < 200 or 300 <= status < 400 or status >= 500:
        unavailable = status in {429, 503}
        return BackendError(f"answered {status}", status=_UNAVAILABLE if unavailable else _BAD)
    return None


def of_body(body: object) -> BackendError | None:
    """Return the fault that a refused request's body tells of the backend itself."""
    if isinstance(body, dict) and body.get("error") == _PAUSED:
        return BackendError("is paused", status=_UNAVAILABLE)
    return None


def _fault(error: Exception, late: str) -> BackendError:
    reason, status = next((r, s) for kind, r, s in _MEANINGS if isinstance(error, kind))
    if reason == "timed out":
        reason = late
    if isinstance(error, aiohttp.ClientConnectorError) and error.errno == errno.ECONNREFUSED:
        reason = "refused"
    return BackendError(reason, status=status, transport=True)
