"""When the same thing is asked again: what passes soon, and what was asked too often."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Final

from moorage.provider.handler import Context
from moorage.provider.hugging_face import faults
from moorage.provider.hugging_face.exchange import Answer

_PAUSES_S: Final = (0.3, 1.0, 3.0)
_LONGEST_PAUSE_S: Final = 30.0

# Between turns where a 429 names no time: together longer than the Hub's windows of 300 s.
_TURNS_S: Final = (1.0, 3.0, 10.0, 30.0, 60.0, 60.0, 60.0, 60.0, 60.0)
_LEAST_TURN_S: Final = 0.5
_SPREAD_S: Final = 1.0  # so that all who were refused at once do not come back at once


def read(ask: Callable[[], Answer], what: str, context: Context) -> Answer:
    """The answer to what may be asked as often as one likes."""
    return tried(lambda: in_turn(ask, what, context), faults.leaves_doubt, context)


def tried(
    ask: Callable[[], Answer], is_passing: Callable[[Answer], bool], context: Context
) -> Answer:
    """The last of a few answers; pauses in between that the other side may make longer."""
    for pause_s in _PAUSES_S:
        answer = ask()
        wanted_s = max(pause_s, answer.retry_after_s or 0.0)
        if not is_passing(answer) or wanted_s > min(_LONGEST_PAUSE_S, context.remaining_s()):
            return answer
        context.pause(wanted_s)
    return ask()


def in_turn(ask: Callable[[], Answer], what: str, context: Context) -> Answer:
    """The first answer that is no 429. A 429 says that nothing was done, so writes wait as well.

    It is the answer all the same where the wait would be longer than the call may take.
    """
    turn = 0
    while faults.is_too_often(answer := ask()):
        turn += 1
        wait_s = _wait_s(answer, turn)
        if wait_s is None or wait_s >= context.remaining_s():
            break
        told = f"Hugging Face was asked too often ({turn} x 429), asking again in {wait_s:.0f} s"
        context.progress(f"{what}: {told}")
        context.pause(wait_s)
    return answer


def _wait_s(answer: Answer, turn: int) -> float | None:
    """As the answer says, else longer every time; None when that was enough."""
    named_s = answer.retry_after_s
    if named_s is None and turn > len(_TURNS_S):
        return None
    wait_s = _TURNS_S[turn - 1] if named_s is None else max(named_s, _LEAST_TURN_S)
    return wait_s + random.uniform(0.0, _SPREAD_S)  # noqa: S311  a spread, no secret
