"""A cancel while a thing is being made: its id is known before the run stops."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from moorage.provider.check import with_defaults
from moorage.provider.handler import Cancelled, Context, Created, Handler
from moorage.provider.hugging_face.repositories.collection import HANDLER as COLLECTION
from moorage.provider.hugging_face.repositories.model_repository import HANDLER as REPOSITORY
from moorage.provider.hugging_face.spaces.space import HANDLER as SPACE
from moorage.twin import face
from tests.provider.spaces import APP, hurried

NewContext = Callable[..., Context]
REPOSITORIES = "/api/repos/create$"
_OF_SPACE = {"name": "chat", "sdk": "gradio", "files": {"app.py": APP}}
CASES = {
    "a Space": (SPACE, REPOSITORIES, _OF_SPACE),
    "a repository": (REPOSITORY, REPOSITORIES, {"name": "tuned", "files": {"a.txt": "a"}}),
    "a collection": (COLLECTION, "/api/collections$", {"title": "Answers"}),
}


@pytest.fixture
def twin(monkeypatch: pytest.MonkeyPatch) -> Iterator[face.Twin]:
    with hurried(monkeypatch) as running:
        yield running


@pytest.mark.parametrize("does", ["pass", "lose"])
@pytest.mark.parametrize(("handler", "path", "said"), CASES.values(), ids=CASES.keys())
def test_what_was_asked_for_is_known_before_a_cancel_ends_its_making(
    twin: face.Twin,
    context: NewContext,
    handler: Handler,
    path: str,
    said: dict[str, Any],
    does: str,
) -> None:
    # A repository that has yet to be told whose it is, is surely ours only if an answer says so.
    twin.hub.desk.ignores_files = does == "pass"
    twin.faults.append(face.Fault(method="POST", path=path, does=does, delay_s=0.3))
    inputs = with_defaults(handler.shape.inputs, {"namespace": "acme", "owner": "p/s/x", **said})
    cancelled, exists = threading.Event(), list[Created]()
    told = replace(context(cancelled=cancelled), announce=exists.append)
    threading.Thread(target=_cancels, args=(twin, path, cancelled), daemon=True).start()
    with suppress(Cancelled):  # where there is anything left to wait for
        handler.create(inputs, told)
    assert cancelled.is_set()
    assert exists
    found = handler.read(exists[-1].id, exists[-1].state, inputs, context())
    assert found is not None
    handler.delete(exists[-1].id, exists[-1].state, context())
    left = (twin.hub.desk.collections, twin.hub.desk.spaces, twin.hub.repos)
    assert not any(left)


def _cancels(twin: face.Twin, path: str, cancelled: threading.Event) -> None:
    """As soon as the request to make it is on its way."""
    while not any(one.method == "POST" and path[:-1] in one.path for one in twin.requests):
        cancelled.wait(0.005)
    cancelled.set()
