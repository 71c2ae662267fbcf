"""One HTTP question to an engine, given up the moment nobody waits for the answer any more.

Engines are asked as the gateway asks them: directly, past any proxy of the environment, by the
standard library alone, which is there before heavier clients are imported.
"""

from __future__ import annotations

import http.client
import json
import queue
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

SLOW: Final = "no answer in time"
_GLANCE_S: Final = 0.05
_MOST_BYTES: Final = 8_000_000  # of an answer: the metrics of many engines at once are long


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """What to ask: POST when there is a body, GET otherwise."""

    url: str
    body: str | None = None
    key: str | None = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What came back: a status with its text, or why there is none."""

    status: int = 0
    text: str = field(default="", repr=False)
    fault: str = ""

    @property
    def is_good(self) -> bool:
        """Whether the server did what was asked."""
        return 200 <= self.status < 300

    @property
    def json(self) -> Any:
        """What the text means; None where it is no JSON."""
        with suppress(ValueError, RecursionError):
            return json.loads(self.text)
        return None

    def __str__(self) -> str:
        text = " ".join(self.text.split())[:200]
        return self.fault or f"{self.status} {text}".strip()


def _never() -> bool:
    return False


def ask(
    question: Question, *, timeout_s: float, given_up: Callable[[], bool] = _never
) -> Answer | None:
    """The answer within the time, or None as soon as `given_up` says that nobody wants it."""
    answers: queue.Queue[Answer] = queue.Queue()
    end_s = time.monotonic() + timeout_s
    try:
        connection = _connection(question.url, timeout_s)
    except (ValueError, http.client.HTTPException):
        return Answer(fault="its address cannot be understood")
    thread = threading.Thread(
        target=lambda: answers.put(_ask(connection, question)), daemon=True, name="probe"
    )
    thread.start()
    while not given_up():
        if time.monotonic() > end_s:  # one that dribbles never times out by itself
            connection.close()
            return Answer(fault=SLOW)
        with suppress(queue.Empty):
            return answers.get(timeout=_GLANCE_S)
    connection.close()
    return None


def _connection(url: str, timeout_s: float) -> http.client.HTTPConnection:
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    return kind(parts.hostname or "", parts.port, timeout=timeout_s)


def _ask(connection: http.client.HTTPConnection, question: Question) -> Answer:
    parts = urlsplit(question.url)
    target = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
    headers = {"Accept": "application/json"}
    if question.key:
        headers["Authorization"] = f"Bearer {question.key}"
    if question.body is not None:
        headers["Content-Type"] = "application/json"
    body = None if question.body is None else question.body.encode()
    try:
        connection.request("GET" if body is None else "POST", target, body, headers)
        response = connection.getresponse()
        text = response.read(_MOST_BYTES).decode(errors="replace")
        return Answer(status=response.status, text=text)
    except (OSError, http.client.HTTPException, ValueError) as error:
        return Answer(fault=_fault(error))
    finally:
        connection.close()


def _fault(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return SLOW
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return "the connection broke off"
