"""How Hub and router are asked for a route: reads tried again where that may help, a proof once."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any, Final

from moorage import login
from moorage.provider.handler import Context, OutOfTime
from moorage.provider.hugging_face import exchange, patience
from moorage.provider.hugging_face.exchange import Answer, Question

_ANSWER_S: Final = 15.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Host:
    """A service: where it is, and who asks."""

    url: str
    token: str | None = field(default=None, repr=False)


def hub() -> Host:
    """The Hub, asked by whoever deploys."""
    return Host(
        url=_address("HF_ENDPOINT", "https://huggingface.co"), token=login.deploying_token()
    )


def router() -> Host:
    """The router, asked by whoever pays for the answers."""
    url = _address("MOORAGE_HF_ROUTER_URL", "https://router.huggingface.co")
    return Host(url=url, token=login.asking_token())


def read(host: Host, path: str, context: Context) -> Answer:
    """The last answer of a few tries; a pause ends at once when the run is cancelled."""
    question = Question(method="GET", url=host.url + path, token=host.token)
    return patience.read(lambda: ask(question, context), host.url, context)


def ask(question: Question, context: Context, *, timeout_s: float = _ANSWER_S) -> Answer:
    """One exchange, given up as soon as the run is cancelled or its time is over."""
    if context.remaining_s() <= 0:
        raise OutOfTime("the time for it is over; run up again, or set customTimeouts")
    return exchange.ask(question, context, longest_s=timeout_s)


def post(host: Host, path: str, body: Any, headers: dict[str, str]) -> Question:
    """A request that costs something, so it is sent once."""
    return Question(
        method="POST", url=host.url + path, token=host.token, body=body, headers=headers
    )


def _address(variable: str, usual: str) -> str:
    return (os.environ.get(variable) or usual).rstrip("/")
