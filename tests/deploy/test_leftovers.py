"""Which creates on Docker hosts are settled by the driver, and what the hosts are asked for it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from moorage.deploy.place import Place
from moorage.deploy.stored import leftovers
from moorage.deploy.stored.leftovers import CONTAINER, IMAGE, NETWORK, SLOT, VOLUME

PROVIDER: dict[str, Any] = {
    "urn": "urn:pulumi:prod::shop::pulumi:providers:docker::gpu-box",
    "type": "pulumi:providers:docker",
    "id": "4f5a",
    "inputs": {"host": "ssh://gpu-box"},
}
OWNER = "shop/prod/chat"
CLAIM = "c1a1"
LOOK = {"kind": "container", "host": "ssh://gpu-box", "mark": CLAIM, "known": []}


def slot(name: str = "chat", **more: Any) -> dict[str, Any]:
    outputs = {"host": "ssh://gpu-box", "name": name, "claim": CLAIM}
    return {"urn": "urn:slot", "type": SLOT, "id": "slot", "outputs": outputs, **more}


def thing(kind: str, name: str = "chat", **more: Any) -> dict[str, Any]:
    """One of Docker's, as the state tells of it."""
    labels = [
        {"label": "moorage.owner", "value": OWNER},
        {"label": "moorage.claim", "value": CLAIM},
    ]
    inputs = {"name": name, "labels": labels}
    provider = f"{PROVIDER['urn']}::{PROVIDER['id']}"
    urn = f"urn:pulumi:prod::shop::{kind}::{name}"
    return {"urn": urn, "type": kind, "inputs": inputs, "provider": provider, **more}


def made(kind: str, id_: str, **more: Any) -> dict[str, Any]:
    known = thing(kind, **more)
    return {**known, "id": id_, "outputs": known["inputs"]}


def creating(kind: str, **more: Any) -> dict[str, Any]:
    return {"type": "creating", "resource": {**thing(kind), **more}}


@pytest.fixture
def where(tmp_path: Path) -> Place:
    named: dict[str, Any] = {"environ": {}, "settings": {}, "manifest": {}}
    place = Place(root=tmp_path, stack="prod", project="shop", backend="file:///s", **named)
    place.work.mkdir(parents=True)
    return place


def case(
    where: Place, resources: list[Any], *operations: Any, ends: bool = False
) -> tuple[list[Any], int]:
    """What is asked, and how many creates that would settle."""
    found = leftovers.case(where, {"resources": [PROVIDER, *resources]}, operations, ends=ends)
    return [json.loads(one.line()) for one in found.questions], len(found.creates)


def test_nothing_is_asked_of_a_stack_that_is_whole(where: Place) -> None:
    assert case(where, [slot(), made(CONTAINER, "a")]) == ([], 0)


def test_a_slot_without_its_container_is_asked_for_though_nothing_is_pending(where: Place) -> None:
    assert case(where, [slot()]) == ([LOOK], 0)
    gone = made(CONTAINER, "a", pendingReplacement=True)
    assert case(where, [slot(), gone]) == ([{**LOOK, "known": ["a"]}], 0)
    blue = made(CONTAINER, "a", name="chat-1")
    assert case(where, [slot("chat-2"), blue]) == ([{**LOOK, "known": ["a"]}], 0)


def test_a_container_s_create_is_settled_by_its_slot_and_by_nothing_else(where: Place) -> None:
    assert case(where, [slot()], creating(CONTAINER)) == ([LOOK], 1)
    assert case(where, [], creating(CONTAINER)) == ([], 0)
    assert case(where, [slot()], creating(CONTAINER, inputs={"name": "chat"})) == ([LOOK], 0)


def test_only_what_was_being_created_is_settled(where: Place) -> None:
    cut_short = {**creating(CONTAINER), "type": "deleting"}
    assert case(where, [slot(), made(CONTAINER, "a")], cut_short) == ([], 0)


def test_a_network_is_looked_for_by_its_owner(where: Place) -> None:
    look = {"kind": "network", "host": "ssh://gpu-box", "mark": OWNER, "known": ["n"]}
    other = made(NETWORK, "n", name="other")
    assert case(where, [other], creating(NETWORK)) == ([look], 1)
    here = creating(NETWORK, provider="")
    assert case(where, [other], here) == ([{**look, "host": "local"}], 1)


def test_images_and_volumes_are_simply_made_again(where: Place) -> None:
    assert case(where, [], creating(IMAGE, inputs={}), creating(VOLUME)) == ([], 2)


def test_a_volume_goes_where_all_is_destroyed(where: Place) -> None:
    look = {"kind": "volume", "host": "ssh://gpu-box", "mark": OWNER, "known": []}
    assert case(where, [], creating(VOLUME), ends=True) == ([look], 1)


@pytest.mark.parametrize("kind", [NETWORK, VOLUME])
def test_what_is_not_of_this_stack_is_left_to_a_person(where: Place, kind: str) -> None:
    for owner in ("shop/prod-2/chat", "another/prod/chat", ""):
        labels = [{"label": "moorage.owner", "value": owner}]
        assert case(where, [], creating(kind, inputs={"labels": labels})) == ([], 0)
    assert case(where, [], creating(kind, inputs={})) == ([], 0)


ANSWERS = {
    'print(\'{"removed": ["chat"]}\')': (
        1,
        "container chat on ssh://gpu-box was begun by a run that died; it is taken away",
    ),
    'print(\'{"fault": "it is silent"}\')': (
        0,
        "cannot tell what a run that died has left on ssh://gpu-box: it is silent",
    ),
    "print('nonsense')": (
        0,
        "cannot tell what a run that died has left on ssh://gpu-box: its provider gave no answer",
    ),
}


@pytest.mark.parametrize("provider", ANSWERS)
def test_a_create_stays_pending_where_its_host_cannot_tell(where: Place, provider: str) -> None:
    settled, line = ANSWERS[provider]
    deployment = {"resources": [PROVIDER, slot()]}
    one = leftovers.case(where, deployment, [creating(CONTAINER)], ends=False)
    said: list[str] = []
    done = leftovers.clear(where, [sys.executable, "-c", provider], one, said.append)
    assert len(done) == settled
    assert said == [line]
