"""ContainerSlot keeps the contract, on a real Docker engine."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import pytest

from moorage.provider.__main__ import PACKAGE
from moorage.provider.contract import HandlerContract, Made
from moorage.provider.handler import State
from moorage.provider.testing import trial
from moorage.provider.testing.trial import Trials
from moorage.provider.values import decode
from tests.provider.docker_host.harbour import Harbour

NOTHING_LASTS = "nothing of it lasts on the host: it is kept in state"


class TestContainerSlot(HandlerContract):
    package = PACKAGE
    token = "moorage:index:ContainerSlot"
    lacks: ClassVar = {
        "remote": NOTHING_LASTS,
        "foreign": NOTHING_LASTS,
        "wait": "it is chosen at once",
        "id": NOTHING_LASTS,
        "import": NOTHING_LASTS,
    }
    effects: ClassVar = frozenset({trial.SENT})  # every message to Docker or to the engine
    harbour: Harbour

    @pytest.fixture
    def world(self, harbour: Harbour) -> Iterator[None]:
        self.harbour = harbour
        yield
        assert not harbour.proofs(), "a proof is left"

    def inputs(self) -> State:
        return {
            "host": self.harbour.engine.host,
            "owner": "shop/prod/chat",
            "service": "chat",
            "digest": "a",
            "image": self.harbour.image,
            "devices": [["0"]],
        }

    def changed(self) -> State:
        return {**self.inputs(), "digest": "b"}

    def replaced(self) -> State:
        return {**self.inputs(), "owner": "our/heirs/chat"}

    def _made(self) -> Made:
        made = super()._made()
        if not self.harbour.containers():
            self.harbour.run(made.state)
        return made

    @pytest.mark.thorough
    def test_a_create_killed_at_any_call_leaves_no_proof_behind_the_next(
        self, tried: Trials
    ) -> None:
        inputs = self._checked(self.inputs())
        nothing = Made(id="", declared=inputs, state={})
        request = self.client.create_request(inputs)
        left = 0
        for at, _ in self._killed(tried, "Create", lambda: (nothing, request)):
            left += len(self.harbour.proofs())
            state = self._state_of(self.client.create(inputs))
            assert state["port"], at
            assert not self.harbour.proofs(), f"{at}: the next run has left the proof"
        assert left, "no kill has left a proof: the test proves nothing"

    @pytest.mark.thorough
    def test_an_update_killed_at_any_call_ends_in_the_same_place(self, tried: Trials) -> None:
        made = self._made()
        inputs = self._checked(self.changed())
        request = self.client.update_request(made.id, made.state, inputs)
        for at, _ in self._killed(tried, "Update", lambda: (made, request)):
            state = self._state_of(self.client.update(made.id, made.state, inputs))
            assert state["port"] == made.state["port"], at
            assert not self.harbour.proofs(), f"{at}: the next run has left the proof"

    @pytest.mark.thorough
    def test_a_delete_sweeps_what_a_kill_has_left(self, tried: Trials) -> None:
        made = self._made()
        request = self.client.update_request(made.id, made.state, made.declared)
        for _ in self._killed(tried, "Update", lambda: (made, request)):
            if self.harbour.proofs():
                break
        assert self.harbour.proofs(), "no kill has left a proof: the test proves nothing"
        self.client.delete(made.id, made.state)
        assert not self.harbour.proofs()

    def _state_of(self, answer: Any) -> State:
        return decode(answer.properties).plain
