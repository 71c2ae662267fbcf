"""The scripted Thing and Berth keep the contract of handlers."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest

from moorage.provider.contract import HandlerContract
from moorage.provider.handler import State
from tests.provider import kills
from tests.scripted.__main__ import PACKAGE
from tests.scripted.cloud import Cloud


class ScriptedContract(HandlerContract):
    """Things in a folder's cloud."""

    package = PACKAGE
    unreadable: ClassVar = {"password": "the cloud keeps no password"}
    cloud: Cloud

    @pytest.fixture
    def world(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.cloud = Cloud(folder=tmp_path / "cloud")
        monkeypatch.setenv("MOORAGE_TEST_CLOUD", str(self.cloud.folder))

    def inputs(self) -> State:
        return {"name": "a", "owner": "o", "password": "hunter2hunter2", "tags": {"k": "v"}}

    def changed(self) -> State:
        return {**self.inputs(), "size": 3}

    def replaced(self) -> State:
        return {**self.inputs(), "zone": "z2"}

    def waiting(self) -> State:
        return {**self.inputs(), "waitFor": "/never/there"}

    def things(self) -> Mapping[str, Any]:
        return self.cloud.things()

    def plant_foreign(self) -> None:
        key = "a-z1" if self.token.endswith("Thing") else "a"
        self.cloud._write(key, {"inputs": {"name": "a", "owner": "them"}, "revision": 1})

    def remove(self, id_: str) -> None:
        self.cloud._path(id_).unlink()

    def writes(self) -> int:
        written = itertools.filterfalse(lambda call: call.startswith("GET"), self.cloud.calls())
        return sum(call.split()[0].isupper() for call in written)


class TestThing(ScriptedContract):
    token = "moorage:index:Thing"


@kills.thorough(kills.CREATE, kills.UPDATE, kills.DELETE)
class TestBerth(ScriptedContract):
    token = "moorage:index:Berth"
