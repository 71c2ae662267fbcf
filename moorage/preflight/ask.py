"""The questions: each once, and only those that the wishes call for."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Any, Final, TypeVar
from urllib.parse import quote

from moorage import login
from moorage.login import ASKING, DEPLOYING
from moorage.plan.types import Plan
from moorage.preflight import answers, reading
from moorage.preflight.answers import Answers, Who
from moorage.preflight.judge import Report, judge
from moorage.preflight.reading import Answer
from moorage.preflight.wishes import Model, Site, Wishes, wishes

T = TypeVar("T")

_HUB: Final = ("HF_ENDPOINT", "https://huggingface.co")
_ENDPOINTS: Final = ("MOORAGE_HF_ENDPOINTS_URL", "https://api.endpoints.huggingface.cloud")
_REFUSALS: Final = frozenset({401, 402, 403, 404})
_UNKNOWN: Final = 401
_MOST_PAGES: Final = 100


def look(plans: Iterable[Plan], site: Site) -> Report:
    """Ask whatever the plans depend on, and judge it."""
    wished = wishes(tuple(plans), site)
    return judge(wished, ask(wished))


def ask(wished: Wishes) -> Answers:
    """What Hugging Face says to the wishes; nothing but tokens where one of these is no good."""
    token = login.deploying_token()
    narrow = login.asking_token() if login.asking_variable() == ASKING else None
    known = {name: _who(value) for name, value in ((DEPLOYING, token), (ASKING, narrow)) if value}
    unknown = tuple(name for name, who in known.items() if who is None)
    deploys = known.get(DEPLOYING)
    asks = known.get(ASKING) if narrow else deploys
    tokens = Answers(
        deploys=deploys,
        asks=asks,
        one_token=narrow in (None, token),
        missing=() if token else (DEPLOYING,),
        unknown=unknown,
    )
    if deploys is None or asks is None or token is None:
        return tokens
    return _all(wished, tokens, deploys, token)


def _all(wished: Wishes, tokens: Answers, deploys: Who, token: str) -> Answers:
    names = dict.fromkeys(row.account or deploys.name for row in wished.hardware)
    mine = [name for name in names if deploys.belongs(name)]
    computes = {name: _hardware(name, token) for name in mine}
    standing = {name: _standing(name, token) for name in mine}
    return Answers(
        deploys=tokens.deploys,
        asks=tokens.asks,
        one_token=tokens.one_token,
        computes={name: rows for name, rows in computes.items() if not isinstance(rows, int)},
        standing={name: rows for name, rows in standing.items() if not isinstance(rows, int)},
        refused={
            name: rows
            for name, rows in (*computes.items(), *standing.items())
            if isinstance(rows, int)
        },
        models={model.id: _model(model, token) for model in wished.models},
        live={name: _live(name, token) for name in {route.model for route in wished.routes}},
    )


def _who(token: str) -> Who | None:
    url = f"{_base(_HUB)}/api/whoami-v2"
    answer = reading.read(url, token=token)
    if answer.status == _UNKNOWN:
        return None
    return _understood(url, answer, answers.who)


def _hardware(account: str, token: str) -> dict[tuple[str, str, str], answers.Compute] | int:
    """The hardware that an account can have, or the status that refuses to tell it."""
    url = f"{_base(_ENDPOINTS)}/v2/provider/{quote(account, safe='')}"
    answer = reading.read(url, token=token)
    if answer.status in _REFUSALS:
        return answer.status
    return _understood(url, answer, answers.computes)


def _standing(account: str, token: str) -> tuple[answers.Standing, ...] | int:
    """The endpoints that an account has, page after page, or the status that refuses it."""
    url, cursor = f"{_base(_ENDPOINTS)}/v2/endpoint/{quote(account, safe='')}", ""
    found: list[answers.Standing] = []
    for _ in range(_MOST_PAGES):
        answer = reading.read(url, token=token, query={"cursor": cursor} if cursor else None)
        if answer.status in _REFUSALS:
            return answer.status
        found += _understood(url, answer, lambda told: list(answers.standing(told["items"])))
        cursor = str(answer.body.get("nextCursor") or "")
        if not cursor:
            break
    return tuple(found)


def _model(model: Model, token: str) -> int:
    """200 where the token may read the model at its revision, else the status that refuses it."""
    at = f"{_base(_HUB)}/api/models/{quote(model.id)}"
    allowed = reading.read(f"{at}/auth-check", token=token)
    if not allowed.is_good or model.revision is None:
        return allowed.status
    return reading.read(f"{at}/revision/{quote(model.revision, safe='')}", token=token).status


def _live(model: str, token: str) -> frozenset[str]:
    url = f"{_base(_HUB)}/api/models/{quote(model)}"
    answer = reading.read(url, token=token, query={"expand": "inferenceProviderMapping"})
    return _understood(url, answer, answers.live) if answer.is_good else frozenset()


def _understood(url: str, answer: Answer, read: Callable[[Any], T]) -> T:
    """What an answer means; one of another form is as good as none."""
    try:
        return read(answer.body)
    except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError):
        reading.silent(url, f"its answer ({answer.status}) is not understood")


def _base(of: tuple[str, str]) -> str:
    variable, usual = of
    return (os.environ.get(variable) or usual).rstrip("/")
