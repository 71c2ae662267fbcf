"""What a resource handler is: a few functions on plain dicts, with a declared shape."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import Any, Literal

from moorage.errors import Exit, MoorageError
from moorage.provider.shape import DRIFT, Field, Shape

__all__ = [
    "DRIFT",
    "Cancelled",
    "Change",
    "Context",
    "Created",
    "Failure",
    "Field",
    "Found",
    "Handler",
    "OutOfTime",
    "Severity",
    "Shape",
    "State",
]

State = dict[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Failure:
    """An input that cannot be, and why."""

    name: str
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """One property that differs; `path` is written as Pulumi writes property paths."""

    path: str
    kind: Literal["add", "delete", "update"]
    replaces: bool
    is_input: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Created:
    """What create made: the id by which it is found again, and its outputs."""

    id: str
    state: State = field(repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """What read found, and the inputs that would declare it."""

    state: State = field(repr=False)
    inputs: State = field(repr=False)
    id: str | None = None  # where it is another than the one that was asked for


class Cancelled(MoorageError):  # noqa: N818  a wish of the user, not a mistake
    """The run was cancelled; what exists by then is kept in state."""

    def __init__(self, message: str = "cancelled; run up again to go on") -> None:
        super().__init__(message, exit_code=Exit.INTERRUPTED)


class OutOfTime(MoorageError):  # noqa: N818
    """The call's time is over; what exists by then is kept in state."""

    def __init__(self, message: str) -> None:
        super().__init__(message, exit_code=Exit.UNANSWERED)


class Severity(IntEnum):
    """How loud a message is, in the engine's own numbers."""

    DEBUG = 0
    INFO = 1
    WARNING = 2


Log = Callable[[Severity, str, bool], None]  # the last: only the newest such line matters


def _nobody(_thing: Created) -> None:
    """Nobody wants to know."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Context:
    """What a handler may know of the call: for whom, until when, and whether it still matters."""

    urn: str
    deadline_s: float  # on time.monotonic's clock
    cancelled: threading.Event
    log: Log = field(repr=False)
    config: Mapping[str, Any] = field(default_factory=dict, repr=False)  # of the provider
    announce: Callable[[Created], None] = field(default=_nobody, repr=False)

    def exists(self, id_: str, state: State) -> None:
        """Say that the thing exists: from here on it is in state, whatever happens.

        To be said the moment that the id is known, before any waiting; a later word replaces
        an earlier one. Whatever is raised afterwards leaves a resource that the next `up` goes on
        with, by an update.
        """
        self.announce(Created(id=id_, state=state))

    def pause(self, seconds: float) -> None:
        """Wait a little; raises at once when the run is cancelled, or the time is over."""
        left_s = self.remaining_s()
        if self.cancelled.wait(min(seconds, left_s)):
            raise Cancelled
        if seconds >= left_s:
            raise OutOfTime(
                "the time for it is over; run up again to wait on, or set customTimeouts"
            )

    def progress(self, text: str) -> None:
        """Say what is being waited for; a newer line takes its place."""
        self.log(Severity.INFO, text, True)

    def warn(self, text: str) -> None:
        """Say what the user should know even when all goes well."""
        self.log(Severity.WARNING, text, False)

    def steady(self) -> Context:
        """The same call, not ended by a cancel: to learn the id of what was just asked for.

        The framework waits for that after a cancel, as long as nothing is said to exist.
        """
        return replace(self, cancelled=threading.Event())

    def remaining_s(self) -> float:
        """The time that is left, never negative."""
        return max(0.0, self.deadline_s - time.monotonic())


def _fine(_inputs: State) -> list[Failure]:
    return []


def _as_is(changes: list[Change], _old: State, _new: State) -> list[Change]:
    return changes


def _nothing_more(_inputs: State, _state: State | None) -> State:
    return {}


def _no_word(_inputs: State, _state: State | None) -> str | None:
    return None


def _nothing_left(_inputs: State, _context: Context) -> str | None:
    return None


@dataclass(frozen=True, kw_only=True, slots=True)
class Handler:
    """The functions of one resource type; `check`, `diff`, `preview` and `notice` must be pure.

    create: adopt what is ours already, or make it; `context.exists` as soon as the id is known.
    read: look at the thing by its id alone, when state and inputs are empty; None when it is gone.
    update: make it as declared, from whatever it is now; doing it twice changes nothing. None:
        every change of an input replaces the thing.
    delete: take it away; one that is gone already is fine.
    check: judge well-formed inputs together; not called while any of them is unknown.
    diff: the changes that the shape tells, with those that mean nothing taken out.
    preview: outputs that are known before the run; members of the inputs may be UNKNOWN.
    notice: what a preview should say aloud of the change, known as `preview` knows it.
    locate: the id of what an interrupted create left behind, asked of the real thing.
    needs: modules that the functions load when they are called; whoever waits may load them ahead.
    """

    shape: Shape
    create: Callable[[State, Context], Created]
    read: Callable[[str, State, State, Context], Found | None]
    delete: Callable[[str, State, Context], None]
    update: Callable[[str, State, State, Context], State] | None = None
    check: Callable[[State], list[Failure]] = _fine
    diff: Callable[[list[Change], State, State], list[Change]] = _as_is
    preview: Callable[[State, State | None], State] = _nothing_more
    notice: Callable[[State, State | None], str | None] = _no_word
    locate: Callable[[State, Context], str | None] = _nothing_left
    needs: tuple[str, ...] = ()
