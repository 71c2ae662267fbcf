"""RouterRoute keeps the contract, on the twin's Hub and router."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import pytest

from moorage.provider.__main__ import PACKAGE
from moorage.provider.contract import HandlerContract, Made
from moorage.provider.handler import State
from moorage.twin import face
from tests.provider.routes import MODEL, scenario


class TestRouterRoute(HandlerContract):
    package = PACKAGE
    token = "moorage:index:RouterRoute"
    lacks: ClassVar = {
        "remote": "a way through the router is there already, and nobody's",
        "foreign": "a way through the router is there already, and nobody's",
        "wait": "a way that is proven is ready",
    }
    unreadable: ClassVar = dict.fromkeys(
        ("billTo", "minContext", "maxUsdPerMtokInput", "maxUsdPerMtokOutput"),
        "a wish of the program, which the router does not know",
    )
    twin: face.Twin

    @pytest.fixture
    def world(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        with face.serve(scenario()) as self.twin:
            for name, value in self.twin.environment().items():
                monkeypatch.setenv(name, value)
            yield

    def inputs(self) -> State:
        return {
            "model": MODEL,
            "provider": "together",
            "billTo": "acme",
            "minContext": 4096,
            "maxUsdPerMtokInput": 1,
            "maxUsdPerMtokOutput": 2,
        }

    def changed(self) -> State:
        return {**self.inputs(), "minContext": 8192}

    def replaced(self) -> State:
        return {**self.inputs(), "provider": "novita"}

    def missing_id(self, made: Made) -> str:
        return f"{MODEL}:nobody"

    def secret_texts(self) -> tuple[str, ...]:
        return self.twin.world.scenario.deploys, self.twin.world.scenario.calls


class TestRouterRouteByPolicy(TestRouterRoute):
    def inputs(self) -> State:
        return {"model": MODEL, "policy": "fastest"}

    def changed(self) -> State:
        return {**self.inputs(), "minContext": 8192}

    def replaced(self) -> State:
        return {**self.inputs(), "policy": "cheapest"}

    def missing_id(self, made: Made) -> str:
        return "acme/nothing:fastest"
