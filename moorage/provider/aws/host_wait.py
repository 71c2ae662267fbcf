"""The wait until a host serves: EC2's word for it watched, the engine asked, its console quoted."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

from moorage.errors import Exit, MoorageError
from moorage.provider import secrets
from moorage.provider.aws import host_quotas, host_state
from moorage.provider.aws.cloud import Record
from moorage.provider.aws.faults import AwsError
from moorage.provider.aws.host_place import Place
from moorage.provider.handler import Context, OutOfTime, State
from moorage.provider.serving import ask
from moorage.provider.serving.ask import NotYet
from moorage.provider.serving.log import end as log_end
from moorage.provider.serving.log import lines

_NOT_THERE: Final = "InvalidInstanceID.NotFound"
_EARLY_S: Final = 120.0  # so long it may not be told of what was just made
_PAUSES_S: Final = (1.0, 1.0, 2.0, 3.0)  # between looks; then a longer one
_PAUSE_S: Final = 5.0
_ASK_S: Final = 30.0
_GLANCE_S: Final = 0.5
_SILENT_S: Final = 60.0  # in which a machine that was told to start again does so
_BOOTING_S: Final = 60.0  # in which its console tells of the machine and not of the engine
_CONSOLE_S: Final = 30.0  # between looks at its console
_UP_S: Final = 180.0  # in which a machine comes so far that it at least refuses a connection
_KNOCK_S: Final = 5.0
_STALE_S: Final = 15.0  # so long EC2 may tell of a start as if nobody had asked for it
_ENDED: Final = re.compile(r"moorage: the engine has ended (\d+) times")  # a unit of ours tells it
_MOST_ENDS: Final = 2  # besides those of a machine that is just coming up
_CONSOLES: Final[tuple[Record, ...]] = ({"Latest": True}, {})  # the first is of newer types alone


class Taken(MoorageError):  # noqa: N818  nobody's mistake
    """AWS gave the instance, and has ended it for want of capacity before it served."""

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message, exit_code=Exit.UNANSWERED)
        self.code = code


@dataclass(kw_only=True, slots=True, eq=False)
class _Wait:
    """One wait, and how things stand in it."""

    place: Place
    inputs: State = field(repr=False)
    context: Context  # whose deadline is that of the wait
    instance_id: str
    began_s: float
    last: str = "it was just asked for"
    has_run: bool = False  # or was about to
    ran_s: float | None = None  # how long it had been waited when it first did
    has_knocked: bool = False
    log: str = ""  # the end of its console
    log_age_s: float = 0.0  # how long it had been waited when that was read
    ends: int | None = None  # of the engine, by the first number that the console told

    @property
    def age_s(self) -> float:
        """How long it has been waited."""
        return time.monotonic() - self.began_s


@dataclass(frozen=True, kw_only=True, slots=True)
class Ready:
    """How a wait has ended well."""

    instance: Record
    model: str | None


def until_ready(place: Place, inputs: State, instance: Record, context: Context) -> Ready:
    """Wait until its engine has answered a real request, or say in one line why it does not."""
    began_s = time.monotonic()
    deadline_s = min(began_s + inputs["readyTimeoutSeconds"], context.deadline_s)
    wait = _Wait(
        place=place,
        inputs=inputs,
        context=replace(context, deadline_s=deadline_s),
        instance_id=instance["InstanceId"],
        began_s=began_s,
    )
    try:
        return _ready(wait)
    except OutOfTime:
        log = _console(wait)
        message = (
            f"{place.id} does not serve after {wait.age_s:.0f} s: {wait.last}{_quoted(log)};"
            " it stays and is billed: run up again to wait on, or destroy it"
        )
        raise MoorageError(message, exit_code=Exit.UNANSWERED) from None


def until(place: Place, instance_id: str, wanted: str, context: Context) -> Record:
    """Wait for a state of the instance itself."""
    pauses_s = iter(_PAUSES_S)
    while True:
        found = look(place, instance_id)
        name = found["State"]["Name"] if found else "terminated"
        if found is not None and name == wanted:
            return found
        if name in ("shutting-down", "terminated"):
            raise _lost(place, instance_id, found)
        context.progress(f"waiting for {place.id}: {instance_id} is {name}, not {wanted} yet")
        context.pause(next(pauses_s, _PAUSE_S))


def until_silent(place: Place, inputs: State, instance: Record) -> None:
    """Wait a while for the engine of before to go, so that it proves nothing of the next one."""
    context = place.cloud.context
    end_s = time.monotonic() + _SILENT_S
    while time.monotonic() < end_s:
        try:
            asked(instance, inputs, context)
        except MoorageError:
            return
        context.progress(f"waiting for {place.id} to start again")
        context.pause(_GLANCE_S)


def look(place: Place, instance_id: str) -> Record | None:
    """The instance by its own id."""
    answer = place.cloud.ec2("describe_instances", fine=(_NOT_THERE,), InstanceIds=[instance_id])
    found: list[Record] = [
        one for each in answer.get("Reservations", ()) for one in each["Instances"]
    ]
    return found[0] if found else None


def _ready(wait: _Wait) -> Ready:
    pauses_s = iter(_PAUSES_S)
    while True:
        found = look(wait.place, wait.instance_id)
        state = found["State"]["Name"] if found else "not seen"
        model = _ON.get(state, _gone)(wait, found)
        if found is not None and model is not None:
            return Ready(instance=found, model=model or None)
        _read_console(wait)
        wait.context.progress(
            f"waiting for {wait.place.id} ({wait.age_s:.0f} s): {wait.last}{_quoted(wait.log)}"
        )
        wait.context.pause(next(pauses_s, _PAUSE_S))


def _unseen(wait: _Wait, found: Record | None) -> None:
    """EC2 may not tell at once of what it has just made."""
    if wait.age_s > _EARLY_S:
        raise _lost(wait.place, wait.instance_id, found)
    wait.last = f"{wait.instance_id} is not told of yet"


def _pending(wait: _Wait, _found: Record | None) -> None:
    wait.has_run = True
    wait.last = f"{wait.instance_id} is pending"


def _running(wait: _Wait, found: Record | None) -> str | None:
    """The served name, empty where it is not told; None: it does not serve yet."""
    assert found is not None
    wait.has_run = True
    try:
        return asked(found, wait.inputs, wait.context) or ""
    except NotYet as reason:
        wait.last = f"{wait.instance_id} runs, its engine does not answer: {reason}"
        _knock(wait, found)
    except MoorageError as error:
        log = _console(wait)
        message = f"{wait.place.id} runs and does not serve: {error}{_quoted(log)}"
        raise MoorageError(message, exit_code=Exit.UNANSWERED) from None
    return None


def _knock(wait: _Wait, found: Record) -> None:
    """Say once that nobody gets there from here: it would be waited for, and paid, in vain."""
    wait.ran_s = wait.age_s if wait.ran_s is None else wait.ran_s
    address = found.get("PrivateIpAddress")
    if wait.has_knocked or address is None or wait.age_s - wait.ran_s < _UP_S:
        return
    wait.has_knocked = True
    try:
        socket.create_connection((address, wait.inputs["port"]), timeout=_KNOCK_S).close()
    except ConnectionRefusedError:
        return  # by the machine, whose engine still loads
    except OSError:
        wait.context.warn(
            f"{wait.place.id}: {address} cannot be reached from here, though it runs; up goes on"
            " waiting. It has to run where the gateway runs, with a way into that network, and"
            " allow_from has to let it in"
        )


def asked(instance: Record, inputs: State, context: Context) -> str | None:
    """One real request to its engine; NotYet while it may still come."""
    url = host_state.base_url(instance, inputs)
    if url is None:
        raise NotYet("it has no address yet")
    probe = inputs["probe"]
    answer = ask.prove(
        url,
        inputs.get("key"),
        probe["path"],
        probe.get("body"),
        min(_ASK_S, max(context.remaining_s(), 0.1)),
        given_up=context.cancelled.is_set,
    )
    return answer.model


def _stopped(wait: _Wait, found: Record | None) -> None:
    if not wait.has_run and wait.age_s < _STALE_S:
        wait.last = f"{wait.instance_id} was started, and is not told to be yet"
        return
    if host_state.reason_code(found) in host_quotas.TAKEN:
        raise host_quotas.unstarted(wait.place.id, wait.instance_id, host_state.reason(found))
    log = _console(wait)
    message = (
        f"{wait.place.id} stopped while it was waited for: {host_state.reason(found)}"
        f"{_quoted(log)}; run up again to start it"
    )
    raise MoorageError(message, exit_code=Exit.UNANSWERED)


def _gone(wait: _Wait, found: Record | None) -> None:
    raise _lost(wait.place, wait.instance_id, found, _console(wait))


_ON: Final[dict[str, Callable[[_Wait, Record | None], str | None]]] = {
    "not seen": _unseen,
    "pending": _pending,
    "running": _running,
    "stopping": _stopped,
    "stopped": _stopped,
}


def _lost(place: Place, instance_id: str, found: Record | None, log: str = "") -> MoorageError:
    why, code = host_state.reason(found), host_state.reason_code(found)
    if code in host_quotas.TAKEN:
        kind = "spot instance" if "Spot" in code else "instance"
        return Taken(f"{place.id}: AWS has taken the {kind} {instance_id} back ({why})", code)
    ended = f"{place.id}: {instance_id} ended while it was waited for: {why}{_quoted(log)}"
    cure = host_quotas.cure(code, place.cloud.region) or "run up again for another one"
    return MoorageError(f"{ended}; {cure}", exit_code=Exit.UNANSWERED)


# --- its console


def _console(wait: _Wait) -> str:
    """The last lines of what it has printed; nothing where that cannot be had."""
    return _tail(_printed(wait))


def _printed(wait: _Wait) -> list[str]:
    """Without secrets, for half of one would not be known as such: TEI prints its key."""
    hidden = frozenset({wait.inputs.get("key") or "", *wait.inputs.get("secrets", {}).values()})
    for how in _CONSOLES:
        try:
            answer = wait.place.cloud.ec2("get_console_output", InstanceId=wait.instance_id, **how)
        except (AwsError, OutOfTime):
            continue
        return lines(secrets.masked(str(answer.get("Output") or ""), hidden - {""}))
    return []


def _tail(printed: list[str]) -> str:
    """Of what the engine says, and not of how often."""
    return log_end([line for line in printed if not _ENDED.search(line)])


def _read_console(wait: _Wait) -> None:
    """Why an engine starts again and again stands there alone; one that does so will not serve."""
    if wait.age_s <= max(_BOOTING_S, wait.log_age_s + _CONSOLE_S):
        return
    printed = _printed(wait)
    wait.log, wait.log_age_s = _tail(printed), wait.age_s
    ends = _ends(printed)
    if ends is None:
        return
    if wait.ends is None or ends < wait.ends:  # fewer: the machine has started again
        wait.ends = ends
    if ends - wait.ends >= _MOST_ENDS:
        message = (
            f"{wait.place.id} runs, and its engine ends again and again: {ends} times by"
            f" now{_quoted(wait.log)}; it stays and is billed: correct it and run up again, or"
            " destroy it"
        )
        raise MoorageError(message, exit_code=Exit.UNANSWERED)


def _ends(printed: list[str]) -> int | None:
    """How often the engine has ended since the machine started; None: nobody tells."""
    told = (found for line in reversed(printed) if (found := _ENDED.search(line)))
    return next((int(found[1]) for found in told), None)


def _quoted(log: str) -> str:
    return f"; its console ends: {log}" if log else ""
