"""What a died run left pending is resolved in the state: found things in, the rest struck off."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from moorage.deploy import place
from moorage.deploy.place import Place
from moorage.deploy.show.values import SIGNATURE
from moorage.deploy.stored import pending as operations
from moorage.deploy.stored import recover
from moorage.deploy.stored.pending import UNFINISHED, failed_create, settled_state
from moorage.errors import Exit, MoorageError

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


def test_a_thing_that_its_replacement_adopted_is_not_deleted_for_the_old_one() -> None:
    """A run that died between the two would have the next one delete what it is to keep."""
    live = {**THING, "id": "/d"}
    other = {**THING, "id": "/old", "delete": True}
    deployment = {"resources": [STACK, live, {**live, "delete": True}, other]}
    assert operations.without_doubles(deployment)["resources"] == [STACK, live, other]
    single = {"resources": [STACK, live, other]}
    assert operations.without_doubles(single) is single


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


def test_a_list_with_a_masked_member_is_no_value_either() -> None:
    inputs = {
        "plain": ["a", {"b": ["c"]}],
        "keys": ["a", "[secret]"],
        "logins": [{"name": "us", "passwords": ["[secret]"]}],
        "sealed": [{SIGNATURE: "1"}],
    }
    event = SimpleNamespace(urn="u", type="t", inputs=inputs, parent="", provider="")
    assert failed_create(event)["resource"]["inputs"] == {"plain": ["a", {"b": ["c"]}]}


def test_a_failed_create_is_kept_without_the_masks_of_its_secrets() -> None:
    masked = {SIGNATURE: "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "[secret]"}
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


def settled(one: dict[str, Any], *resources: dict[str, Any], found: Any) -> list[dict[str, Any]]:
    """The resources after one pending operation was settled."""
    before = state(STACK, *resources, pending=[one])
    after = settled_state(before, [one], {URN: found} if found is not ... else {})["deployment"]
    assert after["pending_operations"] == []
    assert after["resources"][0] == STACK
    return list(after["resources"][1:])


CREATING = {"type": "creating", "resource": THING}
DELETING = {"type": "deleting", "resource": THING}
ROOM_MADE = {**THING, "id": "/d", "pendingReplacement": True}


@pytest.mark.parametrize("identity", ["/d", "/new"])
def test_what_was_deleted_to_make_room_is_not_kept_beside_the_new_one(identity: str) -> None:
    """Whether the new one has the old one's id or not: a destroy must find the new one."""
    assert settled(CREATING, ROOM_MADE, found=identity) == [{**FOUND, "id": identity}]


def test_what_was_deleted_to_make_room_is_created_anew_where_nothing_is() -> None:
    assert settled(CREATING, ROOM_MADE, found=None) == [ROOM_MADE]


def test_a_delete_that_happened_is_kept_only_for_what_depends_on_it() -> None:
    known = {**THING, "id": "/d"}
    assert settled(DELETING, known, found=None) == [ROOM_MADE]
    assert settled(DELETING, known, found="/d") == [{**known, "initErrors": [UNFINISHED]}]


def test_the_delete_of_a_replaced_thing_is_simply_done_again() -> None:
    old, new = {**THING, "id": "/old", "delete": True}, {**THING, "id": "/d"}
    assert operations.to_ask(state(old, pending=[DELETING]), [DELETING]) == []
    assert settled(DELETING, old, found=...) == [old]
    assert settled(DELETING, new, old, found=None)[1] == old


def test_the_replacement_stays_when_the_delete_of_the_old_one_was_cut_short() -> None:
    """Whatever became of the old one: a destroy would forget a replacement that is marked gone."""
    old, new = {**THING, "id": "/old", "delete": True}, {**THING, "id": "/new"}
    one = {"type": "deleting", "resource": old}
    assert operations.to_ask(state(new, old, pending=[one]), [one]) == []
    for found in (..., None, "/new"):
        assert settled(one, new, old, found=found) == [new, old]


def test_components_and_the_engine_s_own_things_are_asked_of_nobody() -> None:
    component = {"urn": "u", "type": "moorage:components:ModelService", "custom": False}
    provider = {"urn": "u", "type": "pulumi:providers:docker", "custom": True}
    container = {"urn": "u", "type": "docker:index/container:Container", "custom": True}
    for resource in (component, provider):
        one = {"type": "creating", "resource": resource}
        assert not operations.is_ours(one)
        assert not operations.is_owed(one)
    assert operations.is_owed({"type": "creating", "resource": container})
    assert not operations.is_owed({"type": "updating", "resource": container})


@pytest.mark.parametrize("kind", ["updating", "deleting", "reading", "importing"])
def test_what_was_cut_short_is_told_in_words(kind: str) -> None:
    one = {"type": kind, "resource": {**THING, "type": "docker:index/container:Container"}}
    told = {"updating": "update", "deleting": "delete", "reading": "look-up", "importing": "import"}
    assert f"its {told[kind]} was cut short" in operations.foreign_verdict(one, "local")
    assert f"its {told[kind]} was cut short" in operations.verdict(one, {})


def the_place(root: Path, backend: str = "") -> Place:
    url = backend or f"file://{root}/.moorage/state"
    named: dict[str, Any] = {"environ": {}, "settings": {}, "manifest": {}}
    where = Place(root=root, stack="local", project="demo", backend=url, **named)
    where.work.mkdir(parents=True)
    return where


@pytest.mark.parametrize(
    ("provider", "says"),
    [
        ("import time; time.sleep(60)", "its provider gave no answer within 0 s"),
        ("import os; os.kill(os.getpid(), 9)", "no answer"),
        ("import sys; sys.exit('no room at the Hub')", "no room at the Hub"),
        ("print('nonsense')", "its provider gave no answer that can be read"),
        ("print('{}')", "its provider gave no answer that can be read"),
    ],
)
def test_a_provider_that_does_not_tell_leaves_everything_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, provider: str, says: str
) -> None:
    if "sleep" in provider:
        monkeypatch.setattr(recover, "LOCATE_DEADLINE_S", 0.2)
    plugin = [sys.executable, "-c", provider]
    with pytest.raises(MoorageError) as fault:
        recover._locate(the_place(tmp_path), plugin, [CREATING])
    assert fault.value.exit_code == Exit.NEEDS_PERSON
    expected = f"cannot tell whether Process one exists after a run that died: {says}"
    assert str(fault.value) == f"{expected}; nothing was changed, run it again"


def test_a_stack_on_two_backends_keeps_the_other_s_processes(tmp_path: Path) -> None:
    """Both tag what they run with the same names, so only the last one's destroy may sweep."""
    mine, other = the_place(tmp_path), the_place(tmp_path, "s3://team/states?region=x")
    (tmp_path / ".moorage" / "run" / "local" / "engine").mkdir(parents=True)
    for where in (mine, other):
        place.enlist(where)
    taken = [sys.executable, "-c", 'print(\'{"id": "engine"}\')']
    said: list[str] = []
    recover.sweep(mine, taken, said.append)
    assert said == ["stack local is deployed on s3://team/states too; what still runs is left"]
    place.tidy(mine)
    recover.sweep(other, taken, said.append)
    assert said[1:] == ["engine: no record knew of it any more; taken away"]
