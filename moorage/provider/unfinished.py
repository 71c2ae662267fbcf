"""What was begun on a thing and not finished, told as its drift until an update has finished it.

The engine goes on with what failed, but forgets that it has to as soon as it has read the thing
again; a thing that is read before every update would stay as the failure has left it.
"""

from __future__ import annotations

from typing import Final

from moorage.provider.handler import State
from moorage.provider.shape import Shape

UNFINISHED: Final = "what a run began on it is not finished"


def marked(shape: Shape, state: State) -> State:
    """The state of a thing whose create or update has failed."""
    return _told(state) if "drift" in shape.outputs else state


def kept(shape: Shape, before: State, found: State) -> State:
    """What Read has found, still marked where it was, or where its inputs alone were known."""
    if "drift" not in shape.outputs or not before:
        return found
    was_told = bool(before.keys() & shape.outputs.keys() - shape.inputs.keys())
    return found if was_told and UNFINISHED not in (before.get("drift") or "") else _told(found)


def _told(state: State) -> State:
    drift = state.get("drift") or ""
    return (
        state
        if UNFINISHED in drift
        else {**state, "drift": f"{drift}; {UNFINISHED}" if drift else UNFINISHED}
    )
