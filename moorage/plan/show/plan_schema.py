"""The JSON Schema of `moorage plan --format json`, read off the types of a plan."""

from __future__ import annotations

import types
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, Union, get_args, get_origin, get_type_hints

from msgspec import Struct

from moorage.plan.types import Plan
from moorage.spec.forms import DIALECT, Schema
from moorage.spec.problems import Problem

VERSION: Final = 2
_SCALARS: Final[dict[Any, Schema]] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    type(None): {"type": "null"},
    Decimal: {"type": "string", "description": "Dollars, as text.", "pattern": r"^-?[0-9.]+$"},
    Path: {"type": "string", "description": "A path with slashes."},
    Any: {},
}


def build() -> dict[str, Any]:
    """The schema of what `moorage plan --format json` prints."""
    defs: dict[str, Any] = {}
    plan, problem = _ref(Plan, defs), _ref(Problem, defs)
    digest = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
    defs["Plan"]["properties"]["digest"] = {
        "description": "The SHA-256 of the plan's canonical JSON without this key.",
        **digest,
    }
    defs["Plan"]["required"].append("digest")
    return {
        "$schema": DIALECT,
        "title": "Plans",
        "description": "What would run where, at what cost and why; and what is wrong.",
        "type": "object",
        "properties": {
            "version": {"description": "The version of this format.", "const": VERSION},
            "plans": {"type": "array", "items": plan},
            "problems": {"type": "array", "items": problem},
        },
        "required": ["version", "plans", "problems"],
        "additionalProperties": False,
        "$defs": dict(sorted(defs.items())),
    }


def _ref(shape: Any, defs: dict[str, Any]) -> Schema:
    name = shape.__name__
    if name not in defs:
        defs[name] = {}  # a shape may hold itself
        hints = get_type_hints(shape)
        defs[name] = {
            "description": _first_line(shape),
            "type": "object",
            "properties": {key: _value(hints[key], defs) for key in shape.__struct_fields__},
            "required": list(shape.__struct_fields__),
            "additionalProperties": False,
        }
    return {"$ref": f"#/$defs/{name}"}


def _value(kind: Any, defs: dict[str, Any]) -> Schema:
    if kind in _SCALARS:
        return _SCALARS[kind]
    if isinstance(kind, type) and issubclass(kind, Struct):
        return _ref(kind, defs)
    origin, inside = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return {"anyOf": [_value(one, defs) for one in inside]}
    if origin in (tuple, Sequence):
        return {"type": "array", "items": _value(inside[0], defs)}
    if origin in (dict, Mapping):
        return {"type": "object", "additionalProperties": _value(inside[1], defs)}
    message = f"no JSON form is known for {kind}"
    raise TypeError(message)


def _first_line(shape: type) -> str:
    return (shape.__doc__ or shape.__name__).strip().splitlines()[0]
