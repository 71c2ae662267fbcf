"""The wait for a GpuHost: what EC2 tells late, what the console tells, what will never serve."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import chain, count, repeat

import pytest

from moorage.provider.aws import host_wait
from moorage.provider.testing.client import EngineEar
from tests.aws import gaps
from tests.aws.proxy import Answer, Call
from tests.provider.aws.hosts import KEY, World, only, reason

SPOT_GONE = "Server.SpotInstanceTermination: Spot instance termination"
NOWHERE = b"224.0.0.1"  # of a group, which nobody can connect to


@pytest.mark.thorough
def test_what_was_just_made_may_not_be_told_of_at_once(at: World) -> None:
    at.strike(action="DescribeInstances", code="InvalidInstanceID.NotFound", after=1, times=3)
    assert at.create().state["state"] == "running"


def test_a_start_may_not_be_told_of_at_once(at: World) -> None:
    made = at.create()
    only(at).stop()
    reason(only(at), "Client.UserInitiatedShutdown", "by somebody")
    stopped = b"<code>80</code><name>stopped</name>"
    stale = iter([True, True])

    def late(call: Call, answer: Answer) -> Answer:
        started = "StartInstances" in at.cloud.proxy.writes
        if call.action != "DescribeInstances" or not started or not next(stale, False):
            return answer
        running = re.compile(rb"<code>16</code>\s*<name>running</name>")
        return replace(answer, body=running.sub(stopped, answer.body))

    at.cloud.proxy.answers.append(late)
    try:
        assert at.update(made).state["state"] == "running"
    finally:
        at.cloud.proxy.answers.remove(late)
    assert next(stale, None) is None, "it was told so"


@contextmanager
def a_console(at: World, text: Callable[[], str]) -> Iterator[list[str]]:
    """What every instance prints; the instances that were asked for it."""
    read: list[str] = []

    def console(call: Call, answer: Answer) -> Answer:
        if call.action != "GetConsoleOutput":
            return answer
        read.append(call.form["InstanceId"])
        return replace(answer, body=gaps.console(call.form["InstanceId"], text()))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(host_wait, "_BOOTING_S", 0.0)
        patch.setattr(host_wait, "_CONSOLE_S", 0.0)
        at.cloud.proxy.answers.append(console)
        try:
            yield read
        finally:
            at.cloud.proxy.answers.remove(console)


@pytest.mark.thorough
def test_the_console_is_quoted_while_and_where_it_does_not_get_ready(at: World) -> None:
    text = "booted\r\n\x1b[31mno space left on device\x1b[0m\n"
    with a_console(at, lambda: text) as read:
        line, _ = at.failed(lambda: at.create(port=at.cloud.loading_port, readyTimeoutSeconds=1))
    assert "does not serve after 1 s" in line
    assert "its console ends: booted | no space left on device" in line
    assert len(read) > 1  # not at the end alone


@pytest.mark.thorough
def test_not_even_half_of_a_key_is_quoted(at: World) -> None:
    """TEI prints its arguments, the key among them."""
    text = f'Args {{ api_key: Some("{KEY}"), {"x" * (host_wait._MOST_LOG - 16)} }}\n'
    with a_console(at, lambda: text):
        line, _ = at.failed(lambda: at.create(port=at.cloud.loading_port, readyTimeoutSeconds=1))
    assert "xxx" in line
    assert KEY[-10:] not in line


def test_an_engine_that_ends_again_and_again_is_not_waited_for(at: World) -> None:
    times = count(7)

    def text() -> str:
        return f"CUDA out of memory\nmoorage: the engine has ended {next(times)} times\n"

    with a_console(at, text) as read:
        line, kept = at.failed(lambda: at.create(port=at.cloud.loading_port))
    assert "its engine ends again and again: 9 times by now; its console ends: CUDA out" in line
    assert "times\n" not in line
    assert len(read) == 3
    assert kept is not None
    assert kept.state["instanceId"] == only(at).id


@pytest.mark.thorough
def test_an_engine_that_has_ended_while_its_machine_came_up_is_waited_for(at: World) -> None:
    times = chain([3], repeat(1))  # and then the machine has started again

    def text() -> str:
        return f"moorage: the engine has ended {next(times)} times\nloading\n"

    with a_console(at, text) as read:
        line, _ = at.failed(lambda: at.create(port=at.cloud.loading_port, readyTimeoutSeconds=1))
    assert "does not serve after 1 s" in line
    assert len(read) > 3


@pytest.mark.parametrize(("address", "is_told"), [(NOWHERE, True), (b"127.0.0.1", False)])
def test_a_machine_that_nobody_reaches_from_here_is_told_early(
    at: World, ear: EngineEar, monkeypatch: pytest.MonkeyPatch, *, address: bytes, is_told: bool
) -> None:
    monkeypatch.setattr(host_wait, "_UP_S", 0.0)
    monkeypatch.setattr(host_wait, "_KNOCK_S", 0.2)

    def elsewhere(_call: Call, answer: Answer) -> Answer:
        return replace(answer, body=answer.body.replace(b"127.0.0.1", address))

    at.cloud.proxy.answers.append(elsewhere)
    try:
        at.failed(lambda: at.create(port=1, readyTimeoutSeconds=2))
    finally:
        at.cloud.proxy.answers.remove(elsewhere)
    said = [one.message for one in ear.lines if "cannot be reached from here" in one.message]
    assert len(said) == is_told


@pytest.mark.thorough
def test_a_spot_instance_taken_back_while_it_is_waited_for_is_told(at: World) -> None:
    def take_back(call: Call, answer: Answer) -> Answer:
        for instance in at.cloud.live if call.action == "RunInstances" else ():
            instance.terminate()
            reason(instance, "Server.SpotInstanceTermination", SPOT_GONE)
        return answer

    at.cloud.proxy.answers.append(take_back)
    try:
        line, kept = at.failed(lambda: at.create(market="spot"))
    finally:
        at.cloud.proxy.answers.remove(take_back)
    assert "AWS has taken the spot instance" in line
    assert kept is not None
    assert at.update(kept, market="spot").state["state"] == "running"
