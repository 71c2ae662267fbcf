"""Where containers go: beside others, around them, and back, on a real Docker engine."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable
from typing import Any

import pytest

from moorage.errors import MoorageError
from moorage.provider.docker_host import container_slot, engine
from moorage.provider.handler import Context, State
from moorage.provider.values import UNKNOWN
from tests.e2e.checkout import free_port
from tests.provider.docker_host.harbour import Harbour

Contexts = Callable[..., Context]
TWO_SETS = {"devices": [["0"], ["1"]], "blueGreen": True}
PLACE = ("name", "port", "deviceIds", "generation")


@pytest.fixture
def slot(harbour: Harbour, context: Contexts) -> Callable[..., State]:
    """The state of a slot, made or changed."""

    def settle(state: State | None = None, /, **inputs: Any) -> State:
        given = harbour.slot_inputs(**inputs)
        if state is None:
            return container_slot.create(given, context()).state
        return container_slot.update("chat", state, given, context())

    return settle


def refused(call: Callable[[], object]) -> str:
    with pytest.raises(MoorageError) as refusal:
        call()
    assert "\n" not in str(refusal.value)
    return str(refusal.value)


def mark(harbour: Harbour, id_: str, context: Context) -> None:
    with engine.reached(harbour.engine.host, context) as there:
        there.mark(id_)


def test_a_container_that_is_replaced_in_place_keeps_it(
    harbour: Harbour, slot: Callable[..., State]
) -> None:
    first = slot(devices=[["0", "1"]])
    assert first["name"] == "chat"
    assert first["deviceIds"] == ["0", "1"]
    harbour.run(first)
    second = slot(first, devices=[["0", "1"]], digest="b")
    assert [second[name] for name in PLACE] == [first[name] for name in PLACE]


@pytest.mark.thorough
def test_a_state_that_was_lost_finds_the_port_again(
    harbour: Harbour, slot: Callable[..., State]
) -> None:
    first = slot(port=free_port())
    harbour.run(first)
    assert slot()["port"] == first["port"]


def test_blue_and_green_take_turns_and_a_green_that_was_stopped_gives_way(
    harbour: Harbour, slot: Callable[..., State]
) -> None:
    blue = slot(**TWO_SETS)
    harbour.run(blue)
    green = slot(blue, **TWO_SETS, digest="b")
    assert (blue["deviceIds"], green["deviceIds"]) == (["0"], ["1"])
    assert len({blue["port"], green["port"]}) == len({blue["name"], green["name"]}) == 2
    harbour.run(green).kill()  # as one that has failed
    back = slot(green, **TWO_SETS, digest="a")
    assert back["deviceIds"] == ["1"]
    assert back["name"] not in {blue["name"], green["name"]}
    assert back["port"] not in {blue["port"], green["port"]}
    assert slot(back, **TWO_SETS, digest="a") == back


@pytest.mark.thorough
def test_a_green_that_nobody_waits_for_any_more_is_stopped_for_the_next(
    harbour: Harbour, slot: Callable[..., State], context: Contexts, lines: list[str]
) -> None:
    blue = slot(**TWO_SETS)
    serving = harbour.run(blue)
    mark(harbour, serving.id, context())
    green = slot(blue, **TWO_SETS, digest="b")
    loading = harbour.run(green, "600", restart_policy={"Name": "unless-stopped"})
    third = slot(green, **TWO_SETS, digest="c")
    assert third["deviceIds"] == green["deviceIds"]
    assert lines == [f"{green['name']} has never served and is stopped for the container after it"]
    serving.reload()
    loading.reload()
    assert (serving.status, loading.status) == ("running", "exited")


@pytest.mark.thorough
def test_what_serves_is_never_stopped_for_the_next(
    harbour: Harbour, slot: Callable[..., State], context: Contexts
) -> None:
    """Both have served, or nobody knows which has: a person decides."""
    blue = slot(**TWO_SETS)
    green = slot(harbour.run(blue) and blue, **TWO_SETS, digest="b")
    both = [harbour.run(green).id, *(one.id for one in harbour.containers())]
    line = (
        f"chat: every set of GPUs is held by {' and '.join(sorted((blue['name'], green['name'])))}"
    )
    for ids in ([], both):
        for id_ in ids:
            mark(harbour, id_, context())
        message = refused(lambda: slot(green, **TWO_SETS, digest="c"))
        assert message.startswith(line)
        assert "run up without this change first, or stop the one that does not serve" in message
    assert all(one.status == "running" for one in harbour.containers())


@pytest.mark.thorough
def test_a_container_that_others_removed_is_replaced_where_it_was(
    harbour: Harbour, slot: Callable[..., State], context: Contexts
) -> None:
    first = slot()
    container = harbour.run(first)
    seen = container_slot.read("chat", first, {}, context())
    assert seen is not None
    assert seen.state["drift"] is None
    container.remove(force=True)
    seen = container_slot.read("chat", first, {}, context())
    assert seen is not None
    assert seen.state["drift"] == f"chat was removed from {harbour.engine.host}"
    healed = slot(seen.state)
    assert healed["generation"] == first["generation"] + 1
    assert (healed["name"], healed["port"]) == (first["name"], first["port"])
    foreseen = container_slot.preview(harbour.slot_inputs(), seen.state)
    assert foreseen["generation"] == healed["generation"]


def test_a_port_that_any_process_has_is_gone_around_and_a_fixed_one_is_refused(
    harbour: Harbour, slot: Callable[..., State]
) -> None:
    first = slot()["port"]
    with socket.create_server(("127.0.0.1", first)):
        assert slot()["port"] not in {first, None}
        message = refused(lambda: slot(port=first))
    assert message.startswith(
        f"{harbour.engine.host}: proving port {first} of 127.0.0.1 for chat: the port is taken;"
        " free it, or leave `port` out to have a free one chosen ("
    )


def test_a_container_of_others_is_left_alone(
    harbour: Harbour, slot: Callable[..., State], context: Contexts
) -> None:
    theirs = harbour.engine.client.containers.create(harbour.image, name="chat")
    where = f"chat on {harbour.engine.host}"
    assert refused(slot) == f"{where} is not of moorage; choose another `service`"
    theirs.remove()
    theirs = harbour.run({**harbour.slot_inputs(owner="yard/prod/chat"), "name": "chat", "port": 0})
    assert refused(slot) == f"{where} belongs to yard/prod/chat; choose another `service`"
    seen = container_slot.read("chat", {**harbour.slot_inputs(), "name": "chat"}, {}, context())
    assert seen is not None
    assert seen.state["drift"] == f"{where} belongs to yard/prod/chat"
    theirs.reload()
    assert theirs.status == "running"


@pytest.mark.thorough
def test_gpus_of_another_stack_are_refused_and_those_of_this_one_are_told(
    harbour: Harbour, slot: Callable[..., State], lines: list[str]
) -> None:
    embed = {**harbour.slot_inputs(owner="shop/prod/embed", service="embed"), "port": 0}
    harbour.run({**embed, "name": "embed", "deviceIds": ["1"]})
    held = f"chat: GPU 1 of {harbour.engine.host} is held by embed"
    slot(devices=[["0", "1"]])
    assert lines == [f"{held} of this stack; they share it until that one goes"]
    message = refused(lambda: slot(owner="yard/prod/chat", devices=[["0", "1"]]))
    assert message == f"{held} of shop/prod/embed; give it other GPUs"


def test_too_few_gpus_and_an_absent_image_are_told_and_nothing_is_left(
    harbour: Harbour, slot: Callable[..., State]
) -> None:
    where = harbour.engine.host
    message = refused(lambda: slot(devices=[["0", "7"]]))
    assert message.startswith(
        f"{where}: proving GPU 0, 7 and port {_port_in(message)} of 127.0.0.1 for chat:"
        " it does not have all of these GPUs; see `nvidia-smi -L` there ("
    )
    message = refused(lambda: slot(image="acme/engine:9", port=20999))
    assert message == (
        f"{where}: proving port 20999 of 127.0.0.1 for chat: the image is not there;"
        " run up again to have it pulled (No such image: acme/engine:9)"
    )
    assert not harbour.proofs()


@pytest.mark.thorough
def test_an_address_that_the_host_has_not_is_told(
    harbour: Harbour, slot: Callable[..., State]
) -> None:
    message = refused(lambda: slot(address="192.0.2.1", port=20999))
    assert "it has no such address to bind a port to; check `address`" in message


@pytest.mark.thorough
def test_a_delete_forgets_a_host_that_is_gone(
    harbour: Harbour, context: Contexts, lines: list[str]
) -> None:
    state = harbour.slot_inputs(host="unix:///nowhere/docker.sock")
    container_slot.delete("chat", state, context())
    why = "no Docker is there; install and start it, or correct `host`"
    assert lines == [f"chat is forgotten without a last look: {state['host']}: {why}"]


def test_a_preview_says_what_the_change_of_a_container_costs(harbour: Harbour) -> None:
    state = {**harbour.slot_inputs(), "name": "chat", "port": 21000, "generation": 1}
    where = f"chat on {harbour.engine.host}"
    assert container_slot.notice(harbour.slot_inputs(), state) is None
    assert container_slot.notice(harbour.slot_inputs(digest="b"), state) == (
        f"{where} is replaced with downtime: it is stopped before the new container starts"
    )
    unknown = harbour.slot_inputs(digest=UNKNOWN)
    assert str(container_slot.notice(unknown, state)).startswith(f"{where} may be replaced with")
    assert container_slot.notice(harbour.slot_inputs(digest="b", blueGreen=True), state) == (
        f"{where} is replaced blue/green: it serves until the new container is proven"
    )


def _port_in(message: str) -> str:
    found = re.search(r"port (\d+)", message)
    assert found
    return found[1]
