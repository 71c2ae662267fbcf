"""What one answer was: its outcome, the times of its content, and what the server counted."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from enum import StrEnum
from typing import Any, Final

from loadtests.sse import SseError, SseEvent, SseReader


class Outcome(StrEnum):
    """How an arrival ended; every arrival ends in exactly one."""

    OK = "ok"
    HTTP_3XX = "http_3xx"  # a redirect: never followed, the key would travel with it
    HTTP_4XX = "http_4xx"
    RATE_LIMITED = "rate_limited"
    HTTP_5XX = "http_5xx"
    CONNECT_REFUSED = "connect_refused"
    UNREACHABLE = "unreachable"
    DNS = "dns"
    TLS = "tls"
    CONNECT_TIMEOUT = "connect_timeout"
    TTFT_TIMEOUT = "ttft_timeout"  # nothing of the content within the time for a first token
    STALL = "stall"  # the content began, then nothing more came
    TRUNCATED = "truncated"  # ended without finish_reason and without [DONE]
    RESET = "reset"
    SSE_ERROR = "sse_error"  # the server said in the stream that it failed
    INVALID_JSON = "invalid_json"
    EMPTY = "empty"
    CONTENT_CHECK = "content_check"
    DROPPED = "dropped"  # never sent: the client had too many in flight
    CANCELLED = "cancelled"  # the run ended first
    CLIENT_ERROR = "client_error"  # a fault of the load test itself


def outcome_of_status(status: int) -> Outcome:
    if status == 429:
        return Outcome.RATE_LIMITED
    if status >= 500:
        return Outcome.HTTP_5XX
    if status >= 400:
        return Outcome.HTTP_4XX
    return Outcome.OK if 200 <= status < 300 else Outcome.HTTP_3XX


class StreamAnswer:
    """A streamed chat answer, from its reads; `now` is when a read arrived (CLOCK_MONOTONIC).

    The first token is the first event with content in it: a role, a ping or headers are not.
    """

    def __init__(self) -> None:
        self.first_content_s: float | None = None
        self.last_content_s: float | None = None
        self.content_events = 0
        self.completion_tokens: int | None = None
        self.finish_reason: str | None = None
        self.done = False
        self._fault: Outcome | None = None
        self._reader = SseReader()

    @property
    def is_over(self) -> bool:
        """Nothing that comes from here on can change the answer."""
        return self.done or self._fault is not None

    def feed(self, chunk: bytes, now: float) -> None:
        try:
            for event in self._reader.feed(chunk):
                self._take(event, now)
        except SseError:
            self._fail(Outcome.SSE_ERROR)

    def end(self) -> Outcome:
        """The outcome when the stream ended without a fault of the transport."""
        if any(event.data.strip() == "[DONE]" for event in self._reader.finish()):
            self.done = True
        if self._fault is not None:
            return self._fault
        if not self.done and self.finish_reason is None:
            return Outcome.TRUNCATED
        return Outcome.OK if self.content_events else Outcome.EMPTY

    def _take(self, event: SseEvent, now: float) -> None:
        if self.is_over:
            return
        if event.data.strip() == "[DONE]":
            self.done = True
            return
        payload = _object(event.data)
        if payload is None:
            self._fail(Outcome.INVALID_JSON)
        elif event.name == "error" or payload.get("error"):
            self._fail(Outcome.SSE_ERROR)
        else:
            self._take_payload(payload, now)

    def _take_payload(self, payload: dict[str, Any], now: float) -> None:
        self.completion_tokens = _completion_tokens(payload) or self.completion_tokens
        for choice in _objects(payload.get("choices")):
            self.finish_reason = choice.get("finish_reason") or self.finish_reason
            if _has_content(choice.get("delta")) or choice.get("text"):
                self._take_content(now)
                break

    def _take_content(self, now: float) -> None:
        if self.first_content_s is None:
            self.first_content_s = now
        self.last_content_s = now
        self.content_events += 1

    def _fail(self, fault: Outcome) -> None:
        self._fault = self._fault or fault


def read_chat(body: bytes) -> tuple[Outcome, int | None]:
    """The outcome and the completion tokens of a chat answer that came in one piece."""
    payload = _object(body)
    if payload is None:
        return Outcome.INVALID_JSON, None
    if payload.get("error"):
        return Outcome.CONTENT_CHECK, None
    said = any(
        _has_content(choice.get("message")) or choice.get("text")
        for choice in _objects(payload.get("choices"))
    )
    return (Outcome.OK if said else Outcome.EMPTY), _completion_tokens(payload)


def read_whole(kind: str, body: bytes) -> tuple[Outcome, int | None]:
    """The same of an answer of any kind; only what is generated has tokens."""
    read = _READERS.get(kind)
    return read_chat(body) if read is None else (read(body), None)


def read_embedding(body: bytes) -> Outcome:
    """The outcome of an embeddings answer: a vector, every number of it finite."""
    return _of_rows(body, "data", lambda row: row.get("embedding"), _is_vector)


def read_ranking(body: bytes) -> Outcome:
    """The outcome of a reranking: a finite score for each document."""
    return _of_rows(body, "results", lambda row: row.get("relevance_score"), _is_finite)


def read_image(body: bytes) -> Outcome:
    """The outcome of an images answer: each in base64, or as an address."""
    return _of_rows(body, "data", lambda row: row.get("b64_json") or row.get("url"), _is_text)


_READERS: Final[dict[str, Callable[[bytes], Outcome]]] = {
    "embeddings": read_embedding,
    "rerank": read_ranking,
    "images/generations": read_image,
}


def _of_rows(
    body: bytes,
    name: str,
    value: Callable[[dict[str, Any]], object],
    is_right: Callable[[object], bool],
) -> Outcome:
    payload = _object(body)
    if payload is None:
        return Outcome.INVALID_JSON
    if payload.get("error"):
        return Outcome.CONTENT_CHECK
    values = [value(row) for row in _objects(payload.get(name))]
    if not values or any(one in (None, "", []) for one in values):
        return Outcome.EMPTY
    return Outcome.OK if all(map(is_right, values)) else Outcome.CONTENT_CHECK


def _is_vector(vector: object) -> bool:
    return isinstance(vector, list) and all(map(_is_finite, vector))


def _is_finite(number: object) -> bool:
    return isinstance(number, int | float) and -math.inf < number < math.inf


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _has_content(message: object) -> bool:
    if not isinstance(message, dict):
        return False
    fields = ("content", "reasoning_content", "reasoning", "tool_calls", "refusal")
    return any(message.get(field) for field in fields)


def _completion_tokens(payload: dict[str, Any]) -> int | None:
    usage = payload.get("usage")
    tokens = usage.get("completion_tokens") if isinstance(usage, dict) else None
    return tokens if isinstance(tokens, int) and not isinstance(tokens, bool) else None


def _object(text: str | bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _objects(value: object) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
