"""One HTTP exchange: an answer or why there is none, within a deadline that always holds."""

from __future__ import annotations

import atexit
import json
import os
import queue
import re
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING, Any, Final

from moorage import __version__
from moorage.provider.handler import Cancelled, Context
from moorage.provider.serving import probe

if TYPE_CHECKING:
    import httpx

_GLANCE_S: Final = 0.05
_LEAST_S: Final = 0.1  # even at the end of a call
_MOST_BYTES: Final = 16 << 20
_MOST_KEPT: Final = 32
_USED_UP: Final = re.compile(r"\br\s*=\s*0\s*;\s*t\s*=\s*(?P<seconds>\d{1,6})\b")  # "api";r=0;t=55

_lock: Final = threading.Lock()
_clients: Final[dict[tuple[int, bool], httpx.Client]] = {}


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """What is sent, and with whose token."""

    method: str
    url: str
    token: str | None = field(default=None, repr=False)
    body: Any = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer(probe.Answer):
    """What came back, with its headers."""

    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def retry_after_s(self) -> float | None:
        """For how long the other side wants to be left alone, by either header that says it."""
        with suppress(ValueError):
            seconds = float(self.headers.get("retry-after", ""))
            return seconds if 0 <= seconds < float("inf") else None
        window = _USED_UP.search(self.headers.get("ratelimit", ""))
        return float(window["seconds"]) if window else None


def exchange(
    question: Question, *, timeout_s: float, given_up: Callable[[], bool] = lambda: False
) -> Answer:
    """The answer; it is asked for in a thread, so that no slow server can hold anybody up."""
    answers: queue.Queue[Answer] = queue.Queue()
    thread = threading.Thread(
        target=lambda: answers.put(_exchange(question, timeout_s)), daemon=True, name="exchange"
    )
    end_s = time.monotonic() + timeout_s
    thread.start()
    while not given_up() and (left_s := end_s - time.monotonic()) > 0:
        with suppress(queue.Empty):
            return answers.get(timeout=min(_GLANCE_S, left_s))
    return Answer(fault="no answer in time")


def ask(question: Question, context: Context, *, longest_s: float) -> Answer:
    """The same within the time of a call, given up as soon as the run is cancelled."""
    timeout_s = min(longest_s, max(context.remaining_s(), _LEAST_S))
    answer = exchange(question, timeout_s=timeout_s, given_up=context.cancelled.is_set)
    if context.cancelled.is_set():
        raise Cancelled
    return answer


def _exchange(question: Question, timeout_s: float) -> Answer:
    import httpx

    try:
        return _answer(question, timeout_s)
    except httpx.TimeoutException:
        return Answer(fault="no answer in time")
    except httpx.ConnectError as error:
        return Answer(fault=f"it cannot be reached ({_words(error)})")
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
        return Answer(fault=f"the connection broke off ({_words(error)})")


def _answer(question: Question, timeout_s: float) -> Answer:
    client = _client(keeps=question.method == "GET")
    end_s = time.monotonic() + timeout_s
    got = bytearray()
    with client.stream(
        question.method,
        question.url,
        content=None if question.body is None else json.dumps(question.body).encode(),
        headers=_headers(question),
        timeout=timeout_s,
    ) as response:
        for chunk in response.iter_bytes():
            got += chunk
            if len(got) > _MOST_BYTES or time.monotonic() > end_s:
                return Answer(fault="its answer is too long or too slow")
        text = got.decode(errors="replace")
        return Answer(status=response.status_code, text=text, headers=dict(response.headers))


def _headers(question: Question) -> dict[str, str]:
    headers = {"Accept": "application/json", "User-Agent": f"moorage/{__version__}"}
    if question.token is not None:
        headers["Authorization"] = f"Bearer {question.token}"
    if question.body is not None:
        headers["Content-Type"] = "application/json"
    return headers | dict(question.headers)


def _client(*, keeps: bool) -> httpx.Client:
    """The connections of this process.

    A write gets a new one each time: on one that was kept, a server that had just closed it would
    leave in doubt whether the write arrived.
    """
    import httpx

    key = os.getpid(), keeps
    with _lock:
        if key not in _clients:
            limits = httpx.Limits(max_keepalive_connections=_MOST_KEPT if keeps else 0)
            # Whoever asks is known by the token alone: a stranger must not come with a cookie
            # that a caller with a token was given before.
            no_cookies = CookieJar(DefaultCookiePolicy(allowed_domains=()))
            _clients[key] = httpx.Client(limits=limits, cookies=no_cookies)
            atexit.register(_clients[key].close)
        return _clients[key]


def _words(error: Exception) -> str:
    """The reason alone: some libraries put the whole exchange into their messages."""
    return " ".join(str(error).split())[:120] or type(error).__name__
