"""The ready profile: ask until the service lists its models and answers one real request."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable
from urllib.parse import urlsplit

from loadtests.answer import Outcome, outcome_of_status, read_whole
from loadtests.ask import Ask, ask
from loadtests.measures import Measure
from loadtests.profiles import Profile, Target
from loadtests.verdict import Ruling, Verdict
from moorage.errors import Exit

_PAUSE_S = 0.5
_HOPELESS = (401, 403)  # waiting does not make a key right


def wait_ready(profile: Profile, target: Target, progress: Callable[[str], None]) -> Verdict:
    began_s = time.monotonic()
    deadline_s = began_s + profile.ready_limit_s
    said = ""
    while True:
        status, trouble = _attempt(target, min(profile.total_timeout_s, profile.ready_limit_s))
        took_s = time.monotonic() - began_s
        if trouble is None:
            return _verdict(profile, target, took_s, None)
        if status in _HOPELESS or time.monotonic() + _PAUSE_S > deadline_s:
            return _verdict(profile, target, took_s, trouble)
        if trouble != said:
            progress(f"ready {took_s:.1f} s: waiting, {trouble}")
            said = trouble
        time.sleep(_PAUSE_S)


def _attempt(target: Target, timeout_s: float) -> tuple[int | None, str | None]:
    """One try: the status that decided it, and what is wrong (None: the service is ready)."""
    status: int | None = None
    try:
        status, body = _request(target, "/models", None, timeout_s)
        if (trouble := _trouble("/models", status, body)) is not None:
            return status, trouble
        asked = _ask(target)
        status, body = _request(target, asked.path, asked.body, timeout_s)
    except (OSError, http.client.HTTPException, ValueError) as error:
        return None, f"{target.url}: {str(error) or type(error).__name__}"
    return status, _trouble(asked.path, status, body) or _wrong_answer(asked, body)


def _request(target: Target, path: str, body: bytes | None, timeout_s: float) -> tuple[int, bytes]:
    parts = urlsplit(target.url.rstrip("/"))
    secure = parts.scheme == "https"
    connect = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    connection = connect(parts.hostname or "", parts.port, timeout=timeout_s)
    headers = {"Authorization": f"Bearer {target.api_key}"} if target.api_key else {}
    if body is not None:
        headers["Content-Type"] = "application/json"
    try:
        connection.request("GET" if body is None else "POST", parts.path + path, body, headers)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def _ask(target: Target) -> Ask:
    """Index -1: a request that is not streamed."""
    return ask(-1, model=target.model, task=target.task, input_tokens=8, output_tokens=4)


def _trouble(path: str, status: int, body: bytes) -> str | None:
    if outcome_of_status(status) is Outcome.OK:
        return None
    said = _error_message(body)
    return f"{path} answered {status}" + (f": {said}" if said else "")


def _error_message(body: bytes) -> str:
    try:
        message = json.loads(body)["error"]["message"]
    except (ValueError, KeyError, TypeError):
        return ""
    return str(message)[:200]


def _wrong_answer(asked: Ask, body: bytes) -> str | None:
    outcome, _ = read_whole(asked.kind, body)
    return None if outcome is Outcome.OK else f"{asked.path} answered, but: {outcome}"


def _verdict(profile: Profile, target: Target, took_s: float, trouble: str | None) -> Verdict:
    measure = Measure(
        name="time_to_ready",
        value=took_s if trouble is None else None,
        unit="s",
        n=1,
        formula="first try -> one real request answered",
    )
    return Verdict(
        ruling=Ruling.PASS if trouble is None else Ruling.FAIL,
        exit_code=Exit.FINE if trouble is None else Exit.UNANSWERED,
        profile=profile.name,
        service=target.service,
        reasons=() if trouble is None else (f"not ready after {took_s:.0f} s: {trouble}",),
        measures=(measure,),
    )
