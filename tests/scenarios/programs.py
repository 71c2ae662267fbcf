"""Programs of scenarios, in words: things, what they hang on, and several of them together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pulumi

from tests.scenarios.story import Program
from tests.scripted.resources import Berth, Thing

Options = Mapping[str, Any]  # of pulumi.ResourceOptions, which are made anew in each run


def thing(called: str, opts: Options | None = None, **inputs: Any) -> Program:
    """A program of one Thing."""
    return _declares(Thing, called, opts, inputs)


def berth(called: str, opts: Options | None = None, **inputs: Any) -> Program:
    """A program of one Berth."""
    return _declares(Berth, called, opts, inputs)


def these(*programs: Program) -> Program:
    """A program of several."""

    def program() -> None:
        for one in programs:
            one()

    return program


def row(*names: str, **inputs: Any) -> Program:
    """Things of which each depends on the one before, by nothing but the order."""

    def program() -> None:
        before: list[pulumi.Resource] = []
        for name in names:
            opts = pulumi.ResourceOptions(depends_on=list(before[-1:]))
            before.append(Thing(name, opts, **inputs.get(name, {})))

    return program


def zone_of(one: Thing | Berth) -> pulumi.Output[str]:
    """A zone that is another one for another thing, so that what stands in it is replaced too."""
    return one.url.apply(lambda url: url.split("//")[1].split(".")[0])


def secret(text: str = "hunter2hunter2") -> pulumi.Output[str]:
    """A value that is marked secret."""
    return pulumi.Output.secret(text)


def _declares(kind: Callable[..., Any], called: str, opts: Options | None, inputs: Any) -> Program:
    def program() -> None:
        kind(called, pulumi.ResourceOptions(**(opts or {})), **inputs)

    return program
