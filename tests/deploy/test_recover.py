"""What a died run left pending is resolved in the state: found things in, the rest struck off."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from moorage.deploy.pending import SECRET, UNFINISHED, failed_create, settled_state

STACK = {"urn": "urn:pulumi:s::p::pulumi:pulumi:Stack::p-s", "type": "pulumi:pulumi:Stack"}
URN = "urn:pulumi:s::p::moorage:index:Process::one"
INPUTS = {"directory": "/d"}
THING: dict[str, Any] = {"urn": URN, "type": "moorage:index:Process", "inputs": INPUTS}
FOUND = {**THING, "id": "/d", "outputs": INPUTS, "initErrors": [UNFINISHED]}


def state(*resources: dict[str, Any], pending: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "version": 3,
        "deployment": {"resources": list(resources), "pending_operations": pending},
    }


def test_a_create_that_happened_enters_the_state_by_its_id() -> None:
    pending = [{"type": "creating", "resource": THING}]
    settled = settled_state(state(STACK, pending=pending), pending, {URN: "/d"})
    assert settled["deployment"]["resources"] == [STACK, FOUND]
    assert settled["deployment"]["pending_operations"] == []


def test_a_create_that_did_not_happen_is_struck_off() -> None:
    pending = [{"type": "creating", "resource": THING}]
    settled = settled_state(state(STACK, pending=pending), pending, {URN: None})
    assert settled["deployment"] == {"resources": [STACK], "pending_operations": []}


def test_a_replacement_that_happened_leaves_the_old_one_to_be_deleted() -> None:
    old = {**THING, "id": "/old"}
    pending = [{"type": "creating", "resource": THING}]
    settled = settled_state(state(STACK, old, pending=pending), pending, {URN: "/d"})
    assert settled["deployment"]["resources"] == [
        STACK,
        FOUND,
        {**old, "delete": True},
    ]


def test_a_thing_that_the_state_knows_already_stays_single() -> None:
    known = {**THING, "id": "/d"}
    pending = [{"type": "creating", "resource": THING}]
    settled = settled_state(state(STACK, known, pending=pending), pending, {URN: "/d"})
    assert settled["deployment"]["resources"] == [STACK, {**known, "initErrors": [UNFINISHED]}]


def test_operations_of_other_providers_stay_pending() -> None:
    docker = {"type": "creating", "resource": {"urn": "u", "type": "docker:index:Container"}}
    ours = {"type": "updating", "resource": THING}
    settled = settled_state(state(STACK, THING, pending=[docker, ours]), [ours], {})
    assert settled["deployment"]["pending_operations"] == [docker]


def test_what_was_cut_short_is_marked_so_that_an_up_takes_it_up_again() -> None:
    dying = {**THING, "delete": True}
    pending = [{"type": "updating", "resource": THING}]
    settled = settled_state(state(STACK, THING, dying, pending=pending), pending, {})
    assert settled["deployment"] == {
        "resources": [STACK, {**THING, "initErrors": [UNFINISHED]}, dying],
        "pending_operations": [],
    }


def test_a_failed_create_is_kept_without_the_masks_of_its_secrets() -> None:
    masked = {SECRET: "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "[secret]"}
    inputs = {"directory": "/d", "environment": masked, "files": {"key": masked, "a": "b"}}
    event = SimpleNamespace(urn=URN, type=THING["type"], inputs=inputs, parent="", provider="p")
    assert failed_create(event) == {
        "type": "creating",
        "resource": {
            "urn": URN,
            "type": "moorage:index:Process",
            "custom": True,
            "inputs": {"directory": "/d", "files": {"a": "b"}},
            "provider": "p",
        },
    }
