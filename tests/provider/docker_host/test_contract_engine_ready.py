"""EngineReady keeps the contract, on a real Docker engine."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest

from moorage.provider.__main__ import PACKAGE
from moorage.provider.contract import HandlerContract
from moorage.provider.handler import State
from moorage.provider.testing import trial
from moorage.provider.testing.trial import Trials
from tests.e2e.checkout import free_port
from tests.provider.docker_host import harbour as made
from tests.provider.docker_host.harbour import Harbour

OWNER = "shop/prod/chat"
NOT_OURS = "the container is a resource of its own"


@pytest.mark.thorough  # a container for each clause; test_engine_ready.py has the rest of a sample
class TestEngineReady(HandlerContract):
    package = PACKAGE
    token = "moorage:index:EngineReady"
    lacks: ClassVar = {
        "remote": NOT_OURS,
        "foreign": NOT_OURS,
        "id": "its key and its probe are not told by the container",
        "import": "its key and its probe are not told by the container",
    }
    effects: ClassVar = frozenset({trial.SENT})  # every message to Docker or to the engine
    harbour: Harbour
    container: Any

    @pytest.fixture
    def world(self, harbour: Harbour) -> None:
        self.harbour = harbour
        self.port = free_port()
        self.container = self._run("chat", self.port)

    def _run(self, name: str, port: int, *arguments: str, **settings: Any) -> Any:
        slot = {"name": name, "port": port, "owner": OWNER}
        return self.harbour.run(slot, *arguments, **settings)

    def inputs(self) -> State:
        return {
            "host": self.harbour.engine.host,
            "owner": OWNER,
            "container": "chat",
            "containerId": self.container.id,
            "url": f"http://127.0.0.1:{self.port}",
            "key": made.KEY,
            "probe": {"path": "/v1/chat/completions", "body": "{}"},
            "kv": {"tokens": 16 * made.BLOCKS},
        }

    def changed(self) -> State:
        return {**self.inputs(), "kv": {"tokens": 16 * made.BLOCKS, "tolerance": 0.2}}

    def replaced(self) -> State:
        return {**self.inputs(), "owner": "our/heirs/chat"}

    def waiting(self) -> State:
        port = free_port()
        loading = self._run("loading", port, "600")
        url = f"http://127.0.0.1:{port}"
        return {**self.inputs(), "container": "loading", "containerId": loading.id, "url": url}

    def secret_texts(self) -> tuple[str, ...]:
        return (made.HUB_TOKEN,)

    @pytest.mark.thorough
    def test_an_update_killed_at_any_call_is_made_by_the_next(self, tried: Trials) -> None:
        """Among its calls is the start of a container that somebody has stopped."""
        before = self._made()
        inputs = self._checked(self.changed())
        request = self.client.update_request(before.id, before.state, inputs)

        def stopped() -> tuple[Any, Any]:
            self.container.kill()
            return before, request

        for at, _ in self._killed(tried, "Update", stopped):
            self.client.update(before.id, before.state, inputs)
            self.container.reload()
            assert self.container.status == "running", at
