"""Every death and every fault at every call of AWS: nothing is lost, doubled or left behind.

A death is seen by AWS as calls that do not come any more, so all of them are dropped from one on,
and whatever the run would have told of it is forgotten. The processes of the contract's test die
in earnest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final

import pytest

from moorage.provider.testing.client import InitFailed, Refused
from moorage.provider.values import decode
from tests.provider.aws import hosts
from tests.provider.aws.hosts import ID, Made, World

ONE: Final = {"instances": 1, "groups": 1, "templates": 1, "volumes": 1, "cards": 1, "secrets": 1}
CHANGED: Final = {
    "allowFrom": ["10.0.0.0/16", "10.1.0.0/16"],
    "secrets": {"HF_TOKEN": "hf_of-another-day"},
    "tags": {"team": "ships"},
    "stopWhenIdle": True,
}
REPLACED: Final = {"name": "chat-77aa00", "instanceType": "g6e.xlarge"}
FAULTS: Final[dict[str, dict[str, Any]]] = {
    "throttles": {"code": "RequestLimitExceeded", "status": 503},
    "fails": {"code": "InternalError", "status": 500},
    "is forbidden": {"code": "UnauthorizedOperation", "words": "You are not authorized"},
    "knows no key": {"code": "AuthFailure", "status": 401},
    "drops the request": {"does": "drop"},
    "loses the answer": {"does": "lose"},
    "answers garbage": {"does": "garbage"},
}
CASES: Final = [
    pytest.param(fault, times, id=f"{fault} {'for good' if times is None else 'once'}")
    for fault in FAULTS
    for times in (1, None)
]
LIMIT: Final = 60


def calls(at: World, operation: Callable[[], object]) -> list[str]:
    """The actions that an operation asks for when all goes well."""
    begun = len(at.cloud.proxy.calls)
    operation()
    return [one.action for one in at.cloud.proxy.calls[begun:]]


def dies(at: World, number: int, operation: Callable[[], object]) -> bool:
    """Whether an operation got to its call of a number, and none further."""
    struck = at.strike(does="drop", after=number)
    begun = len(at.cloud.proxy.calls)
    try:
        operation()
    except (Refused, InitFailed) as error:
        hosts.told(error)
    at.cloud.proxy.faults.remove(struck)
    return len(at.cloud.proxy.calls) > begun + number


def counted(at: World) -> dict[str, int]:
    return {name: len(ids) for name, ids in at.cloud.left().items()}


def points(every: int) -> Iterator[int]:
    yield from range(0, LIMIT, every)


@pytest.mark.parametrize("every", [8, pytest.param(1, marks=pytest.mark.thorough)])
def test_a_create_that_died_anywhere_is_made_once_and_ended_whole(at: World, every: int) -> None:
    for number in points(every):
        at.cloud.clear()
        died = dies(at, number, at.create)
        made = at.create()
        assert counted(at) == ONE, f"after call {number}"
        assert not at.drift(made)
        at.delete(made)
        assert not at.cloud.left(), f"after call {number}"
        if not died:
            return
    pytest.fail("it never came to an end")


@pytest.mark.thorough
def test_a_create_that_died_anywhere_and_is_not_wanted_any_more_leaves_nothing(at: World) -> None:
    for number in points(1):
        at.cloud.clear()
        died = dies(at, number, at.create)
        known = at.provider.read(ID, {}, {})
        if known.HasField("properties"):
            at.delete(Made(id=ID, state=decode(known.properties).plain))
        assert not at.cloud.left(), f"after call {number}"
        if not died:
            return
    pytest.fail("it never came to an end")


@pytest.mark.thorough
def test_a_replacement_that_died_anywhere_leaves_one_host(at: World) -> None:
    """Created beside the old one, which goes when the new one serves."""
    for number in points(1):
        at.cloud.clear()
        old = at.create()

        def replaced(old: Made = old) -> None:
            at.create(**REPLACED)
            at.delete(old)

        died = dies(at, number, replaced)
        assert len(at.cloud.live) >= 1, f"after call {number}: nothing serves"
        new = at.create(**REPLACED)
        at.delete(old)
        assert counted(at) == ONE, f"after call {number}"
        at.delete(new)
        if not died:
            return
    pytest.fail("it never came to an end")


@pytest.mark.thorough
def test_an_update_that_died_anywhere_is_made(at: World) -> None:
    for number in points(1):
        at.cloud.clear()
        made = at.create()
        died = dies(at, number, partial(at.update, made, **CHANGED))
        now = at.update(made, **CHANGED)
        assert counted(at) == ONE, f"after call {number}"
        assert not at.drift(now, **CHANGED), f"after call {number}"
        if not died:
            return
    pytest.fail("it never came to an end")


@pytest.mark.thorough
def test_a_delete_that_died_anywhere_ends_it_all(at: World) -> None:
    for number in points(1):
        at.cloud.clear()
        made = at.create()
        died = dies(at, number, partial(at.delete, made))
        at.delete(made)
        assert not at.cloud.left(), f"after call {number}"
        if not died:
            return
    pytest.fail("it never came to an end")


# --- faults


@pytest.mark.parametrize(
    "action",
    [
        "RunInstances",
        pytest.param("CreateLaunchTemplate", marks=pytest.mark.thorough),
        pytest.param("CreateSecurityGroup", marks=pytest.mark.thorough),
        pytest.param("PutParameter", marks=pytest.mark.thorough),
    ],
)
def test_a_thing_whose_answer_was_lost_is_not_made_twice(at: World, action: str) -> None:
    at.strike(action=action, does="lose", times=1)
    at.create()
    assert counted(at) == ONE


def struck(at: World, number: int, fault: str, times: int | None) -> None:
    at.strike(**FAULTS[fault], after=number, times=times)


def ends(at: World, operation: Callable[[], Made]) -> Made | None:
    """What is in state afterwards, however it ended."""
    try:
        return operation()
    except (Refused, InitFailed) as error:
        return hosts.told(error)[1]
    finally:
        at.cloud.proxy.faults.clear()


@pytest.mark.thorough
@pytest.mark.parametrize(("fault", "times"), CASES)
def test_a_create_ends_well_or_in_a_line_and_the_next_run_makes_one(
    at: World, fault: str, times: int | None
) -> None:
    for number in range(len(calls(at, at.create))):
        at.cloud.clear()
        struck(at, number, fault, times)
        kept = ends(at, at.create)
        assert kept is not None or not at.cloud.live, f"call {number}: it is lost"
        again = at.create() if kept is None or at.read(kept) is None else at.update(kept)
        assert counted(at) == ONE, f"call {number}"
        assert again.state["servedModel"] == "acme/chat"


@pytest.mark.thorough
@pytest.mark.parametrize(("fault", "times"), CASES)
def test_an_update_ends_well_or_in_a_line_and_the_next_run_makes_it(
    at: World, fault: str, times: int | None
) -> None:
    first = at.create()
    for number in range(len(calls(at, lambda: at.update(first, **CHANGED)))):
        at.cloud.clear()
        made = at.create()
        struck(at, number, fault, times)
        kept = ends(at, partial(at.update, made, **CHANGED)) or made
        again = at.update(kept, **CHANGED)
        assert counted(at) == ONE, f"call {number}"
        assert not at.drift(again, **CHANGED), f"call {number}"


@pytest.mark.thorough
@pytest.mark.parametrize(("fault", "times"), CASES)
def test_a_delete_ends_well_or_in_a_line_and_the_next_run_leaves_nothing(
    at: World, fault: str, times: int | None
) -> None:
    first = at.create()
    for number in range(len(calls(at, lambda: at.delete(first)))):
        at.cloud.clear()
        made = at.create()
        struck(at, number, fault, times)
        try:
            at.delete(made)
        except (Refused, InitFailed) as error:
            hosts.told(error)
        at.cloud.proxy.faults.clear()
        at.delete(made)
        assert not at.cloud.left(), f"call {number}"


@pytest.mark.thorough
@pytest.mark.parametrize(("fault", "times"), CASES)
def test_a_read_ends_well_or_in_a_line_and_touches_nothing(
    at: World, fault: str, times: int | None
) -> None:
    made = at.create()
    for number in range(len(calls(at, lambda: at.read(made)))):
        struck(at, number, fault, times)
        writes = len(at.cloud.proxy.writes)
        try:
            assert at.read(made) is not None, f"call {number}: read as gone"
        except (Refused, InitFailed) as error:
            hosts.told(error)
        at.cloud.proxy.faults.clear()
        assert len(at.cloud.proxy.writes) == writes
