"""What failed half-way is gone on with, however often it is read in between."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from moorage.provider.hugging_face.endpoints import inference_endpoint
from moorage.provider.testing.client import Client
from moorage.provider.unfinished import UNFINISHED
from moorage.twin import face
from tests.provider.hugging_face.endpoints import TOKEN, Made, World, hurry, world

SHORT = {"readyTimeoutSeconds": 1}
STUCK = face.Scenario(starts=[face.Start(name="chat", ends="stuck", times=1)])


@pytest.fixture
def at(in_process: Callable[..., Client], monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    hurry(monkeypatch)
    with world(in_process({TOKEN: inference_endpoint.HANDLER}), monkeypatch, STUCK) as made:
        yield made


def begun(at: World) -> Made:
    """An endpoint whose create has taken too long."""
    _, kept = at.failed(lambda: at.create(**SHORT))
    assert kept is not None
    return kept


def differs(at: World, made: Made) -> list[str]:
    wanted = at.checked(**SHORT)
    return list(at.provider.diff(wanted, wanted, drift=made.state.get("drift")).diffs)


def test_it_is_told_until_an_update_has_finished_it(at: World) -> None:
    made = begun(at)
    for _ in range(2):
        assert made.state["drift"] == UNFINISHED
        read = at.read(made, **SHORT)
        assert read is not None
        made = read
    assert differs(at, made) == ["drift"]
    at.twin.pause("acme", "chat")  # whose next start ends well
    finished = at.update(made, **SHORT)
    assert not finished.state.get("drift")
    assert not differs(at, finished)


def test_what_is_known_by_its_inputs_alone_has_yet_to_be_proven(at: World) -> None:
    begun(at)
    located = Made(id="acme/chat", state=at.checked(**SHORT))
    read = at.read(located, **SHORT)
    assert read is not None
    assert UNFINISHED in read.state["drift"]
    assert differs(at, read) == ["drift"]
