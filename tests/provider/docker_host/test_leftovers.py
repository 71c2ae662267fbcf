"""What a death has left on a host is taken away; what may be anybody's stays, on a real engine."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from moorage.provider.docker_host import container_slot, engine, labels, leftovers
from moorage.provider.handler import Context, State
from tests.provider.docker_host.harbour import Harbour

Contexts = Callable[..., Context]
OWNER = "shop/prod/docker-local-network"


@pytest.fixture
def state(harbour: Harbour, context: Contexts) -> State:
    """A slot that a container was begun for."""
    return container_slot.create(harbour.slot_inputs(), context()).state


def asked(host: str, kind: str, mark: str, known: Sequence[str] = ()) -> Any:
    question = {"kind": kind, "host": host, "mark": mark, "known": known}
    answers = io.StringIO()
    assert leftovers.main([json.dumps(question)], answers) == 0
    return json.loads(answers.getvalue())


def test_a_container_that_no_state_knows_is_taken_away(harbour: Harbour, state: State) -> None:
    left = harbour.run(state)
    host, claim = harbour.engine.host, state["claim"]
    assert asked(host, "container", claim, [left.id]) == {"removed": []}
    assert asked(host, "container", "of another state") == {"removed": []}
    assert harbour.containers()
    assert asked(host, "container", claim) == {"removed": [state["name"]]}
    assert not harbour.containers()


def test_a_container_that_has_served_is_left_to_a_person(
    harbour: Harbour, state: State, context: Contexts
) -> None:
    served = harbour.run(state)
    with engine.reached(harbour.engine.host, context()) as there:
        there.mark(served.id)
    assert asked(harbour.engine.host, "container", state["claim"]) == {"removed": []}
    container_slot.delete("chat", state, context())
    assert [one.id for one in harbour.containers()] == [served.id]


@pytest.mark.thorough
def test_the_end_of_a_slot_is_the_end_of_what_was_begun_for_it(
    harbour: Harbour, state: State, context: Contexts
) -> None:
    harbour.run(state)
    container_slot.delete("chat", state, context())
    assert not harbour.containers()


@pytest.mark.thorough
def test_two_states_of_one_stack_never_claim_the_same_container(
    harbour: Harbour, state: State, context: Contexts
) -> None:
    other = container_slot.create(harbour.slot_inputs(), context()).state
    assert other["name"] == state["name"]
    assert other["claim"] != state["claim"]
    kept = container_slot.update("chat", state, harbour.slot_inputs(digest="b"), context())
    assert kept["claim"] == state["claim"]


@pytest.mark.thorough
@pytest.mark.parametrize("kind", ["network", "volume"])
def test_networks_and_volumes_go_where_no_state_knows_them_and_nothing_uses_them(
    harbour: Harbour, state: State, kind: str
) -> None:
    host, client = harbour.engine.host, harbour.engine.client
    made = {"network": client.networks, "volume": client.volumes}[kind]
    left = made.create("left", labels={labels.OWNER: OWNER})
    assert asked(host, kind, OWNER, [left.id]) == {"removed": []}
    assert asked(host, kind, "shop/prod/another") == {"removed": []}
    use: Any = {"network": "left"} if kind == "network" else {"volumes": ["left:/kept"]}
    user = harbour.run(state, **use)
    assert "in use" in (fault := asked(host, kind, OWNER)["fault"]) or "endpoints" in fault
    user.remove(force=True)
    assert asked(host, kind, OWNER) == {"removed": ["left"]}
    assert not made.list(filters={"name": "left"})


def test_a_host_that_does_not_answer_is_told() -> None:
    fault = asked("unix:///no/such.sock", "container", "a")["fault"]
    assert fault.startswith("unix:///no/such.sock: no Docker is there")


def test_what_a_killed_create_has_left_of_its_proof_goes_when_it_is_asked_for(
    harbour: Harbour, context: Contexts
) -> None:
    inputs = harbour.slot_inputs()
    marks = {labels.OWNER: inputs["owner"], labels.SERVICE: inputs["service"], labels.PROOF: "yes"}
    harbour.engine.client.containers.create(harbour.image, labels=marks)
    assert container_slot.locate(inputs, context()) is None
    assert not harbour.containers()
    assert container_slot.locate({**inputs, "host": "unix:///no/such.sock"}, context()) is None
