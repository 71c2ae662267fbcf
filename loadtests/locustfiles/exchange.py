"""One request on a raw gevent connection: it ends in one outcome, with the time of every step."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import gevent
from geventhttpclient.response import HTTPConnectionClosed, HTTPParseError

from loadtests.answer import Outcome, StreamAnswer, outcome_of_status, read_whole
from loadtests.ask import Ask
from loadtests.settings import Settings

_MAX_BODY_BYTES = 32 << 20
_READ_BYTES = 1 << 16
_END_OF_MESSAGE_S = 0.5  # how long the HTTP message may outlive [DONE] before we hang up


@dataclass(kw_only=True, slots=True)
class Draft:
    """A row in the making."""

    intended_s: float
    streamed: bool
    sent_s: float | None = None
    first_token_s: float | None = None
    last_token_s: float | None = None
    end_s: float | None = None
    status: int | None = None
    backend: str | None = None
    request_id: str | None = None
    completion_tokens: int | None = None
    content_events: int = 0


class Late(Exception):  # noqa: N818 - what happened, not an error of ours
    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.value)
        self.outcome = outcome


def exchange(
    client: Any, path: str, asked: Ask, headers: Mapping[str, str], limits: Settings, draft: Draft
) -> Outcome:
    """Send, read to the end, tell the outcome; whatever the network does, nothing is raised."""
    draft.sent_s = time.monotonic()
    try:
        return _exchange(client, path, asked, headers, limits, draft)
    except Exception as error:  # noqa: BLE001 - every fault is an outcome; none may lose its row
        return _outcome_of(error, draft)
    finally:
        draft.end_s = draft.end_s or time.monotonic()


def _exchange(
    client: Any, path: str, asked: Ask, headers: Mapping[str, str], limits: Settings, draft: Draft
) -> Outcome:
    sent_s = draft.sent_s or 0.0
    deadline_s = sent_s + limits.total_timeout_s
    first_by_s = min(deadline_s, sent_s + limits.first_token_timeout_s)
    begin_by_s = first_by_s if asked.streamed else deadline_s
    with _until(begin_by_s, Outcome.TTFT_TIMEOUT):
        response = client.request("POST", path, body=asked.body, headers=dict(headers))
    try:
        draft.status = response.status_code
        draft.backend = _header(response, "x-moorage-backend")
        draft.request_id = _header(response, "x-request-id")
        if (refused := outcome_of_status(response.status_code)) is not Outcome.OK:
            _body(response, deadline_s, draft)
            return refused
        if asked.streamed:
            return _stream(response, first_by_s, deadline_s, limits.stall_timeout_s, draft)
        return _whole(response, asked, deadline_s, draft)
    finally:
        response.release()


def _stream(
    response: Any, first_by_s: float, deadline_s: float, stall_s: float, draft: Draft
) -> Outcome:
    answer = StreamAnswer()

    def read_by() -> tuple[float, Outcome]:
        if answer.first_content_s is None:
            return first_by_s, Outcome.TTFT_TIMEOUT
        return min(deadline_s, time.monotonic() + stall_s), Outcome.STALL

    try:
        for chunk, now in _reads(response, read_by):
            answer.feed(chunk, now)
            draft.end_s = now
            if answer.is_over:
                break
        return answer.end()
    except Exception:
        draft.end_s = time.monotonic()
        raise
    finally:
        draft.first_token_s = answer.first_content_s
        draft.last_token_s = answer.last_content_s
        draft.content_events = answer.content_events
        draft.completion_tokens = answer.completion_tokens
        if answer.done:
            _leave_reusable(response)


def _whole(response: Any, asked: Ask, deadline_s: float, draft: Draft) -> Outcome:
    body = _body(response, deadline_s, draft)
    outcome, draft.completion_tokens = read_whole(asked.kind, body)
    return outcome


def _body(response: Any, deadline_s: float, draft: Draft) -> bytes:
    body = bytearray()
    for chunk, now in _reads(response, lambda: (deadline_s, Outcome.STALL)):
        body += chunk
        draft.end_s = now
        if len(body) > _MAX_BODY_BYTES:
            raise Late(Outcome.CONTENT_CHECK)
    return bytes(body)


def _reads(
    response: Any, read_by: Callable[[], tuple[float, Outcome]]
) -> Iterator[tuple[bytes, float]]:
    """What each read of the socket brought, and when.

    geventhttpclient's own read(n) waits for n bytes and would report the first token late, so
    its buffer is drained by hand after every receive.
    """
    now = time.monotonic()
    while True:
        if buffered := bytes(response._body_buffer):  # noqa: SLF001 - see above
            del response._body_buffer[:]  # noqa: SLF001
            yield buffered, now
        if response.message_complete:
            return
        with _until(*read_by()):
            received = response._sock.recv(_READ_BYTES)  # noqa: SLF001
        now = time.monotonic()
        response.feed(received)  # raises when the connection ended inside the message
        if not received and not response.message_complete:
            raise HTTPParseError("the connection ended inside the message")


def _leave_reusable(response: Any) -> None:
    """Read past [DONE] to the end of the HTTP message, so that the connection can serve again."""
    by_s = time.monotonic() + _END_OF_MESSAGE_S
    try:
        for _ in _reads(response, lambda: (by_s, Outcome.STALL)):
            pass
    except (Late, HTTPParseError, OSError):
        return  # the answer is complete; only this connection is lost


def _until(at_s: float, outcome: Outcome) -> Any:
    return gevent.Timeout(max(0.001, at_s - time.monotonic()), Late(outcome))


def _header(response: Any, name: str) -> str | None:
    value = response.get(name)
    first = value[0] if isinstance(value, list) else value
    return None if first is None else str(first)


def _outcome_of(error: Exception, draft: Draft) -> Outcome:
    if isinstance(error, Late):
        return error.outcome
    if draft.status is None:
        return _outcome_before_answer(error)
    if isinstance(error, HTTPParseError):
        return Outcome.TRUNCATED
    if isinstance(error, TimeoutError):
        return Outcome.STALL
    return Outcome.RESET if isinstance(error, OSError) else Outcome.CLIENT_ERROR


def _outcome_before_answer(error: Exception) -> Outcome:
    # The first kind that fits wins: most of these are kinds of OSError.
    kinds: tuple[tuple[type[Exception], Outcome], ...] = (
        (ConnectionRefusedError, Outcome.CONNECT_REFUSED),
        (socket.gaierror, Outcome.DNS),
        (ssl.SSLError, Outcome.TLS),
        (TimeoutError, Outcome.CONNECT_TIMEOUT),
        (ConnectionError, Outcome.RESET),
        (HTTPConnectionClosed, Outcome.RESET),
        (HTTPParseError, Outcome.RESET),
        (OSError, Outcome.UNREACHABLE),
    )
    return next((to for kind, to in kinds if isinstance(error, kind)), Outcome.CLIENT_ERROR)
