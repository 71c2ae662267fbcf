"""ModelRepository keeps the contract, as a model and as a dataset, against the twin."""

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


@kills.thorough(kills.UPDATE, kills.DELETE)
class TestModelRepository(HandlerContract):
    package = PACKAGE
    token = "moorage:index:ModelRepository"
    lacks: ClassVar = {"wait": "a repository is ready as soon as it exists"}
    unreadable: ClassVar = {"files": "what is there is told by its digest"}
    effects = frozenset({trial.SENT})
    prefix: ClassVar[str] = ""
    twin: face.Twin

    @pytest.fixture
    def world(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        with face.serve() as self.twin:
            self.twin.hub.desk.groups = {"acme": {"g1": "support", "g2": "sales"}}
            told_to_use(self.twin, monkeypatch)
            yield

    def inputs(self) -> State:
        return {
            "name": "answers-8b",
            "namespace": "acme",
            "owner": "p/s/answers",
            "license": "apache-2.0",
            "card": {"language": "en", "tags": ["support"]},
            "files": {"config.json": "{}", "tokenizer/vocab.txt": "a\nb\n"},
            "resourceGroup": "g1",
        }

    def changed(self) -> State:
        return {
            **self.inputs(),
            "license": "mit",
            "visibility": "public",
            "files": {"config.json": '{"n": 1}'},
            "resourceGroup": "g2",
        }

    def replaced(self) -> State:
        return {**self.inputs(), "name": "answers-70b"}

    def things(self) -> Mapping[str, Any]:
        return {key: self._seen(key) for key in self.twin.hub.repos}

    def _seen(self, key: str) -> Any:
        stored = self.twin.hub.repos[key]
        files = {path: blob.blob_id for path, blob in stored.blobs.items()}
        return files, stored.repo.visibility, stored.repo.group

    def plant_foreign(self) -> None:
        kind = "dataset" if self.prefix else "model"
        others = api(self.twin)
        others.create_repo("acme/answers-8b", repo_type=kind, private=True)
        others.upload_file(
            path_or_fileobj=b"years of work",
            path_in_repo="thesis.tex",
            repo_id="acme/answers-8b",
            repo_type=kind,
        )

    def remove(self, id_: str) -> None:
        del self.twin.hub.repos[id_]

    def writes(self) -> int:
        return sum(one.method != "GET" for one in self.twin.requests)

    def secret_texts(self) -> tuple[str, ...]:
        return (self.twin.world.scenario.deploys,)


@kills.thorough(kills.CREATE)
class TestDatasetRepository(TestModelRepository):
    prefix = "datasets/"

    def inputs(self) -> State:
        return {**super().inputs(), "type": "dataset"}
