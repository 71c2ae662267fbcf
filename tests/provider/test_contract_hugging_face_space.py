"""Space keeps the contract, against the twin of Hugging Face."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

import huggingface_hub.hf_api  # noqa: F401  once, before the processes of the trials fork
import pytest

from moorage.provider.__main__ import PACKAGE
from moorage.provider.contract import HandlerContract
from moorage.provider.handler import State
from moorage.provider.hugging_face.spaces import space_wait
from moorage.provider.testing import trial
from moorage.twin import face
from moorage.twin.spaces import Habit
from tests.provider import impatient, kills
from tests.provider.spaces import APP, plant, seen, told_to_use


@kills.thorough(kills.CREATE, kills.UPDATE, kills.DELETE)
class TestSpace(HandlerContract):
    package = PACKAGE
    token = "moorage:index:Space"
    unreadable: ClassVar = {
        "secrets": "the Hub never tells them",
        "files": "what is there is told by its digest",
    }
    effects = frozenset({trial.SENT})  # every message to the Hub and to the app
    twin: face.Twin

    @pytest.fixture
    def world(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
        with face.serve() as self.twin:
            told_to_use(self.twin, monkeypatch)
            # Long enough to be seen starting, which ends the wait for a stage that is not the old.
            self.twin.hub.desk.habits["*"] = Habit(building_s=0.08, starting_s=0.08)
            yield

    @staticmethod
    def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
        impatient.hurry(monkeypatch)
        monkeypatch.setattr(space_wait, "_SETTLES_S", 1.0)
        monkeypatch.setattr(space_wait, "_LONGEST_PAUSE_S", 0.1)

    def inputs(self) -> State:
        return {
            "name": "chat",
            "namespace": "acme",
            "owner": "p/s/chat",
            "sdk": "gradio",
            "files": {"app.py": APP, "requirements.txt": "openai\n"},
            "hardware": "cpu-upgrade",
            "sleepSeconds": 3600,
            "variables": {"GATEWAY_URL": "https://gateway.example/v1"},
            "secrets": {"GATEWAY_KEY": "sk-of-the-gateway"},
            "volumes": [{"type": "model", "source": "acme/tiny", "mountPath": "/model"}],
        }

    def changed(self) -> State:
        mounted = {"type": "dataset", "source": "acme/answers", "mountPath": "/answers"}
        return {
            **self.inputs(),
            "files": {"app.py": APP + "\n# of another day\n"},
            "secrets": {"GATEWAY_KEY": "sk-of-another-day"},
            "variables": {"THEME": "soft"},
            "hardware": "t4-small",
            "volumes": [mounted],
        }

    def replaced(self) -> State:
        return {**self.inputs(), "sdk": "docker"}

    def waiting(self) -> State:
        return {**self.inputs(), "readyPath": "/never"}

    def things(self) -> Mapping[str, Any]:
        return seen(self.twin)

    def plant_foreign(self) -> None:
        plant(self.twin, "acme/chat", owner="them/s/chat")

    def remove(self, id_: str) -> None:
        del self.twin.hub.repos[f"spaces/{id_}"], self.twin.hub.desk.spaces[id_]

    def writes(self) -> int:
        requests = [one for one in self.twin.requests if one.host == "hub"]
        return sum(one.method != "GET" for one in requests)

    def secret_texts(self) -> tuple[str, ...]:
        return (self.twin.world.scenario.deploys,)
