"""What is done to an endpoint; where an answer is lost, a look tells whether it was done."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain, repeat
from typing import Final, NoReturn

from moorage.errors import Exit, MoorageError
from moorage.provider.handler import Context, State
from moorage.provider.hugging_face import client, faults, things
from moorage.provider.hugging_face.client import Done, Outcome, Record, Refused, Unknown
from moorage.provider.hugging_face.endpoints import endpoint_body, endpoint_drift, endpoint_states
from moorage.provider.hugging_face.endpoints.endpoint_place import Place
from moorage.provider.hugging_face.exchange import Answer
from moorage.provider.hugging_face.faults import PassingError

_LOOKS_S: Final = (0.0, 0.5, 1.5)
_TRIES_S: Final = (0.3, 1.0, 3.0)  # between the tries of what may be done twice
_LONGEST_PAUSE_S: Final = 30.0
_ENDING_S: Final = (0.1, 0.4, 1.0, 2.0)  # between looks at what ends; then a longer pause
_ENDING_LONG_S: Final = 4.0
_CONFLICT: Final = 409
_NOT_FOUND: Final = 404
_BAD: Final = 400


def make(
    place: Place, inputs: State, doubtful: Callable[[], None], context: Context
) -> tuple[Record, bool]:
    """Ask for it once, and never twice; `doubtful` is told when nobody can say what came of it.

    With it comes whether it is surely new: where the answer was lost, what a look finds may also
    be one that was there before.
    """
    body = endpoint_body.created(inputs, place.owner)
    outcome = client.create(place.service, place.account, body, context)
    if isinstance(outcome, Refused) and outcome.status != _CONFLICT:
        raise outcome.fail()
    if isinstance(outcome, Done) and outcome.record is not None:
        return outcome.record, True
    try:
        found = _made(place, context)
    except MoorageError:
        doubtful()
        raise
    if found is None:
        _not_made(outcome, doubtful)
    place.refuse_foreign(found)
    return found, False


def _made(place: Place, context: Context) -> Record | None:
    for pause_s in _LOOKS_S:
        context.pause(pause_s)
        found = place.look(context)
        if found is not None:
            return found
    return None


def _not_made(outcome: Outcome, doubtful: Callable[[], None]) -> NoReturn:
    """It is not there; where no answer came, it may still come to be, so it is kept in mind."""
    if isinstance(outcome, Refused):
        raise outcome.fail()
    doubtful()
    told = str(outcome) if isinstance(outcome, Unknown) else "Hugging Face tells of no endpoint"
    message = f"{told} (nothing was made so far; the next run looks again)"
    raise MoorageError(message, exit_code=Exit.UNANSWERED)


def change(place: Place, inputs: State, found: Record, state: State, context: Context) -> Record:
    """Make it as declared; to ask for that again is harmless, so a lost answer costs nothing.

    Secrets cannot be read back: where there are some, a look cannot tell that it was done.
    """
    body = endpoint_body.changed(inputs, place.owner, found, state)
    hides = bool({"secrets", "registry"} & inputs.keys())
    before = found["status"].get("updatedAt")

    def is_done() -> Record | None:
        now = _there(place, context)
        differs = hides or endpoint_drift.differences(now, place.account, inputs)
        moved = before is not None and endpoint_states.is_newer(now["status"], before)
        return now if moved and not differs and place.has_our_mark(now) else None

    return _repeated(
        place,
        lambda: client.change(place.service, place.account, place.name, body, context),
        is_done,
        context,
    )


def pause(place: Place, context: Context) -> Record:
    """Stop it; it costs nothing from the moment that its last replica is gone."""

    def is_done() -> Record | None:
        now = _there(place, context)
        return now if now["status"]["state"] == "paused" else None

    found = _repeated(
        place,
        lambda: client.pause(place.service, place.account, place.name, context),
        is_done,
        context,
    )
    pauses_s = _ending_s()
    while found["status"]["state"] != "paused" or found["status"].get("readyReplica"):
        context.progress(f"waiting for {place.id} to rest: {found['status']['state']}")
        context.pause(next(pauses_s))
        found = _there(place, context)
    return found


def resume(place: Place, context: Context) -> Record:
    """Start it; one that runs already is refused, which is as good."""

    def is_done() -> Record | None:
        now = _there(place, context)
        return now if now["status"]["state"] != "paused" else None

    return _repeated(
        place,
        lambda: client.resume(place.service, place.account, place.name, context),
        is_done,
        context,
        fine=_BAD,
    )


def delete(place: Place, context: Context) -> None:
    """End it, and wait until it is not told of any more."""
    for pause_s in (*_TRIES_S, None):
        outcome = client.delete(place.service, place.account, place.name, context)
        if isinstance(outcome, Done):
            _until_gone(place, context)
            return
        if isinstance(outcome, Refused) and outcome.status != _NOT_FOUND:
            raise outcome.fail()
        found = place.look_twice(context)
        if found is None or not place.is_ours(found):
            return
        if pause_s is None:
            message = f"{faults.told(outcome.answer, outcome.asked)}; it is still there"
            raise PassingError(message)
        context.pause(_asked_pause_s(outcome.answer, pause_s))


def _until_gone(place: Place, context: Context) -> None:
    pauses_s = _ending_s()
    while (found := place.look(context)) is not None and place.is_ours(found):
        context.progress(f"waiting for {place.id} to go: {found['status']['state']}")
        context.pause(next(pauses_s))


def _ending_s() -> Iterator[float]:
    return chain(_ENDING_S, repeat(_ENDING_LONG_S))


def _repeated(
    place: Place,
    write: Callable[[], Outcome],
    is_done: Callable[[], Record | None],
    context: Context,
    *,
    fine: int | None = None,
) -> Record:
    """The endpoint after a write that may be made again, or the line that says why it was not."""
    for pause_s in (*_TRIES_S, None):
        outcome = write()
        if isinstance(outcome, Done):
            return outcome.record or _there(place, context)
        if isinstance(outcome, Refused) and outcome.status != fine:
            raise outcome.fail()
        found = is_done()
        if found is not None:
            return found
        if isinstance(outcome, Refused):
            raise outcome.fail()
        if pause_s is None:
            raise PassingError(str(outcome))
        context.pause(_asked_pause_s(outcome.answer, pause_s))
    raise AssertionError("the last try returns or raises")


def _asked_pause_s(answer: Answer, pause_s: float) -> float:
    return min(max(pause_s, answer.retry_after_s or 0.0), _LONGEST_PAUSE_S)


def _there(place: Place, context: Context) -> Record:
    found = place.look(context)
    if found is None:
        raise things.gone(place.id)
    return found
