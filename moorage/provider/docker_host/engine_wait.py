"""Waiting until a container's engine serves; a container that ends meanwhile ends the wait."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import Final, NoReturn

from moorage.errors import Exit, MoorageError
from moorage.provider.docker_host import condition
from moorage.provider.docker_host.condition import Record
from moorage.provider.docker_host.engine import Engine
from moorage.provider.docker_host.faults import Refusal
from moorage.provider.handler import Context, OutOfTime, State
from moorage.provider.serving import ask, log

_FIRST_PAUSE_S: Final = 0.1
_LONGEST_PAUSE_S: Final = 2.0
_ANSWER_S: Final = 60.0  # the first answer of a large model takes its time
_READ_LINES: Final = 50


class Failed(MoorageError):  # noqa: N818
    """It will not serve as it is; waiting on would not help."""

    def __init__(self, message: str) -> None:
        super().__init__(message, exit_code=Exit.UNANSWERED)


@dataclass(kw_only=True, slots=True)
class Wait:
    """One wait for one container, and how things stand in it."""

    engine: Engine
    inputs: State = field(repr=False)
    restarts: int  # that Docker had made when the wait began
    context: Context  # whose deadline is that of the wait
    began_s: float
    last: str = "it was just started"

    @property
    def where(self) -> str:
        """The container, for people."""
        return f"{self.inputs['container']} on {self.engine.host}"

    @property
    def age_s(self) -> float:
        """How long it has been waited."""
        return time.monotonic() - self.began_s

    def is_over(self) -> bool:
        """Whether nobody needs an answer any more."""
        return self.context.cancelled.is_set() or self.context.remaining_s() <= 0


def until_ready(engine: Engine, inputs: State, restarts: int, context: Context) -> ask.Answer:
    """The answer to the request that has proven it; Failed where there will be none."""
    began_s = time.monotonic()
    deadline_s = min(began_s + inputs["readyTimeoutSeconds"], context.deadline_s)
    wait = Wait(
        engine=engine,
        inputs=inputs,
        restarts=restarts,
        context=replace(context, deadline_s=deadline_s),
        began_s=began_s,
    )
    try:
        return _waited(wait)
    except OutOfTime:
        _too_late(wait)


def _waited(wait: Wait) -> ask.Answer:
    pause_s = _FIRST_PAUSE_S
    while (answer := _answer(wait, _looked_at(wait))) is None:
        wait.context.pause(pause_s)
        pause_s = min(pause_s * 1.5, _LONGEST_PAUSE_S)
    return answer


def _looked_at(wait: Wait) -> Record:
    """The container, which runs and has not been restarted."""
    record = wait.engine.inspect(wait.inputs["containerId"])
    if record is None:
        raise gone(wait.where)
    looping = record["RestartCount"] > wait.restarts
    if condition.runs(record) and not looping:
        return record
    how = condition.ended(record)
    if looping or condition.status(record) == "restarting":
        how = f"{'ended' if condition.runs(record) else how}, and Docker restarts it in a loop"
    message = f"{wait.where} {how}{log_end(wait.engine, record)}; correct it, and run up again"
    raise Failed(message)


def _answer(wait: Wait, record: Record) -> ask.Answer | None:
    inputs, probe = wait.inputs, wait.inputs["probe"]
    timeout_s = min(_ANSWER_S, max(_FIRST_PAUSE_S, wait.context.remaining_s()))
    try:
        return ask.prove(
            inputs["url"],
            inputs.get("key"),
            probe["path"],
            probe.get("body"),
            timeout_s,
            given_up=wait.is_over,
        )
    except ask.NotYet as why:
        _report(wait, record, why)
        return None
    except MoorageError as refusal:
        message = f"{wait.where} runs, but {refusal}{log_end(wait.engine, record)}"
        raise Failed(message) from None


def _report(wait: Wait, record: Record, why: ask.NotYet) -> None:
    lines = _log(wait.engine, record)
    wait.last = lines[-1] if lines else why.reason
    wait.context.progress(f"waiting for {wait.where} ({wait.age_s:.0f} s): {wait.last}")


def _too_late(wait: Wait) -> NoReturn:
    record = wait.engine.inspect(wait.inputs["containerId"])
    end = log_end(wait.engine, record) if record else ""
    message = (
        f"{wait.where} does not serve after {wait.age_s:.0f} s at {wait.inputs['url']}{end};"
        " it goes on loading, run up again to wait on"
    )
    raise MoorageError(message, exit_code=Exit.UNANSWERED)


def gone(where: str) -> MoorageError:
    """The container is not there any more."""
    message = f"{where} is gone; run up with --refresh to have it made again"
    return MoorageError(message, exit_code=Exit.UNANSWERED)


def log_end(engine: Engine, record: Record) -> str:
    """The end of its log, as a part of a sentence."""
    lines = _log(engine, record)
    return f"; its log ends: {log.end(lines)}" if lines else "; it wrote nothing"


def _log(engine: Engine, record: Record) -> list[str]:
    """What it wrote last; logs that Docker does not keep are none."""
    try:
        written = engine.log_tail(record["Id"], _READ_LINES)
    except Refusal:
        return []
    return condition.readable(written, record)
