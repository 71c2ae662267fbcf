"""What is spared of Pulumi's SDK: its waits for one thing after the other, and its chat."""

from __future__ import annotations

import asyncio
import gc
import warnings
from collections.abc import Iterator
from typing import Any

import pulumi
import pytest
from pulumi.runtime import resource
from pulumi.runtime.settings import SETTINGS

from moorage.deploy import sdk
from moorage.deploy.events import Registered


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """The SDK is one for all tests of a process."""
    kept, threshold = pulumi.log.debug, gc.get_threshold()
    trace = resource._get_stack_trace
    with warnings.catch_warnings():
        yield
    pulumi.log.debug = kept
    resource._get_stack_trace = trace
    gc.set_threshold(*threshold)
    SETTINGS.outputs.clear()


def test_the_end_is_when_all_is_known_and_what_follows_from_it() -> None:
    async def program() -> list[str]:
        told: list[str] = []
        late: Any = asyncio.get_running_loop().create_future()
        wanted: pulumi.Output[Any] = pulumi.Output.from_input(late)

        def tell(one: str) -> str:
            told.append(one)
            return f"{one}r"

        wanted.apply(tell).apply(tell)
        asyncio.get_running_loop().call_later(0.05, late.set_result, "late")
        await asyncio.wait_for(sdk.settled(), 5)
        return told

    assert asyncio.run(program()) == ["late", "later"]
    assert not SETTINGS.outputs


def test_a_failure_ends_the_wait_for_the_rest_and_is_left_to_the_sdk() -> None:
    async def program() -> bool:
        never: Any = asyncio.get_running_loop().create_future()
        waits: pulumi.Output[Any] = pulumi.Output.from_input(never)
        fails = pulumi.Output.from_input("text").apply(int)
        await asyncio.wait_for(sdk.settled(), 5)
        kept = {waits._data, fails._data} <= set(SETTINGS.outputs)
        never.cancel()
        return kept

    assert asyncio.run(program())


def test_what_is_declared_is_told_here_and_the_engine_hears_nothing_of_it() -> None:
    told: list[Registered] = []
    sdk.quiet(told.append)
    pulumi.log.debug("registering resource: ty=a:b:C, name=one, custom=True, remote=False")
    pulumi.log.debug("beginning rpc register")
    assert told == [Registered(kind="a:b:C", name="one")]


@pytest.mark.parametrize("depth", [1, 2], ids=["a resource", "a resource with a typed front"])
def test_of_all_frames_only_the_one_that_declares_a_resource_is_told(depth: int) -> None:
    class Base:  # as the SDK's classes call one another
        def __init__(self) -> None:
            self.full = original()
            self.ours = resource._get_stack_trace()

    class Custom(Base):
        def __init__(self) -> None:
            super().__init__()

    class Thing(Custom):
        def __init__(self) -> None:
            self.front() if depth == 2 else super().__init__()

        def front(self) -> None:
            super().__init__()

    original = resource._get_stack_trace
    sdk.quiet(lambda _one: None)
    thing = Thing()
    assert [*thing.ours.frames] == [thing.full.frames[0]]
    assert thing.ours.frames[0].pc.uri.endswith("/test_sdk.py")
    assert len(thing.full.frames) > 1
