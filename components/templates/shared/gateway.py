"""The gateway, asked by an app: an OpenAI-compatible address with a key, and lines for people."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import httpx

URL = os.environ.get("MOORAGE_GATEWAY_URL", "").rstrip("/")  # ends in /v1
KEY = os.environ.get("MOORAGE_GATEWAY_KEY", "")
MODEL = os.environ.get("MOORAGE_MODEL", "")
PATIENCE = httpx.Timeout(120.0, connect=10.0)

Message = dict[str, Any]


class GatewayError(Exception):
    """What went wrong, in one line for whoever uses the app."""


def chat(messages: Sequence[Message]) -> Iterator[str]:
    """The answer, piece by piece as it comes."""
    body = {"model": MODEL, "messages": list(messages), "stream": True}
    with _asked("/chat/completions", body) as answer:
        for line in answer.iter_lines():
            if line.startswith("data: ") and line != "data: [DONE]":
                yield _piece(json.loads(line.removeprefix("data: ")))


def growing(pieces: Iterator[str]) -> Iterator[str]:
    """The text so far, after each piece; a fault ends it with its line."""
    text = ""
    try:
        for piece in pieces:
            text += piece
            yield text
    except GatewayError as error:
        yield f"{text}\n\n{error}".strip()


@contextmanager
def _asked(path: str, body: Any) -> Iterator[httpx.Response]:
    """A request that streams its answer; everything that can go wrong is a `GatewayError`."""
    if not URL:
        raise GatewayError("MOORAGE_GATEWAY_URL is not set in this Space.")
    headers = {"Authorization": f"Bearer {KEY}"}
    try:
        with httpx.stream(
            "POST", URL + path, json=body, headers=headers, timeout=PATIENCE
        ) as answer:
            if not answer.is_success:
                message = f"The gateway answered {answer.status_code}: {_says(answer)}"
                raise GatewayError(message)
            yield answer
    except httpx.ConnectError:
        raise GatewayError("The gateway cannot be reached.") from None
    except httpx.HTTPError as error:
        message = f"The answer broke off: {type(error).__name__}."
        raise GatewayError(message) from None


def _says(answer: httpx.Response) -> str:
    try:
        told = json.loads(answer.read())["error"]
        return str(told["message"] if isinstance(told, dict) else told)
    except (ValueError, LookupError, TypeError, httpx.HTTPError):
        return answer.reason_phrase


def _piece(event: Any) -> str:
    """What an event adds; some carry only a role, a reason or numbers."""
    if isinstance(event, dict) and "error" in event:
        told = event["error"]
        says = told.get("message") if isinstance(told, dict) else told
        message = f"The answer broke off: {says}"
        raise GatewayError(message)
    choices = event.get("choices") or [{}]
    return str((choices[0].get("delta") or {}).get("content") or "")
