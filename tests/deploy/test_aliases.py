"""The names that a resource may have had are those among which the engine looks for it."""

from __future__ import annotations

from typing import Any

import pulumi
import pytest
from pulumi.runtime.proto import alias_pb2, resource_pb2

from moorage.deploy import aliases
from moorage.deploy.stored.snapshot import opened

HERE = "urn:pulumi:local::demo::"
GROUP, OLD_GROUP = f"{HERE}demo:Group::hello", f"{HERE}demo:Old::hi"


@pytest.fixture(autouse=True)
def _program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulumi, "get_stack", lambda: "local")
    monkeypatch.setattr(pulumi, "get_project", lambda: "demo")


def named(*told: alias_pb2.Alias, name: str = "b", parent: str = "") -> list[str]:
    """Where the engine would look for a thing that tells these aliases, below a renamed parent."""
    request = resource_pb2.RegisterResourceRequest(
        type="demo:Thing", name=name, parent=parent, aliases=told
    )
    assert aliases.urn_of(request).endswith(f"::{name}")
    return list(aliases.earlier(request, {GROUP: OLD_GROUP}))


def spec(**fields: Any) -> alias_pb2.Alias:
    return alias_pb2.Alias(spec=alias_pb2.Alias.Spec(**fields))


@pytest.mark.parametrize(
    ("alias", "was"),
    [
        (alias_pb2.Alias(urn=f"{HERE}x:Y::z"), f"{HERE}x:Y::z"),
        (spec(name="a"), f"{HERE}demo:Thing::a"),
        (spec(type="demo:Other"), f"{HERE}demo:Other::b"),
        (spec(stack="old", project="p"), "urn:pulumi:old::p::demo:Thing::b"),
        (spec(parentUrn=f"{HERE}demo:Room::r"), f"{HERE}demo:Room$demo:Thing::b"),
        (spec(parentUrn=f"{HERE}pulumi:pulumi:Stack::demo-local"), f"{HERE}demo:Thing::b"),
        (spec(parentUrn=GROUP), f"{HERE}demo:Old$demo:Thing::b"),
    ],
)
def test_what_a_program_may_say_of_a_name(alias: alias_pb2.Alias, was: str) -> None:
    assert named(alias) == [was]


def test_a_thing_that_had_no_parent() -> None:
    below = f"{HERE}demo:Room::r"
    assert named(spec(noParent=True), parent=below) == [f"{HERE}demo:Thing::b"]
    assert named(spec(name="a"), parent=below) == [f"{HERE}demo:Room$demo:Thing::a"]


def test_a_child_was_below_what_its_parent_was_and_began_with_its_name() -> None:
    assert named(parent=GROUP) == [f"{HERE}demo:Old$demo:Thing::b"]
    assert named(name="hello-key", parent=GROUP) == [f"{HERE}demo:Old$demo:Thing::hi-key"]
    assert named(spec(name="hello-a"), parent=GROUP) == [
        f"{HERE}demo:Group$demo:Thing::hello-a",
        f"{HERE}demo:Old$demo:Thing::b",
        f"{HERE}demo:Old$demo:Thing::hi-a",
    ]


@pytest.mark.parametrize(
    ("kept", "told"),
    [
        ({"a": ["x", 1]}, {"a": ["x", 1]}),
        ({"4dabf18193072939515e22adb298388d": "1b4", "ciphertext": "v1:x"}, None),
        ({"a": [{"4dabf18193072939515e22adb298388d": "1b4", "ciphertext": "v1:x"}]}, None),
        (
            {"4dabf18193072939515e22adb298388d": "1b4", "plaintext": '{"k": "v"}'},
            {"4dabf18193072939515e22adb298388d": "1b4", "value": {"k": "v"}},
        ),
    ],
)
def test_a_value_of_the_state_is_told_as_the_engine_takes_it(kept: object, told: object) -> None:
    assert opened(kept) == told
