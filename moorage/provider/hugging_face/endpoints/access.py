"""Proof that an endpoint refuses who may not call it."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

from moorage import login
from moorage.provider.handler import Context
from moorage.provider.hugging_face import faults, patience
from moorage.provider.hugging_face.endpoints.endpoint_probe import Door
from moorage.provider.hugging_face.exchange import Answer

_REFUSALS: Final = frozenset({401, 403, 404})


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """Why it is not proven closed; `is_open` where it was seen to be open."""

    why: str
    is_open: bool


def breach(door: Door, path: str, body: Any, access: str, context: Context) -> Finding | None:
    """What is wrong with its access; None when all who must be refused are.

    The question is one that it has answered well before, so that a refusal is about who asks.
    """
    for who, token in _strangers(access):
        stranger = replace(door, token=token, wakes=False)
        answer = patience.tried(
            partial(stranger.ask, path, body, context), _proves_nothing, context
        )
        if answer.status in _REFUSALS:
            continue
        if _proves_nothing(answer):
            told = f"whether it refuses {who} cannot be told ({_words(answer)})"
            return Finding(why=told, is_open=False)
        return Finding(why=f"it is {access} and lets {who} in ({_words(answer)})", is_open=True)
    return None


def _strangers(access: str) -> Iterator[tuple[str, str]]:
    if access == "public":
        return
    yield "a call without a token", ""
    yield "a made-up token", f"hf_{secrets.token_hex(17)}"
    foreign = login.foreign_token()
    if foreign and access == "private":
        yield "another account's token", foreign


def _proves_nothing(answer: Answer) -> bool:
    """The answer of a server that is busy, or none; what is no JSON is an answer all the same."""
    return not answer.is_good and faults.is_passing(answer)


def _words(answer: Answer) -> str:
    return f"{answer.status}" if answer.status else answer.fault
