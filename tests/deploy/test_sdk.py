"""What is spared of Pulumi's SDK: its waits for one thing after the other, and its chat."""

from __future__ import annotations

import asyncio
import gc
import warnings
from collections.abc import Iterator
from typing import Any

import pulumi
import pytest
from pulumi.runtime.settings import SETTINGS

from moorage.deploy import sdk
from moorage.deploy.events import Registered


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """The SDK is one for all tests of a process."""
    kept, threshold = pulumi.log.debug, gc.get_threshold()
    with warnings.catch_warnings():
        yield
    pulumi.log.debug = kept
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
