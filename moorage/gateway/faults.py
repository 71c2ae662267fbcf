"""Why a backend did not answer, in a few words, and what that means for it and for the client."""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

import aiohttp

# What a backend says of us or of itself, not of the client's request: credit, keys, a missing
# model, a busy or slow server. The next backend may do better. Every other 4xx is the client's.
OURS_4XX = frozenset({401, 402, 403, 404, 408, 409, 425, 429})

# What the proxy of Inference Endpoints answers, with 400, for one that is paused: nothing is wrong
# with the request then.
_PAUSED = "Bad Request: Invalid state"

# What the router to Inference Providers answers, with 400, where a provider that is pinned has the
# model no more, or was flagged: as an object with a code, or on a provider's own path as a text.
_NOT_OFFERED = "model_not_supported"
_NOT_OFFERED_SAYS = "Model not supported by provider"

_SECONDS = re.compile(r"[0-9]{1,6}")
_SOON_S = 1

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

    def __init__(
        self,
        reason: str,
        *,
        status: HTTPStatus = _BAD,
        transport: bool = False,
        again_s: int = _SOON_S,
    ) -> None:
        super().__init__(reason)
        self.status = status
        self.transport = transport
        self.again_s = again_s  # after which it may be asked again


@contextmanager
def translated(late: str = "timed out") -> Iterator[None]:
    """Turn what the network may raise into a BackendError; `late` names what was waited for."""
    try:
        yield
    except (aiohttp.ClientError, OSError) as error:
        raise _fault(error, late) from None


def of_status(status: int, retry_after: str | None = None) -> BackendError | None:
    """Return the fault that a backend's HTTP status is, None for one that is the client's."""
    if status in OURS_4XX or status < 200 or 300 <= status < 400 or status >= 500:
        return BackendError(
            f"answered {status}",
            status=_UNAVAILABLE if status in {429, 503} else _BAD,
            again_s=_seconds(retry_after),
        )
    return None


def of_body(body: object) -> BackendError | None:
    """Return the fault that a refused request's body tells of the backend itself."""
    error = body.get("error") if isinstance(body, dict) else None
    if error == _PAUSED:
        return BackendError("is paused", status=_UNAVAILABLE)
    if _is_not_offered(error):
        return BackendError("does not offer the model")
    return None


def _is_not_offered(error: object) -> bool:
    if isinstance(error, dict):
        return error.get("code") == _NOT_OFFERED
    return isinstance(error, str) and error.startswith(_NOT_OFFERED_SAYS)


def _seconds(retry_after: str | None) -> int:
    """Of a Retry-After in seconds; a date is not waited for."""
    if retry_after is None or not _SECONDS.fullmatch(retry_after):
        return _SOON_S
    return max(int(retry_after), _SOON_S)


def _fault(error: Exception, late: str) -> BackendError:
    reason, status = next((r, s) for kind, r, s in _MEANINGS if isinstance(error, kind))
    if reason == "timed out":
        reason = late
    if isinstance(error, aiohttp.ClientConnectorError) and error.errno == errno.ECONNREFUSED:
        reason = "refused"
    return BackendError(reason, status=status, transport=True)
