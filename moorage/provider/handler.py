"""What a resource handler is: a module of plain functions on plain dicts, with a declared shape."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Literal, Protocol

from moorage.errors import Exit, MoorageError

State = dict[str, Any]
Kind = Literal["string", "integer", "number", "boolean", "strings", "map", "object"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Field:
    """One property: its kind, its meaning, and what a change of it does."""

    kind: Kind
    doc: str
    required: bool = False
    secret: bool = False
    replaces: bool = False
    default: Any = None
    choices: tuple[str, ...] = ()
    fields: Mapping[str, Field] = field(default_factory=dict)  # the members of an "object"


@dataclass(frozen=True, kw_only=True, slots=True)
class Shape:
    """A resource type; checks, diffs and the package schema are derived from it.

    The outputs of a resource are its inputs and these `outputs`. `drift` among them is
    understood everywhere: a sentence that Read found something changed, cleared by Update.
    """

    doc: str
    inputs: Mapping[str, Field]
    outputs: Mapping[str, Field]
    delete_before_replace: bool = False
    refresh_before_update: bool = False  # for what can die or change by itself


DRIFT = Field(kind="string", doc="What was found changed outside; empty when all is as declared.")


@dataclass(frozen=True, kw_only=True, slots=True)
class Failure:
    """An input that cannot be, and why."""

    name: str
    reason: str


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


class Incomplete(Exception):  # noqa: N818  it is a state of the thing, reported by raising
    """The thing exists and is not as it should be: it is kept in state, the next `up` goes on."""

    def __init__(self, reason: str, *, thing: Created) -> None:
        super().__init__(reason)
        self.thing = thing


class Cancelled(MoorageError):  # noqa: N818
    """The run was cancelled before anything was made."""

    def __init__(self, message: str = "cancelled; run up again to go on") -> None:
        super().__init__(message, exit_code=Exit.INTERRUPTED)


class Severity(IntEnum):
    """How loud a message is, in the engine's own numbers."""

    DEBUG = 0
    INFO = 1
    WARNING = 2


Log = Callable[[Severity, str, bool], None]  # the last: only the newest such line matters


@dataclass(frozen=True, kw_only=True, slots=True)
class Context:
    """What a handler may know of the call: for whom, until when, and whether it still matters."""

    urn: str
    deadline_s: float  # on time.monotonic's clock
    cancelled: threading.Event
    log: Log = field(repr=False)

    def progress(self, text: str) -> None:
        """Say what is being waited for; a newer line takes its place."""
        self.log(Severity.INFO, text, True)

    def warn(self, text: str) -> None:
        """Say what the user should know even when all goes well."""
        self.log(Severity.WARNING, text, False)

    def remaining_s(self) -> float:
        """The time that is left, never negative."""
        return max(0.0, self.deadline_s - time.monotonic())


class Handler(Protocol):
    """The functions of a handler module."""

    @property
    def SHAPE(self) -> Shape: ...  # noqa: N802

    def check(self, inputs: State) -> list[Failure]:
        """Judge well-formed inputs further, without network; members may be UNKNOWN."""
        ...

    def preview(self, inputs: State, state: State | None) -> State:
        """Outputs that are known before the run; the others of the shape become unknown."""
        ...

    def create(self, inputs: State, context: Context) -> Created:
        """Adopt or create; raise Incomplete once the thing exists."""
        ...

    def read(self, id_: str, state: State, inputs: State, context: Context) -> Found | None:
        """Look at the thing; None when it is gone."""
        ...

    def update(self, id_: str, state: State, inputs: State, context: Context) -> State:
        """Make the thing as declared; doing it twice changes nothing."""
        ...

    def delete(self, id_: str, state: State, context: Context) -> None:
        """Take the thing away; one that is gone already is fine."""
        ...

    def locate(self, inputs: State) -> str | None:
        """The id of what an interrupted create left behind."""
        ...
