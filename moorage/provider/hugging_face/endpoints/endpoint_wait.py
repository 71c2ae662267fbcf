"""Waiting until an endpoint serves: its states by the shared watch, then real requests."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final, NoReturn

from moorage.errors import Exit, MoorageError
from moorage.provider.handler import Context, OutOfTime, State
from moorage.provider.hugging_face import client, faults
from moorage.provider.hugging_face.client import Record
from moorage.provider.hugging_face.endpoints import endpoint_probe, endpoint_states, watch
from moorage.provider.hugging_face.endpoints.endpoint_place import Place
from moorage.provider.hugging_face.endpoints.endpoint_probe import Door, Proof
from moorage.provider.hugging_face.endpoints.endpoint_states import Since, Verdict
from moorage.provider.hugging_face.endpoints.watch import Waiter, Watch
from moorage.provider.hugging_face.faults import Asked

_LOADING_S: Final = (1.0, 2.0, 3.0, 5.0)  # between requests to an engine that loads
_TRUSTED: Final = 3  # so many refusals in a row are meant
_ABOUT_THE_CALLER: Final = frozenset({401, 402, 403})
_LOG_TOLD: Final = 3
_MOST_LOG: Final = 400
_INFER: Final = "inference.endpoints.infer.write"
_CALLER: Final = "MOORAGE_HF_INFERENCE_TOKEN or HF_TOKEN"
_SHORT_OF: Final = ("capacity", "not enough hardware", "stock", "unschedulable", "insufficient")


@dataclass(frozen=True, kw_only=True, slots=True)
class Ready:
    """How a wait has ended well: what is told of the endpoint, and what has proven it."""

    record: Record
    proof: Proof | None = None  # None: asleep, paused by the guard, or out of reach from here
    verdict: Verdict


@dataclass(kw_only=True, slots=True, eq=False)
class _Wait:
    """One wait, and how things stand in it."""

    place: Place
    inputs: State
    since: Since
    context: Context  # whose deadline is that of the wait
    may_sleep: bool
    began_s: float
    last: str = "it was just asked for"
    refusals: int = 0

    @property
    def age_s(self) -> float:
        """How long it has been waited."""
        return time.monotonic() - self.began_s


def until_ready(
    place: Place, inputs: State, since: Since, context: Context, *, may_sleep: bool
) -> Ready:
    """Wait until it has answered a real request; `may_sleep` takes an endpoint asleep as it is.

    Ends in one line when it failed, was paused, is gone, or took too long.
    """
    began_s = time.monotonic()
    deadline_s = min(began_s + inputs["readyTimeoutSeconds"], context.deadline_s)
    wait = _Wait(
        place=place,
        inputs=inputs,
        since=since,
        context=replace(context, deadline_s=deadline_s),
        may_sleep=may_sleep,
        began_s=began_s,
    )
    seen = watch.over(place.service, place.account)
    try:
        with seen.waiting(place.name) as waiter:
            return _ready(wait, seen, waiter)
    except OutOfTime:
        _too_late(wait, seen, context)


def _ready(wait: _Wait, seen: Watch, waiter: Waiter) -> Ready:
    while True:
        record = seen.look(waiter, wait.context)
        if record is None:
            message = f"{wait.place.id} was deleted while it was waited for; run up again"
            raise MoorageError(message, exit_code=Exit.UNANSWERED)
        wait.since.see(record)
        verdict = endpoint_states.judge(record, wait.since, wait.age_s)
        wait.last = verdict.why
        ready = _ON[verdict.kind](wait, record, verdict)
        if ready is not None:
            return ready
        wait.context.progress(f"waiting for {wait.place.id} ({wait.age_s:.0f} s): {wait.last}")


def _still(_wait: _Wait, _record: Record, _verdict: Verdict) -> None:
    """Nothing to do but wait on."""


def _up(wait: _Wait, record: Record, verdict: Verdict) -> Ready | None:
    if "privateLink" in wait.inputs:
        wait.context.warn(f"{wait.place.id} is behind PrivateLink: it runs, nobody asked it here")
        return Ready(record=record, verdict=verdict)
    door, task = _door(wait, record), record["model"].get("task")
    inputs = {"task": task, **wait.inputs} if task else wait.inputs  # left open, it is as told
    for pause_s in _pauses_s():
        proof = endpoint_probe.prove(door, inputs, wait.context)
        if proof.serves:
            return Ready(record=record, proof=proof, verdict=verdict)
        _note(wait, proof)
        if pause_s is None:
            return None
        wait.context.pause(max(pause_s, min(proof.answer.retry_after_s or 0.0, _LOADING_S[-1])))
    return None


def _pauses_s() -> Iterator[float | None]:
    yield from _LOADING_S
    yield None  # then its state is looked at again


def _note(wait: _Wait, proof: Proof) -> None:
    """Why it does not serve yet; what is refused again and again is refused for good."""
    words = faults.says(proof.answer, client.calling_token()) or proof.answer.fault
    wait.last = f"it runs, and answers {proof.answer.status or 'nothing'}: {words}"
    wait.context.progress(f"waiting for {wait.place.id} ({wait.age_s:.0f} s): {wait.last}")
    wait.refusals = 0 if proof.may_pass else wait.refusals + 1
    if wait.refusals >= _TRUSTED:
        raise MoorageError(_refused(wait.place, proof), exit_code=Exit.UNANSWERED)


def _refused(place: Place, proof: Proof) -> str:
    """Who asks was refused, by the service, or what was asked, by the engine."""
    what, token = f"{place.id} runs and does not serve", client.calling_token()
    if proof.answer.status in _ABOUT_THE_CALLER:
        asked = Asked(what=what, account=place.account, token=token, scope=_INFER, variable=_CALLER)
        return faults.told(proof.answer, asked)
    words = faults.says(proof.answer, token)
    said = f"{proof.path} is answered {proof.answer.status}{f' ({words})' if words else ''}"
    return f"{what}: {said}; declare the task that its model has, or a probe that it answers"


def _asleep(wait: _Wait, record: Record, verdict: Verdict) -> Ready | None:
    """Good where it has served before; else it is woken by the request that proves it."""
    if wait.may_sleep:
        return Ready(record=record, verdict=verdict)
    return _up(wait, record, verdict) if record["status"].get("url") else None


def _door(wait: _Wait, record: Record) -> Door:
    url, wakes = str(record["status"]["url"]), wait.inputs["minReplica"] == 0
    return Door(url=url, token=client.calling_token(), wakes=wakes)


def _guarded(wait: _Wait, record: Record, verdict: Verdict) -> Ready:
    wait.context.warn(f"{wait.place.id} was paused by the budget guard and stays so")
    return Ready(record=record, verdict=verdict)


def _paused(wait: _Wait, _record: Record, _verdict: Verdict) -> NoReturn:
    message = f"{wait.place.id} was paused while it was waited for; run up again to resume it"
    raise MoorageError(message, exit_code=Exit.UNANSWERED)


def _failed(wait: _Wait, _record: Record, verdict: Verdict) -> NoReturn:
    log, advice = (
        _log(wait.place, wait.context),
        _advice(verdict.why, "correct it, and run up again"),
    )
    message = f"{wait.place.id} {verdict.why}{log}; {advice}"
    raise MoorageError(message, exit_code=Exit.UNANSWERED)


def _too_late(wait: _Wait, seen: Watch, context: Context) -> NoReturn:
    last = wait.last if not seen.fault else f"{wait.last}; {seen.fault}"
    message = (
        f"{wait.place.id} does not serve after {wait.age_s:.0f} s: {last}"
        f"{_log(wait.place, context)}; {_advice(last, 'it stays, run up again to wait on')}"
    )
    raise MoorageError(message, exit_code=Exit.UNANSWERED)


def _log(place: Place, context: Context) -> str:
    lines = client.log_tail(place.service, place.account, place.name, context)[-_LOG_TOLD:]
    tail = " | ".join(lines)
    return f"; its log ends: {tail[-_MOST_LOG:]}" if tail else ""


def _advice(why: str, else_: str) -> str:
    if any(word in why.lower() for word in _SHORT_OF):
        return "there is none of this instance now: try another one or another region"
    return else_


_ON: Final[dict[str, Callable[[_Wait, Record, Verdict], Ready | None]]] = {
    "wait": _still,
    "up": _up,
    "asleep": _asleep,
    "failed": _failed,
    "paused": _paused,
    "guarded": _guarded,
}
