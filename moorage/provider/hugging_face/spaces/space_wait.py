"""Waiting for a Space: through every stage, with one factory reboot, until its app answers."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from moorage.errors import Exit, MoorageError
from moorage.provider.handler import Context, State
from moorage.provider.hugging_face import client, exchange, hub, patience, things
from moorage.provider.hugging_face.exchange import Answer, Question
from moorage.provider.hugging_face.hub import Hub
from moorage.provider.hugging_face.spaces import space_record
from moorage.provider.secrets import MASK

Verdict = Literal["wait", "ask", "reboot", "fail", "paused"]

_COMING: Final = frozenset(
    {"BUILDING", "APP_STARTING", "RUNNING_BUILDING", "RUNNING_APP_STARTING", "DELETING"}
)
_MENDABLE: Final = frozenset({"BUILD_ERROR", "RUNTIME_ERROR", "STOPPED"})
_HOPELESS: Final = frozenset({"CONFIG_ERROR", "NO_APP_FILE"})
_ASKABLE: Final = frozenset({"RUNNING", "SLEEPING"})  # which wakes when it is asked
_SETTLES_S: Final = 10.0  # how long a stage may still be that of before the change
_FIRST_PAUSE_S: Final = 0.05
_LONGEST_PAUSE_S: Final = 5.0
_PAUSE_GROWS: Final = 1.6
_PATIENT: Final = 0.5  # the share of the time after which a stuck one is rebooted
_APP_S: Final = 15.0
_LOG_S: Final = 6.0
_LOG_LINES: Final = 12
_GOOD, _BAD = 200, 400
_CLOSED: Final = frozenset({401, 403, 404})


@dataclass(frozen=True, kw_only=True, slots=True)
class Sight:
    """What was seen of a Space, and for how long it is waited for."""

    stage: str
    is_changed: bool  # since something was changed, another stage was seen, or enough time passed
    waited_share: float  # of the time that there is
    is_rebooted: bool = False
    is_silent: bool = False  # its app was asked just now, and does not answer


def judge(sight: Sight) -> Verdict:
    """What to do next."""
    if sight.stage == "PAUSED":
        return "paused" if sight.is_changed else "wait"
    if sight.stage in _HOPELESS:
        return "fail" if sight.is_changed else "wait"
    if sight.stage in _MENDABLE:
        return _mended(sight) if sight.is_changed else "wait"
    if sight.stage in _ASKABLE and sight.is_changed and not sight.is_silent:
        return "ask"
    if sight.waited_share >= 1:
        return "fail"
    # A stage that nobody knows yet is waited for too.
    is_stuck = sight.waited_share >= _PATIENT and not sight.is_rebooted
    return "reboot" if is_stuck else "wait"


def _mended(sight: Sight) -> Verdict:
    return "fail" if sight.is_rebooted else "reboot"


@dataclass(kw_only=True, slots=True)
class _Watch:
    """One wait."""

    at: Hub
    id_: str
    app_url: str
    inputs: State
    context: Context
    began_s: float
    is_changed: bool
    is_rebooted: bool = False
    answer: Answer | None = None
    stage: str = ""

    @property
    def limit_s(self) -> float:
        return float(self.inputs["readyTimeoutSeconds"])

    @property
    def waited_s(self) -> float:
        return time.monotonic() - self.began_s

    def sight(self, *, is_silent: bool = False) -> Sight:
        self.is_changed |= self.stage in _COMING or self.waited_s > _SETTLES_S
        return Sight(
            stage=self.stage,
            is_changed=self.is_changed,
            waited_share=self.waited_s / self.limit_s,
            is_rebooted=self.is_rebooted,
            is_silent=is_silent,
        )


def until_serving(
    id_: str, app_url: str, inputs: State, *, is_changed: bool, at: Hub, context: Context
) -> None:
    """Return once the app answers; `is_changed`: it was just changed, so its stage may be old."""
    watch = _Watch(
        at=at,
        id_=id_,
        app_url=app_url,
        inputs=inputs,
        context=context,
        began_s=time.monotonic(),
        is_changed=not is_changed,
    )
    pause_s = _FIRST_PAUSE_S
    while not _is_up(watch):
        context.pause(pause_s)
        pause_s = min(pause_s * _PAUSE_GROWS, _LONGEST_PAUSE_S)


def _is_up(watch: _Watch) -> bool:
    told = space_record.runtime(watch.at, watch.id_, watch.context)
    if told is None:
        message = f"Space {watch.id_} has gone while it was waited for; run up with --refresh"
        raise MoorageError(message, exit_code=Exit.UNANSWERED)
    watch.stage = str(told.get("stage") or "")
    verdict = judge(watch.sight())
    watch.context.progress(f"waiting for Space {watch.id_}: it is {watch.stage}")
    if verdict == "ask":
        watch.answer = _asked(watch)
        if _GOOD <= watch.answer.status < _BAD:
            return True
        verdict = judge(watch.sight(is_silent=True))
    if verdict == "reboot":
        _reboot(watch)
    if verdict in ("fail", "paused"):
        raise MoorageError(_failure(watch, told, verdict), exit_code=Exit.UNANSWERED)
    return False


def _asked(watch: _Watch) -> Answer:
    """The app itself; its own token only where it is needed, for its code may see it."""
    is_private = watch.inputs["visibility"] == "private"
    token = client.calling_token() if is_private else None
    return _visit(watch.app_url + watch.inputs["readyPath"], token, watch.context)


def _visit(url: str, token: str | None, context: Context) -> Answer:
    question = Question(method="GET", url=url, token=token, headers={"Accept": "*/*"})
    return exchange.ask(question, context, longest_s=_APP_S)


def _reboot(watch: _Watch) -> None:
    """A factory reboot, once; whether its answer is lost or not, it is waited for anew."""
    watch.context.warn(f"Space {watch.id_} is {watch.stage}: rebooting it from scratch, once")
    asked = watch.at.asked(f"Space {watch.id_}", watch.id_.partition("/")[0])
    id_ = watch.id_
    things.settled(
        hub.write(
            watch.at,
            asked,
            lambda api: api.restart_space(id_, factory_reboot=True),
            watch.context,
        )
    )
    watch.is_rebooted, watch.is_changed = True, False
    watch.began_s = time.monotonic()


def _failure(watch: _Watch, told: Mapping[str, Any], verdict: Verdict) -> str:
    what = f"Space {watch.id_}"
    if verdict == "paused":
        return f"{what}: somebody has paused it while it was waited for; run up again to start it"
    if watch.stage == "NO_APP_FILE":
        return f"{what}: it has no app file; give a folder or files that hold one"
    after = " after a factory reboot" if watch.is_rebooted else ""
    why = " ".join(str(told.get("errorMessage") or "").split())
    reason = f"it is {watch.stage}{after}" + (f" ({why})" if why else "")
    if watch.answer is not None and watch.stage in _ASKABLE:
        seen = watch.answer.status or watch.answer.fault
        reason = f"it runs{after}, and {watch.inputs['readyPath']} answers {seen}"
        if watch.answer.status in _CLOSED and watch.inputs["visibility"] == "private":
            reason += ", as it does to a token that may not read it"
    return f"{what}: {reason}; {_log(watch)}"


def _log(watch: _Watch) -> str:
    """The tail of the log that tells why."""
    builds = "BUILD" in watch.stage
    id_ = watch.id_

    def call(api: Any) -> list[str]:
        return list(api.fetch_space_logs(id_, build=builds))

    lines = hub.glance(watch.at, call, watch.context, within_s=_LOG_S) or []
    tail = [" ".join(line.split()) for line in lines if line.strip()][-_LOG_LINES:]
    if not tail:
        return f"see its log at {watch.at.url}/spaces/{id_}"
    text = " | ".join(tail).replace(watch.at.token, MASK)
    return f"the {'build' if builds else 'run'} log ends: {text}"


def open_to(url: str, token: str | None, context: Context) -> bool | None:
    """Whether the app lets somebody in; None where it does not say, not even after a while."""
    answer = patience.tried(lambda: _visit(url, token, context), _says_nothing, context)
    return None if _says_nothing(answer) else answer.is_good


def _says_nothing(answer: Answer) -> bool:
    return not answer.is_good and answer.status not in _CLOSED
