"""What a scenario is: steps on stacks, and after each of them what must be so."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from moorage.deploy.options import DEFAULT, Options
from tests.scenarios.world import World
from tests.scripted.cloud import Body

Program = Callable[[], None]
Deed = Callable[[World], None]


def nothing() -> None:
    """A program that declares nothing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One operation, what is special about the world in it, and what must come of it."""

    do: str | Deed  # an operation of the driver, or anything else that a person may do
    program: Program = nothing
    options: Options = DEFAULT
    stacks: tuple[str, ...] = ("local",)  # several: all at once, each in a process of its own
    edition: str = ""  # of the provider, see tests/scripted/editions.py
    before: Deed | None = None  # what happens in the cloud before
    meanwhile: Deed | None = None  # and during it
    faults: tuple[Body, ...] = ()

    # The handlers' calls in order, a set where any order will do; with the cloud's own calls
    # (in capitals) where those matter.
    calls: tuple[str | frozenset[str], ...] | None = ()
    # `name: id (marks)` of what the state holds in all stacks, in any order; None: as before.
    state: tuple[str, ...] | None = None
    remote: tuple[str, ...] | None = None  # keys of what there is; None: what the state says
    code: int = 0
    says: tuple[str, ...] = ()  # parts of what a person reads
    silent: tuple[str, ...] = ()  # and what nobody may read
    holds: Mapping[str, Any] = field(default_factory=dict)  # `name.inputs.size` in the state


@dataclass(frozen=True, kw_only=True, slots=True)
class Scenario:
    """A story told to the real engine; its name says what it proves."""

    name: str
    steps: tuple[Step, ...]
    sample: bool = False  # part of every test run, for the little time that it takes


def scenario(name: str, *steps: Step, sample: bool = False) -> Scenario:
    """A scenario of these steps."""
    return Scenario(name=name, steps=steps, sample=sample)


def _step(do: str, program: Program = nothing, **rest: Any) -> Step:
    return Step(do=do, program=program, **rest)


up = partial(_step, "up")
preview = partial(_step, "preview")
refresh = partial(_step, "refresh")
destroy = partial(_step, "destroy")


def by_hand(deed: Deed, **rest: Any) -> Step:
    """A step that is no operation of the driver."""
    return Step(do=deed, **rest)


def any_order(*calls: str) -> frozenset[str]:
    """Calls that nothing puts in order."""
    return frozenset(calls)


def fault(on: str, say: str, *, after: bool = False, times: int = 1) -> Body:
    """The cloud fails at a call, once it is done with it or before it begins."""
    return {"on": on, "say": say, "after": after, "times": times}
