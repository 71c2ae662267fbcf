"""The Hub by huggingface_hub: every call within a deadline, every fault as one line."""

from __future__ import annotations

import os
import queue
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Final

from moorage.errors import MoorageError
from moorage.provider.handler import Cancelled, Context, OutOfTime
from moorage.provider.hugging_face import client, faults, patience
from moorage.provider.hugging_face.client import Refused, Unknown
from moorage.provider.hugging_face.exchange import Answer
from moorage.provider.hugging_face.faults import Asked

if TYPE_CHECKING:
    from huggingface_hub import HfApi

SCOPE: Final = "repo.write"
NOT_FOUND: Final = 404
_USUAL_URL: Final = "https://huggingface.co"
_CALL_S: Final = 30.0
_UPLOAD_S: Final = 3600.0  # of all files of a commit; the connection itself may rest for _CALL_S
_GLANCE_S: Final = 0.05
_NO_ANSWER: Final = "no answer in time"


@dataclass(frozen=True, kw_only=True, slots=True)
class Hub:
    """Where the Hub is, and the token that it is asked with."""

    url: str
    token: str = field(repr=False)

    @property
    def api(self) -> HfApi:
        """The library's own client, asked here for what it can say."""
        from huggingface_hub import HfApi

        _quiet()
        return HfApi(endpoint=self.url, token=self.token)

    def asked(self, what: str, account: str, scope: str = SCOPE) -> Asked:
        """How a message names what was asked for."""
        return Asked(what=what, account=account, token=self.token, scope=scope)


@dataclass(frozen=True, kw_only=True, slots=True)
class Done:
    """A write that was made, and what the Hub answered."""

    value: Any = field(default=None, repr=False)


Outcome = Done | Refused | Unknown
Call = Callable[["HfApi"], Any]


def hub() -> Hub:
    """The Hub of the environment, with the token that deploys."""
    url = os.environ.get("HF_ENDPOINT") or _USUAL_URL
    return Hub(url=url.rstrip("/"), token=client.deploying_token())


def read(at: Hub, asked: Asked, call: Call, context: Context) -> Any:
    """What a call reads; None for what is not there."""
    ask = partial(_within, at, call, context, _CALL_S, given_up=context.cancelled.is_set)
    answer = patience.read(ask, asked.what, context)
    if isinstance(answer, _Kept):
        return answer.value
    if answer.status == NOT_FOUND:
        return None
    return faults.fail(answer, asked)


def write(at: Hub, asked: Asked, call: Call, context: Context) -> Outcome:
    """Send it once. A cancel does not end it: then nobody would know what it did."""
    ask = partial(_within, at, call, context, _CALL_S)
    return _outcome(patience.in_turn(ask, asked.what, context), asked)


def commit(at: Hub, asked: Asked, call: Call, context: Context) -> Outcome:
    """A write that carries files and may take long, so a cancel ends the wait for it."""
    given_up = context.cancelled.is_set
    ask = partial(_within, at, call, context, _UPLOAD_S, given_up=given_up)
    return _outcome(patience.in_turn(ask, asked.what, context), asked)


def _outcome(answer: Answer, asked: Asked) -> Outcome:
    """A lost answer is no failure yet: whoever asked looks."""
    if isinstance(answer, _Kept):
        return Done(value=answer.value)
    if faults.leaves_doubt(answer):
        return Unknown(answer=answer, asked=asked)
    return Refused(answer=answer, asked=asked)


def post(path: str, body: Mapping[str, Any]) -> Call:
    """A POST for which the library has no call, or one that never ends."""

    def call(api: HfApi) -> Any:
        from huggingface_hub.utils._headers import build_hf_headers
        from huggingface_hub.utils._http import get_session, hf_raise_for_status

        headers = build_hf_headers(token=api.token)
        response = get_session().post(f"{api.endpoint}{path}", headers=headers, json=dict(body))
        hf_raise_for_status(response)
        return response.json()

    return call


def glance(at: Hub, call: Call, context: Context, *, within_s: float) -> Any:
    """What a call reads that only decorates a message; None when it does not work at once."""
    with suppress(MoorageError):
        answer = _within(at, call, context, within_s, given_up=context.cancelled.is_set)
        return answer.value if isinstance(answer, _Kept) else None
    return None


@dataclass(frozen=True, kw_only=True, slots=True)
class _Kept(Answer):
    """A good answer, together with what the library made of it."""

    value: Any = None

    @property
    def json(self) -> Any:
        """It was understood already."""
        return {}


def _within(
    at: Hub,
    call: Call,
    context: Context,
    longest_s: float,
    *,
    given_up: Callable[[], bool] = lambda: False,
) -> Answer:
    """The answer to a call in a thread of its own, so that no slow server can hold it up."""
    api = at.api
    answers: queue.Queue[Answer] = queue.Queue()
    thread = threading.Thread(target=lambda: answers.put(_tried(call, api)), daemon=True)
    end_s = time.monotonic() + min(longest_s, context.remaining_s())
    thread.start()
    while (left_s := end_s - time.monotonic()) > 0:
        with suppress(queue.Empty):
            return answers.get(timeout=min(_GLANCE_S, left_s))
        if given_up():
            raise Cancelled
    if context.remaining_s() <= 0:
        raise OutOfTime("the time for it is over; run up again, or set customTimeouts")
    return Answer(fault=_NO_ANSWER)


def _tried(call: Call, api: HfApi) -> Answer:
    """What the library gives, or whatever it may raise, as an answer."""
    try:
        return _Kept(status=200, value=call(api))
    except Exception as error:  # noqa: BLE001  its own kinds, its transport's, and a strange answer's
        return _understood(error)


def _understood(error: BaseException) -> Answer:
    import httpx2
    from huggingface_hub.errors import HfHubHTTPError

    if isinstance(error, HfHubHTTPError):
        headers = {name.lower(): value for name, value in error.response.headers.items()}
        return Answer(status=error.response.status_code, text=_text(error), headers=headers)
    if isinstance(error, httpx2.TimeoutException):
        return Answer(fault=_NO_ANSWER)
    if isinstance(error, httpx2.ConnectError):
        return Answer(fault=f"it cannot be reached ({_words(error)})")
    if isinstance(error, (httpx2.HTTPError, OSError)):
        return Answer(fault=f"the connection broke off ({_words(error)})")
    if isinstance(error, RuntimeError) and error.__cause__ is not None:
        return _understood(error.__cause__)  # an upload, wrapped
    return _misunderstood(error)


def _misunderstood(error: BaseException) -> Answer:
    """The library refuses what it was given, or cannot read what was answered."""
    import json

    if isinstance(error, ValueError) and not isinstance(error, json.JSONDecodeError):
        return Answer(status=422, text=json.dumps({"error": _words(error)}))
    return Answer(fault=f"what answers is not the Hub ({type(error).__name__})")


def _text(error: Any) -> str:
    try:
        return str(error.response.text)
    except Exception:  # noqa: BLE001  of a stream that was never read
        return ""


def _words(error: BaseException) -> str:
    """The reason alone."""
    return " ".join(str(error).split())[:200] or type(error).__name__


@cache
def _quiet() -> None:
    """Finite timeouts for the whole library, which has none, and no lines among the engine's."""
    import httpx2
    from huggingface_hub import set_client_factory
    from huggingface_hub.utils import logging
    from huggingface_hub.utils._http import hf_request_event_hook
    from huggingface_hub.utils.tqdm import disable_progress_bars

    set_quiet: Any = logging.set_verbosity_error
    set_quiet()
    disable_progress_bars()

    def client_with_timeout() -> httpx2.Client:
        return httpx2.Client(
            event_hooks={"request": [hf_request_event_hook]},
            follow_redirects=True,
            timeout=_CALL_S,
        )

    set_client_factory(client_with_timeout)
