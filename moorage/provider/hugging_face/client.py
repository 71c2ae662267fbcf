"""The Inference Endpoints API, one function per call; no call waits longer than its deadline.

Reads are tried again where that may help. A write is sent once, unless it was refused as asked too
often, and ends in an Outcome: what it did, that it was refused, or that nobody knows, so that
whoever asked can look.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote, urlencode

from moorage import login
from moorage.errors import Exit, MoorageError
from moorage.provider.handler import Context
from moorage.provider.hugging_face import faults, patience
from moorage.provider.hugging_face.exchange import Answer, Question, ask, exchange
from moorage.provider.hugging_face.faults import Asked, PassingError
from moorage.provider.secrets import MASK

_ENDPOINTS_URL: Final = "https://api.endpoints.huggingface.cloud"
_HUB_URL: Final = "https://huggingface.co"
_CALL_S: Final = 30.0
_MOST_PAGES: Final = 1000
_NOT_FOUND: Final = 404
_LOG_LINES: Final = 20
_LOG_S: Final = 1.5  # it only decorates an error, whose call may be over already

_lock: Final = threading.Lock()
_own_accounts: Final[dict[tuple[str, str], str]] = {}  # by the Hub's address and the token

Record = dict[str, Any]  # an endpoint as the service tells it


@dataclass(frozen=True, kw_only=True, slots=True)
class Service:
    """Where the API is, and the token that it is asked with."""

    url: str
    token: str = field(repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Done:
    """A write that was made, and the endpoint as it is told then, where it is told."""

    record: Record | None = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Refused:
    """A write that was refused: nothing has changed."""

    answer: Answer
    asked: Asked

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self.answer.status

    def fail(self) -> MoorageError:
        """The error that says it in one line."""
        return MoorageError(faults.told(self.answer, self.asked), exit_code=Exit.UNANSWERED)


@dataclass(frozen=True, kw_only=True, slots=True)
class Unknown:
    """A write of which nobody knows whether it was made; the caller looks."""

    answer: Answer
    asked: Asked

    def __str__(self) -> str:
        return faults.told(self.answer, self.asked)


Outcome = Done | Refused | Unknown


def service() -> Service:
    """The service of the environment, and the token that deploys."""
    url = os.environ.get("MOORAGE_HF_ENDPOINTS_URL") or _ENDPOINTS_URL
    return Service(url=url.rstrip("/"), token=deploying_token())


def deploying_token() -> str:
    """HF_TOKEN, or the token that `hf auth login` left; there must be one."""
    token = login.deploying_token()
    if token is None:
        message = (
            "no token of Hugging Face: set HF_TOKEN to one with the permission"
            " inference.endpoints.write"
        )
        raise MoorageError(message, exit_code=Exit.UNANSWERED)
    return token


def calling_token() -> str:
    """The narrower token with which endpoints are called, where there is one."""
    return login.asking_token() or deploying_token()


# --- reads


def own_account(token: str, context: Context) -> str:
    """The account whose token it is, asked once."""
    hub = Service(url=(os.environ.get("HF_ENDPOINT") or _HUB_URL).rstrip("/"), token=token)
    with _lock:
        if (hub.url, token) not in _own_accounts:
            _own_accounts[hub.url, token] = _asked_account(hub, context)
        return _own_accounts[hub.url, token]


def _asked_account(hub: Service, context: Context) -> str:
    asked = Asked(what="the token's own account", account="your account", token=hub.token)
    told = _read(hub, "/api/whoami-v2", asked, context)
    name = told.get("name") if isinstance(told, dict) else None
    if not isinstance(name, str):
        message = "the Hub does not say whose token HF_TOKEN is; declare the namespace"
        raise MoorageError(message, exit_code=Exit.UNANSWERED)
    return name


def get(at: Service, account: str, name: str, context: Context) -> Record | None:
    """The endpoint of that name; None when there is none."""
    asked = Asked(what=f"{account}/{name}", account=account, token=at.token)
    told = _read(at, _path(account, name), asked, context)
    return None if told is None else _record(told, asked)


def listed(at: Service, account: str, context: Context) -> dict[str, Record]:
    """Every endpoint of an account by its name, over all pages."""
    asked = Asked(what=f"the endpoints of {account}", account=account, token=at.token)
    pages = _pages(at, _path(account), asked, context)
    return {str(one["name"]): one for page in pages for one in page if is_record(one)}


def catalogue(at: Service, account: str, context: Context) -> list[Any]:
    """The vendors with their regions, instances, prices and the account's quota."""
    asked = Asked(what=f"the prices for {account}", account=account, token=at.token)
    told = _read(at, f"/v2/provider/{quote(account, safe='')}", asked, context)
    vendors = told.get("vendors") if isinstance(told, dict) else None
    if not isinstance(vendors, list):
        message = f"{asked.what}: Hugging Face does not tell them; run up again later"
        raise PassingError(message)
    return vendors


def log_tail(at: Service, account: str, name: str, context: Context) -> list[str]:
    """The last lines that it wrote; none where they are not told."""
    query = urlencode({"tail": _LOG_LINES})
    question = Question(
        method="GET", url=f"{at.url}{_path(account, name)}/logs?{query}", token=at.token
    )
    answer = exchange(question, timeout_s=_LOG_S, given_up=context.cancelled.is_set)
    lines = answer.text.replace(at.token, MASK).splitlines() if answer.is_good else []
    return [line.strip() for line in lines if line.strip()]


# --- writes


def create(at: Service, account: str, body: Record, context: Context) -> Outcome:
    """Ask for an endpoint."""
    asked = Asked(what=f"{account}/{body['name']}", account=account, token=at.token)
    return _write(at, "POST", _path(account), body, asked, context)


def change(at: Service, account: str, name: str, body: Record, context: Context) -> Outcome:
    """Ask for an endpoint to be made as the body says."""
    asked = Asked(what=f"{account}/{name}", account=account, token=at.token)
    return _write(at, "PUT", _path(account, name), body, asked, context)


def delete(at: Service, account: str, name: str, context: Context) -> Outcome:
    """Ask for its end."""
    asked = Asked(what=f"{account}/{name}", account=account, token=at.token)
    return _write(at, "DELETE", _path(account, name), None, asked, context)


def pause(at: Service, account: str, name: str, context: Context) -> Outcome:
    """Ask for it to stop, and to stop costing."""
    asked = Asked(what=f"{account}/{name}", account=account, token=at.token)
    return _write(at, "POST", f"{_path(account, name)}/pause", {}, asked, context)


def resume(at: Service, account: str, name: str, context: Context) -> Outcome:
    """Ask for a paused one to start."""
    asked = Asked(what=f"{account}/{name}", account=account, token=at.token)
    return _write(at, "POST", f"{_path(account, name)}/resume", {}, asked, context)


def is_record(told: Any) -> bool:
    """Whether this is an endpoint as the service tells one."""
    if not isinstance(told, dict) or not isinstance(told.get("name"), str):
        return False
    parts = [told.get(part) for part in ("status", "model", "compute", "provider")]
    return all(isinstance(part, dict) for part in parts) and "state" in told["status"]


# --- how it is asked


def _read(at: Service, path: str, asked: Asked, context: Context) -> Any:
    """The JSON of a GET; None for what is not there."""
    question = Question(method="GET", url=at.url + path, token=at.token)
    answer = patience.read(lambda: ask(question, context, longest_s=_CALL_S), asked.what, context)
    if answer.status == _NOT_FOUND:
        return None
    if not answer.is_good or answer.json is None:
        faults.fail(answer, asked)
    return answer.json


def _pages(at: Service, path: str, asked: Asked, context: Context) -> Iterator[list[Any]]:
    cursors: set[str] = set()
    cursor = ""
    while len(cursors) < _MOST_PAGES:
        query = f"?{urlencode({'cursor': cursor})}" if cursor else ""
        told = _read(at, path + query, asked, context)
        if not isinstance(told, dict) or not isinstance(told.get("items"), list):
            message = f"{asked.what}: Hugging Face does not tell them; run up again later"
            raise PassingError(message)
        yield told["items"]
        cursor = str(told.get("nextCursor") or "")
        if not cursor or cursor in cursors:
            return
        cursors.add(cursor)


def _write(
    at: Service, method: str, path: str, body: Record | None, asked: Asked, context: Context
) -> Outcome:
    """Send it until it is heard, then once. A cancel does not end it: what it did would be open."""
    question = Question(method=method, url=at.url + path, token=at.token, body=body)
    answer = patience.in_turn(
        lambda: exchange(question, timeout_s=min(_CALL_S, max(context.remaining_s(), 0.1))),
        asked.what,
        context,
    )
    told = answer.json
    if answer.is_good and (is_record(told) or not answer.text.strip()):
        return Done(record=told if is_record(told) else None)
    if answer.is_good or faults.leaves_doubt(answer):
        return Unknown(answer=answer, asked=asked)
    return Refused(answer=answer, asked=asked)


def _record(told: Any, asked: Asked) -> Record:
    if not is_record(told):
        message = f"{asked.what}: Hugging Face tells no endpoint where one was; run up again later"
        raise PassingError(message)
    record: Record = told
    return record


def _path(account: str, name: str | None = None) -> str:
    parts = [account] if name is None else [account, name]
    return "/".join(["/v2/endpoint", *(quote(part, safe="") for part in parts)])
