"""Shapes of the stand-in's resources, made of what upstream declares of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from moorage.provider.handler import Change, Failure, State
from moorage.provider.shape import DRIFT, Field, Shape

UPSTREAM = Path(__file__).with_name("upstream.yaml")
_KINDS: Any = {"set": "list"}  # Pulumi knows lists only; their order means nothing


def shape(resource: str, inputs: Iterable[str], **more: Any) -> Shape:
    """The shape of a resource with these of its inputs, and all of its outputs.

    A thing whose create has failed is told by `drift`, as Terraform taints it.
    """
    known = upstream()[resource]
    outputs = {name: _field(one) for name, one in known.items() if one.get("output")}
    return Shape(
        doc=f"Docker's {resource}.",
        inputs={name: _field(known[name]) for name in inputs},
        outputs={**outputs, "drift": DRIFT},
        **more,
    )


def check(inputs: Iterable[str]) -> Callable[[State], list[Failure]]:
    """Refuse what the stand-in would pass over in silence."""
    known = frozenset(inputs)
    reason = "the stand-in of the docker plugin does not know it; see tests/docker_plugin"

    def judged(given: State) -> list[Failure]:
        return [Failure(name=name, reason=reason) for name in sorted(given.keys() - known)]

    return judged


def diff(resource: str) -> Callable[[list[Change], State, State], list[Change]]:
    """Changes without those of order only; what was left unfinished is replaced."""
    sets = [name for name, one in upstream()[resource].items() if one["kind"] == "set"]

    def judged(changes: list[Change], old: State, new: State) -> list[Change]:
        same = {name for name in sets if _sorted(old.get(name)) == _sorted(new.get(name))}
        return [_tainted(one) for one in changes if _top(one.path) not in same]

    return judged


@cache
def upstream() -> Mapping[str, Mapping[str, Any]]:
    """What terraform-provider-docker declares."""
    text = UPSTREAM.read_text(encoding="utf-8")
    found: Mapping[str, Mapping[str, Any]] = yaml.load(text, Loader=yaml.CSafeLoader)
    return found


def _field(one: Mapping[str, Any]) -> Field:
    fields = {name: _field(member) for name, member in one.get("fields", {}).items()}
    kind = _KINDS.get(one["kind"], one["kind"])
    in_list = kind == "list" and fields
    return Field(
        kind=kind,
        doc="",
        required=one.get("required", False),
        replaces=one.get("replaces", False),
        default=one.get("default"),
        items=Field(kind="object", doc="", fields=fields) if in_list else None,
        fields={} if in_list else fields,
    )


def _tainted(change: Change) -> Change:
    return change if change.is_input else replace(change, replaces=True)


def _sorted(values: Any) -> list[str]:
    return sorted(json.dumps(one, sort_keys=True, default=repr) for one in values or [])


def _top(path: str) -> str:
    return path.split(".", maxsplit=1)[0].split("[", maxsplit=1)[0]
