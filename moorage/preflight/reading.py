"""JSON from Hugging Face, each question within a deadline and asked again once."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, Final, NoReturn

from moorage.errors import Exit, MoorageError

if TYPE_CHECKING:
    import httpx

_DEADLINE_S: Final = 15.0
_PAUSES_S: Final = (0.5, 1.5)
_TRANSIENT: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
_TOO_OFTEN: Final = 429
_MOST_BYTES: Final = 64 << 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """A status and the JSON that came with it."""

    status: int
    body: Any = field(default=None, repr=False)

    @property
    def is_good(self) -> bool:
        """Whether it was answered."""
        return self.status == 200


def read(url: str, *, token: str | None, query: Mapping[str, str] | None = None) -> Answer:
    """The answer, whatever its status; a service that does not answer is an error."""
    for pause_s in _PAUSES_S:
        answer = _once(url, token, query)
        if not isinstance(answer, str) and answer.status not in _TRANSIENT:
            return answer
        time.sleep(pause_s)
    answer = _once(url, token, query)
    if isinstance(answer, str):
        silent(url, answer)
    if answer.status == _TOO_OFTEN:
        message = f"{_shown(url)} was asked too often (429); run it again in some minutes"
        raise MoorageError(message, exit_code=Exit.UNANSWERED)
    if answer.status in _TRANSIENT:
        silent(url, f"it answers {answer.status}")
    return answer


def silent(url: str, why: str) -> NoReturn:
    """A service that must answer does not."""
    message = f"{_shown(url)} does not answer: {why}; check the network, and run it again"
    raise MoorageError(message, exit_code=Exit.UNANSWERED)


@cache
def _client() -> httpx.Client:
    """One for all questions: to load the certificates takes longer than to ask."""
    import httpx

    return httpx.Client(follow_redirects=True)  # as the Hub does from a model's earlier name


def _once(url: str, token: str | None, query: Mapping[str, str] | None) -> Answer | str:
    import httpx

    headers = {"Authorization": f"Bearer {token}"} if token else {}
    until = time.monotonic() + _DEADLINE_S
    got = bytearray()
    try:
        with _client().stream(
            "GET", url, headers=headers, params=dict(query or {}), timeout=_DEADLINE_S
        ) as response:
            for chunk in response.iter_bytes():
                got += chunk
                if len(got) > _MOST_BYTES or time.monotonic() > until:
                    return "its answer is too long or too slow"
            return _understood(response.status_code, bytes(got))
    except httpx.TimeoutException:
        return "no answer in time"
    except httpx.ConnectError:
        return "nobody can be reached there"
    except (httpx.HTTPError, httpx.InvalidURL, ValueError):
        return "the connection broke off"


def _understood(status: int, content: bytes) -> Answer | str:
    if status != 200:
        return Answer(status=status)
    try:
        return Answer(status=status, body=json.loads(content))
    except (ValueError, RecursionError):
        return "its answer is no JSON"


def _shown(url: str) -> str:
    """An address without a password that may stand in it."""
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}"
