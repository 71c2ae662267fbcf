"""From a declared shape follow its checks and its diffs."""

from __future__ import annotations

from typing import Any

import pytest

from moorage.provider import check, diff
from moorage.provider.handler import DRIFT, Field, Shape
from moorage.provider.values import UNKNOWN

INNER = {
    "path": Field(kind="string", doc="Path.", required=True),
    "seconds": Field(kind="number", doc="Seconds.", default=120),
}
SHAPE = Shape(
    doc="A thing.",
    inputs={
        "name": Field(kind="string", doc="Name.", required=True, replaces=True),
        "size": Field(kind="integer", doc="Size."),
        "mode": Field(kind="string", doc="Mode.", choices=("a", "b"), default="a"),
        "words": Field(kind="list", doc="Words."),
        "map": Field(kind="map", doc="Map.", secret=True),
        "ready": Field(kind="object", doc="Ready.", fields=INNER),
        "on": Field(kind="boolean", doc="On."),
    },
    outputs={"url": Field(kind="string", doc="URL.", required=True), "drift": DRIFT},
)


def test_defaults_are_filled_in_deep_down() -> None:
    inputs, failures = check.check(SHAPE.inputs, {"name": "n", "ready": {"path": "/"}})
    assert inputs == {"name": "n", "mode": "a", "ready": {"path": "/", "seconds": 120}}
    assert failures == []


@pytest.mark.parametrize(
    ("change", "name", "reason"),
    [
        ({"nmae": "x"}, "nmae", "unknown property; known are name, size"),
        ({"name": 3}, "name", "must be a string"),
        ({"size": 1.5}, "size", "must be an integer"),
        ({"size": True}, "size", "must be an integer"),
        ({"mode": "c"}, "mode", "must be one of a, b"),
        ({"words": ["a", 2]}, "words[1]", "must be a string"),
        ({"map": {"a.b": 2}}, 'map["a.b"]', "must be a string"),
        ({"map": []}, "map", "must be a map of strings"),
        ({"ready": {}}, "ready.path", "required: Path."),
        ({"ready": {"path": "/", "x": 1}}, "ready.x", "unknown property"),
        ({"on": "yes"}, "on", "must be a boolean"),
    ],
)
def test_what_is_wrong_is_named(change: dict[str, Any], name: str, reason: str) -> None:
    [failure] = check.check(SHAPE.inputs, {"name": "n", **change})[1]
    assert failure.name == name
    assert failure.reason.startswith(reason)


def test_unknowns_pass_every_check() -> None:
    unknown = dict.fromkeys(SHAPE.inputs, UNKNOWN)
    assert check.check(SHAPE.inputs, unknown)[1] == []


@pytest.mark.parametrize(
    ("old", "new", "changes"),
    [
        ({}, {}, []),
        ({"size": 1}, {"size": 2}, [("size", "update", False)]),
        ({"name": "a"}, {"name": "b"}, [("name", "update", True)]),
        ({"name": "a"}, {"name": UNKNOWN}, [("name", "update", True)]),
        ({"words": ["a"]}, {"words": ["a", "b"]}, [("words[1]", "add", False)]),
        ({"map": {"a.b": "1"}}, {"map": {"c": "1"}},
         [('map["a.b"]', "delete", False), ("map.c", "add", False)]),
        ({"ready": {"path": "/"}}, {}, [("ready", "delete", False)]),
    ],
)  # fmt: skip
def test_differences_are_told_to_the_last_member(
    old: dict[str, Any], new: dict[str, Any], changes: list[tuple[str, str, bool]]
) -> None:
    found = diff.diff(SHAPE, old, {}, new)
    assert [(change.path, change.kind, change.replaces) for change in found] == changes


def test_drift_is_a_difference() -> None:
    [change] = diff.diff(SHAPE, {}, {"drift": "it has ended"}, {})
    assert (change.path, change.replaces, change.is_input) == ("drift", False, False)
