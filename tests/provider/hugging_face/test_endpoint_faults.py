"""Every fault at every call of create, update, read and delete: all well, or one line and no loss.

Each is tried once, and so that it stays; then the faults end, and the same run again has to bring
about what was wanted, with one endpoint and never a second one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from moorage.provider.hugging_face.endpoints import inference_endpoint
from moorage.provider.testing.client import Client, InitFailed, Refused
from moorage.twin import face
from tests.provider.hugging_face.endpoints import ID, TOKEN, Made, World, hurry, world

STATUSES = (400, 401, 402, 403, 404, 408, 409, 422, 425, 429, 500, 502, 503, 504)
FAULTS = {
    **{f"answers {status}": face.Fault(status=status) for status in STATUSES},
    "drops the request": face.Fault(does="drop"),
    "loses the answer": face.Fault(does="lose"),
    "answers garbage": face.Fault(does="garbage"),
}
TOO_OFTEN = "answers 429"  # nothing was made, so it is asked for again
OFTEN = {"once": 1, "for good": None}
# Always tried; the rest is as thorough as one likes.
SAMPLE = {
    "once": {"loses the answer"},
    "for good": {"answers 401"},
}
CASES = [
    pytest.param(
        fault,
        often,
        id=f"{fault} {often}",
        marks=() if fault in SAMPLE[often] else pytest.mark.thorough,
    )
    for fault in FAULTS
    for often in OFTEN
]
WANTED = {"env": {"LOG": "debug"}, "secrets": {"KEY": "sk-of-the-container"}}
# A wait that a fault never lets end costs so long.
SHORT = {"readyTimeoutSeconds": 1}


@dataclass(frozen=True)
class Call:
    """One of the requests of an operation: which one it is of all that look the same."""

    host: str
    method: str
    path: str
    number: int

    def struck(self, fault: face.Fault) -> face.Fault:
        path = f"^{self.path}$"
        return replace(fault, host=self.host, method=self.method, path=path, after=self.number)


@pytest.fixture
def at(in_process: Callable[..., Client], monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    hurry(monkeypatch)
    with world(in_process({TOKEN: inference_endpoint.HANDLER}), monkeypatch) as made:
        yield made


def calls(at: World, operation: Callable[[], object]) -> list[Call]:
    """The requests that an operation sends when all goes well."""
    begun = len(at.twin.requests)
    operation()
    seen: list[Call] = []
    for one in at.twin.requests[begun:]:
        number = sum((one.host, one.method, one.path) == (c.host, c.method, c.path) for c in seen)
        seen.append(Call(one.host, one.method, one.path, number))
    return seen


def clear(at: World) -> None:
    at.twin.faults.clear()
    for endpoint in at.twin.endpoints.of("acme"):
        at.twin.remove("acme", endpoint.name)


def is_as_wanted(at: World, made: Made, **wanted: Any) -> None:
    [endpoint] = at.twin.endpoints.of("acme")
    assert made.id == endpoint.id == ID
    assert endpoint.state == "running"
    assert endpoint.body["model"]["env"] == wanted.get("env", {})
    assert endpoint.secrets == wanted.get("secrets", {})
    assert made.state["status"] == "running"
    assert made.state["servedModel"] == "acme/chat"
    assert not made.state.get("drift")


def applied_again(at: World, kept: Made | None, **wanted: Any) -> Made:
    """The next run: an update of what is in state, unless a refresh finds that it is not there."""
    at.provider.configure({})
    if kept is None or at.read(kept, **wanted) is None:
        return at.create(**wanted)
    return at.update(kept, **wanted)


@pytest.mark.parametrize(("fault", "often"), CASES)
def test_a_create_ends_well_or_in_a_line_and_the_next_run_makes_one(
    at: World, fault: str, often: str
) -> None:
    for call in calls(at, at.create):
        clear(at)
        at.twin.faults.append(call.struck(replace(FAULTS[fault], times=OFTEN[often])))
        posts = len(at.sent())
        kept = None
        try:
            kept = at.create(**SHORT)
        except (Refused, InitFailed) as error:
            _, kept = at.told(error)
            assert kept or not at.twin.endpoints.of("acme"), f"{call}: it is lost"
        else:
            is_as_wanted(at, kept)
        created = [one for one in at.sent()[posts:] if one == "POST /v2/endpoint/acme"]
        assert len(created) <= 1 or fault == TOO_OFTEN, f"{call}: it was asked for twice"
        at.twin.faults.clear()
        is_as_wanted(at, applied_again(at, kept))


@pytest.mark.parametrize(("fault", "often"), CASES)
def test_an_update_ends_well_or_in_a_line_and_the_next_run_makes_it(
    at: World, fault: str, often: str
) -> None:
    first = at.create()
    for call in calls(at, lambda: at.update(first, **WANTED)):
        clear(at)
        before = at.create()
        at.twin.faults.append(call.struck(replace(FAULTS[fault], times=OFTEN[often])))
        try:
            kept = at.update(before, **WANTED, **SHORT)
        except (Refused, InitFailed) as error:
            kept = at.told(error)[1] or before
        else:
            is_as_wanted(at, kept, **WANTED)
        assert len(at.twin.endpoints.of("acme")) == 1, f"{call}: it is lost"
        at.twin.faults.clear()
        is_as_wanted(at, applied_again(at, kept, **WANTED), **WANTED)


@pytest.mark.parametrize(("fault", "often"), CASES)
def test_a_delete_ends_well_or_in_a_line_and_the_next_run_leaves_nothing(
    at: World, fault: str, often: str
) -> None:
    first = at.create()
    for call in calls(at, lambda: at.delete(first)):
        clear(at)
        made = at.create()
        at.twin.faults.append(call.struck(replace(FAULTS[fault], times=OFTEN[often])))
        try:
            at.delete(made)
        except (Refused, InitFailed) as error:
            at.told(error)
            at.twin.faults.clear()
            at.delete(made)
        left = [one for one in at.twin.endpoints.of("acme") if not one.is_going]
        assert not left, f"{call}: something is left"


@pytest.mark.parametrize(("fault", "often"), CASES)
def test_a_read_ends_well_or_in_a_line_and_touches_nothing(
    at: World, fault: str, often: str
) -> None:
    made = at.create()
    for call in calls(at, lambda: at.read(made)):
        at.twin.faults.clear()
        at.twin.faults.append(call.struck(replace(FAULTS[fault], times=OFTEN[often])))
        sent = at.sent()
        try:
            found = at.read(made)
        except (Refused, InitFailed) as error:
            at.told(error)
        else:
            assert found is not None, f"{call}: read as gone"
        assert at.sent() == sent, f"{call}: a read has written"
