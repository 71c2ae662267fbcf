"""InferenceEndpoint keeps the contract, on the twin of the Endpoints API."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import pytest

from moorage.provider.__main__ import PACKAGE
from moorage.provider.contract import HandlerContract
from moorage.provider.handler import State
from moorage.provider.testing import trial
from moorage.twin import face
from tests.provider import kills
from tests.provider.hugging_face import endpoints

STUCK = face.Start(name="chat", ends="stuck", times=1)  # its first start never ends


@kills.thorough(kills.CREATE, kills.UPDATE, kills.DELETE)
class TestInferenceEndpoint(HandlerContract):
    package = PACKAGE
    token = "moorage:index:InferenceEndpoint"
    unreadable: ClassVar = {
        "secrets": "the API redacts them",
        "registry": "the API redacts the password",
        "probe": "it is of the deployment, not of the endpoint",
    }
    effects = frozenset({trial.SENT})  # every message; a connection alone changes nothing
    twin: face.Twin
    starts: list[face.Start]

    @pytest.fixture
    def world(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        self.starts = []
        with face.serve(face.Scenario(starts=self.starts)) as self.twin:
            for name, value in self.twin.environment().items():
                monkeypatch.setenv(name, value)
            yield

    @staticmethod
    def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
        endpoints.hurry(monkeypatch)

    def inputs(self) -> State:
        return {
            "name": "chat",
            "namespace": "acme",
            "owner": "shop/prod/chat",
            "vendor": "aws",
            "region": "eu-west-1",
            "repository": "acme/chat",
            "revision": "0" * 40,
            "task": "text-generation",
            "accelerator": "gpu",
            "instanceType": "nvidia-l4",
            "instanceSize": "x1",
            "engine": "custom",
            "image": "registry.example/acme/engine:1.2.3",
            "engineOptions": {"port": 8000},
            "args": ["--max-model-len", "4096"],
            "env": {"LOG": "info"},
            "secrets": {"KEY": "sk-of-the-container"},
            "registry": {"username": "acme", "password": "sk-of-the-registry"},
            "access": "private",
            "tags": ["team-shop"],
        }

    def changed(self) -> State:
        secrets = {"KEY": "sk-of-another-day"}
        return {**self.inputs(), "env": {"LOG": "debug"}, "maxReplica": 2, "secrets": secrets}

    def replaced(self) -> State:
        return {**self.inputs(), "access": "authenticated"}

    def waiting(self) -> State:
        self.starts.append(STUCK)
        return {**self.inputs(), "env": {"LOG": "none"}}

    def things(self) -> Mapping[str, Any]:
        there = self.twin.endpoints.of("acme")
        return {one.id: (one.body, one.secrets, one.credentials) for one in there}

    def plant_foreign(self) -> None:
        self.twin.plant("acme", "chat")

    def remove(self, id_: str) -> None:
        self.twin.remove(*id_.split("/"))

    def writes(self) -> int:
        return sum(one.host == "endpoints" and one.method != "GET" for one in self.twin.requests)

    def secret_texts(self) -> tuple[str, ...]:
        return tuple(self.twin.world.people.texts())
