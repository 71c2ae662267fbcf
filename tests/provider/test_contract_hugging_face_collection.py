"""Collection keeps the contract, against the twin of Hugging Face."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import huggingface_hub.hf_api  # noqa: F401  once, before the processes of the trials fork
import pytest

from moorage.provider.__main__ import PACKAGE
from moorage.provider.contract import HandlerContract
from moorage.provider.handler import State
from moorage.provider.testing import trial
from moorage.twin import face
from tests.provider import kills
from tests.provider.spaces import api, told_to_use


@kills.thorough(kills.CREATE, kills.UPDATE, kills.DELETE)
class TestCollection(HandlerContract):
    package = PACKAGE
    token = "moorage:index:Collection"
    lacks: ClassVar = {"wait": "a collection is ready as soon as it exists"}
    unreadable: ClassVar = {"owner": "it is told by a digest only"}
    effects = frozenset({trial.SENT})
    twin: face.Twin

    @pytest.fixture
    def world(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        repos = {f"acme/{name}": face.Repo() for name in ("one", "two", "three")}
        with face.serve(face.Scenario(repos=repos)) as self.twin:
            told_to_use(self.twin, monkeypatch)
            yield

    def inputs(self) -> State:
        return {
            "title": "What answers",
            "namespace": "acme",
            "owner": "p/s/answers",
            "description": "Of the support team",
            "items": [
                {"type": "model", "id": "acme/one", "note": "in production"},
                {"type": "model", "id": "acme/two"},
            ],
        }

    def changed(self) -> State:
        return {
            **self.inputs(),
            "visibility": "public",
            "items": [
                {"type": "model", "id": "acme/three", "note": "new"},
                {"type": "model", "id": "acme/two", "note": "old"},
            ],
        }

    def replaced(self) -> State:
        return {**self.inputs(), "title": "What answered"}

    def things(self) -> Mapping[str, Any]:
        return {slug: self._seen(one) for slug, one in self.twin.hub.desk.collections.items()}

    def _seen(self, one: Mapping[str, Any]) -> Any:
        items = [(item["id"], item.get("note", {}).get("text")) for item in one["items"]]
        return one["title"], one["description"], one["private"], items

    def plant_foreign(self) -> None:
        api(self.twin).create_collection("What answers", namespace="acme", description="mine")

    def remove(self, id_: str) -> None:
        del self.twin.hub.desk.collections[id_]

    def writes(self) -> int:
        return sum(one.method != "GET" for one in self.twin.requests)

    def secret_texts(self) -> tuple[str, ...]:
        return (self.twin.world.scenario.deploys,)
