"""The wait for a GpuHost: what EC2 tells late, what the console tells, what will never serve."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import chain, count, repeat

import pytest

from moorage.provider.aws import host_wait
from moorage.provider.serving import log
from moorage.provider.testing.client import EngineEar
from tests.aws import gaps
from tests.aws.proxy import Answer, Call
from tests.provider.aws.hosts import KEY, World, only, reason

NO_ROOM = "Server.InsufficientInstanceCapacity"
SPOT_GONE = "Server.SpotInstanceTermination"
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
    text = f'Args {{ api_key: Some("{KEY}"), {"x" * (log._MOST_TOLD - 16)} }}\n'
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


@contextmanager
def ends_at_once(at: World, code: str, *, times: int | None = None) -> Iterator[None]:
    """EC2 gives instances, and ends them before they serve, as it does where it has none left."""
    ends = count()

    def end(call: Call, answer: Answer) -> Answer:
        for instance in at.cloud.live if call.action == "RunInstances" else ():
            if times is None or next(ends) < times:
                instance.terminate()
                reason(instance, code, f"{code}: of EC2")
        return answer

    at.cloud.proxy.answers.append(end)
    try:
        yield
    finally:
        at.cloud.proxy.answers.remove(end)


@pytest.mark.parametrize("code", [NO_ROOM, SPOT_GONE])
def test_where_an_instance_is_taken_back_before_it_serves_the_next_zone_is_asked(
    at: World, ear: EngineEar, code: str
) -> None:
    with ends_at_once(at, code, times=1):
        made = at.create(market="spot")
    assert made.state["subnetId"] == at.cloud.subnets[1]
    assert made.state["instanceId"] == only(at).id
    assert any("has taken the" in one.message for one in ear.lines)


def test_where_every_zone_takes_it_back_it_is_said_and_made_by_the_next_run(at: World) -> None:
    with ends_at_once(at, SPOT_GONE):
        line, kept = at.failed(lambda: at.create(market="spot"))
    assert "there is no spot g6.xlarge now (eu-west-1a Server.SpotInstanceTermination, eu" in line
    assert kept is not None
    assert at.update(kept, market="spot").state["state"] == "running"
    only(at)


def test_one_that_is_taken_back_and_not_needed_is_left_out(at: World) -> None:
    with ends_at_once(at, NO_ROOM):
        made = at.create(needed=False)
    assert (made.state["state"], made.state.get("url")) == ("none", None)
    assert NO_ROOM in made.state["drift"]


def test_one_that_is_waited_for_again_and_taken_back_then_is_bought_elsewhere(at: World) -> None:
    _, kept = at.failed(lambda: at.create(port=at.cloud.loading_port, readyTimeoutSeconds=1))
    assert kept is not None
    first = only(at)

    def end(call: Call, answer: Answer) -> Answer:
        if "InstanceId.1" not in call.form or first.state != "running":
            return answer
        first.terminate()
        reason(first, NO_ROOM, NO_ROOM)
        running = re.compile(rb"<code>16</code>\s*<name>running</name>")
        return replace(answer, body=running.sub(b"<code>0</code><name>pending</name>", answer.body))

    at.cloud.proxy.answers.append(end)
    try:
        made = at.update(kept)
    finally:
        at.cloud.proxy.answers.remove(end)
    assert made.state["subnetId"] == at.cloud.subnets[1]
    assert made.state["instanceId"] == only(at).id


@pytest.mark.parametrize("needed", [True, False])
def test_a_stopped_one_that_its_zone_cannot_start_is_told_or_left_out(
    at: World, *, needed: bool
) -> None:
    made = at.create()
    only(at).stop()
    code = "InsufficientInstanceCapacity"
    at.strike(action="StartInstances", code=code, status=500)
    if needed:
        line, _ = at.failed(lambda: at.update(made))
    else:
        line = str(at.update(made, needed=False).state["drift"])
    assert "is stopped, and its zone has no room to start it" in line
    assert f"aws ec2 terminate-instances --instance-ids {only(at).id}" in line


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("Client.VolumeLimitExceeded", "--service-code ebs --quota-code L-7A658B76"),
        ("Client.InternalError", "the KMS key that encrypts disks"),
        ("Server.InternalError", "run up again for another one"),
    ],
)
def test_one_that_ends_for_another_reason_is_not_bought_again(
    at: World, code: str, says: str
) -> None:
    before = at.cloud.proxy.writes.count("RunInstances")
    with ends_at_once(at, code):
        line, _ = at.failed(at.create)
    assert f"ended while it was waited for: {code}: of EC2; " in line
    assert says in line
    assert at.cloud.proxy.writes.count("RunInstances") == before + 1
