"""A run is what a display knows of the operation that it shows: what is at work, done, failed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pulumi.automation.events import StepEventMetadata

from moorage.deploy.events import (
    Began,
    Ended,
    Event,
    Failed,
    Finished,
    Registered,
    Said,
    Started,
    is_component,
)
from moorage.deploy.show import values
from moorage.deploy.show.money import Money
from moorage.deploy.show.words import WORDS
from moorage.deploy.urns import is_internal, is_stack, name_of, type_of

Clock = Callable[[], float]


@dataclass(kw_only=True, slots=True)
class Row:
    """A resource that is being worked on."""

    urn: str
    step: str
    began_s: float
    component: bool = False
    said: str = ""
    told: str = ""  # the newest of what was said that has been shown
    told_s: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Counts:
    """How many resources are in which state."""

    waiting: int
    at_work: int
    done: int
    failed: int


@dataclass
class Run:
    """The state of one operation, as its events tell it."""

    clock: Clock = time.monotonic
    operation: str = ""
    stack: str = ""
    began_s: float = 0.0
    active: bool = False
    rows: dict[str, Row] = field(default_factory=dict)
    parents: dict[str, str] = field(default_factory=dict)
    money: Money = field(default_factory=Money)
    outputs: dict[str, str] = field(default_factory=dict)  # name -> added, changed or removed
    secret_outputs: set[str] = field(default_factory=set)
    _declared: set[tuple[str, str]] = field(default_factory=set)
    _seen: set[tuple[str, str]] = field(default_factory=set)
    _done: set[str] = field(default_factory=set)
    _failed: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.began_s = self.clock()

    @property
    def preview(self) -> bool:
        """Whether nothing is truly done."""
        return self.operation == "preview"

    @property
    def counts(self) -> Counts:
        """How many resources are in which state; Pulumi's book-keeping does not count."""
        return Counts(
            waiting=len(self._declared - self._seen),
            at_work=sum(1 for _ in self.at_work()),
            done=len(self._done - self._failed - self.rows.keys()),
            failed=len(self._failed),
        )

    def at_work(self) -> Iterator[Row]:
        """What is truly worked on, the longest first: neither components nor book-keeping."""
        for row in self.rows.values():
            if not row.component and not is_internal(row.urn):
                yield row

    def elapsed_s(self) -> float:
        """Since the operation began."""
        return self.clock() - self.began_s

    def take(self, event: Event) -> Row | None:
        """Take an event into account; the row that it is about, where there is one."""
        match event:
            case Registered() if not event.kind.startswith("pulumi:"):
                self._declared.add((event.kind, event.name))
            case Started():
                return self._started(event)
            case Finished() | Failed():
                return self._over(event)
            case Said():
                return self._said(event)
            case Ended():
                self.active = False
            case _:
                pass
        return None

    def _started(self, event: Started) -> Row:
        component = is_component(event)
        row = Row(urn=event.urn, step=event.step, began_s=self.clock(), component=component)
        self.rows[event.urn] = row
        self._know(event.urn, event.detail)
        self.money.take(event)
        return row

    def _over(self, event: Finished | Failed) -> Row | None:
        self.money.take(event)
        if is_stack(event.urn) and event.detail is not None:
            self._take_outputs(event.detail)
        row = self.rows.pop(event.urn, None)
        if row is not None and not row.component and not is_internal(event.urn):
            (self._failed if isinstance(event, Failed) else self._done).add(event.urn)
        return row

    def _said(self, event: Said) -> Row | None:
        row = self.rows.get(event.urn)
        if row is not None and event.severity != "error":
            row.said = " ".join(event.text.split())
        return row

    def _know(self, urn: str, detail: StepEventMetadata | None) -> None:
        self._seen.add((type_of(urn), name_of(urn)))
        state = (detail.new or detail.old) if detail else None
        if state is not None and state.parent:
            self.parents[urn] = state.parent

    def _take_outputs(self, detail: StepEventMetadata) -> None:
        old = _properties(detail.old)
        new = _properties(detail.new)
        self.outputs = {
            name: "added" if name not in old else "removed" if name not in new else "changed"
            for name in sorted({*old, *new})
            if old.get(name) != new.get(name) or (name in old) != (name in new)
        }
        self.secret_outputs = {
            name
            for name in self.outputs
            if any(True for side in (old, new) for _ in values.secret_paths(side.get(name)))
        }

    def changed_outputs(self) -> list[str]:
        """The names of the stack's outputs that changed, with how; the secret ones are marked."""
        signs = {"added": "+", "removed": "-", "changed": "~"}
        return [
            f"{signs[how]}{name}{f' {values.SECRET}' if name in self.secret_outputs else ''}"
            for name, how in self.outputs.items()
        ]


def follow(run: Run, event: Event) -> Run:
    """The run that an event belongs to: nothing of an earlier operation stays in the next one."""
    if not isinstance(event, Began):
        return run
    return Run(clock=run.clock, operation=event.operation, stack=event.stack, active=True)


def step_of(row: Row | None, event: Finished | Failed) -> str:
    """What a step was: what it began as, unless only its end tells (a look that found a drift)."""
    return row.step if row is not None and row.step in WORDS else event.step


def found_drift(row: Row | None, event: Finished | Failed) -> bool:
    """Whether a look at a thing found that it is not as the state says."""
    return row is not None and row.step == "refresh" and event.step in {"update", "delete"}


def _properties(state: Any) -> Mapping[str, Any]:
    return (state.outputs or {}) if state is not None else {}
