"""What follows from a declared shape: checked inputs, detailed diffs, the package schema."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from moorage.provider.handler import Failure, Field, Shape, State
from moorage.provider.values import UNKNOWN

_PYTHON_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "strings": (list,),
    "map": (dict,),
    "object": (dict,),
}
_WORDS: Final = {
    "strings": "a list of strings",
    "map": "a map of strings",
    "integer": "an integer",
    "object": "an object",
}
_ITEM: Final = Field(kind="string", doc="")


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """One property that differs; `path` is written as Pulumi writes property paths."""

    path: str
    kind: Literal["add", "delete", "update"]
    replaces: bool
    is_input: bool = True


def check(shape: Shape, inputs: State) -> tuple[State, list[Failure]]:
    """The inputs with defaults filled in, and what is wrong with them."""
    failures = list(_check_members(shape.inputs, inputs, ""))
    return _with_defaults(shape.inputs, inputs), failures


def diff(shape: Shape, old_inputs: State, state: State, inputs: State) -> list[Change]:
    """What an update has to change: declared inputs, and drift that Read has found."""
    changes = [
        change
        for name, field in shape.inputs.items()
        for change in _diff(name, old_inputs.get(name), inputs.get(name), field.replaces)
    ]
    if state.get("drift"):
        changes.append(Change(path="drift", kind="delete", replaces=False, is_input=False))
    return changes


def package(shapes: Mapping[str, Shape], *, version: str) -> dict[str, Any]:
    """The Pulumi package schema."""
    types: dict[str, Any] = {}
    resources = {token: _resource(token, shape, types) for token, shape in shapes.items()}
    return {
        "name": "moorage",
        "version": version,
        "description": "Model services from specs, through one gateway",
        "license": "Apache-2.0",
        "config": {},
        "types": types,
        "provider": {"description": "The provider of moorage; it needs no configuration."},
        "resources": resources,
    }


def _with_defaults(fields: Mapping[str, Field], values: State) -> State:
    filled = dict(values)
    for name, field in fields.items():
        if field.default is not None:
            filled.setdefault(name, field.default)
        if field.fields and isinstance(filled.get(name), dict):
            filled[name] = _with_defaults(field.fields, filled[name])
    return filled


def _check_members(fields: Mapping[str, Field], values: State, prefix: str) -> Iterator[Failure]:
    for name in values.keys() - fields.keys():
        reason = f"unknown property; known are {', '.join(fields)}"
        yield Failure(name=prefix + name, reason=reason)
    for name, field in fields.items():
        if name in values:
            yield from _check_value(field, values[name], prefix + name)
        elif field.required:
            yield Failure(name=prefix + name, reason=f"required: {field.doc}")


def _check_value(field: Field, value: Any, path: str) -> Iterator[Failure]:
    if value is UNKNOWN:
        return
    wanted = _PYTHON_TYPES[field.kind]
    if not isinstance(value, wanted) or (isinstance(value, bool) and bool not in wanted):
        word = _WORDS.get(field.kind, f"a {field.kind}")
        yield Failure(name=path, reason=f"must be {word}")
    elif field.choices and value not in field.choices:
        yield Failure(name=path, reason=f"must be one of {', '.join(field.choices)}")
    elif isinstance(value, dict) and field.kind == "object":
        yield from _check_members(field.fields, value, f"{path}.")
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _check_value(_ITEM, item, f"{path}[{number}]")
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _check_value(_ITEM, item, _member(path, key))


def _diff(path: str, old: Any, new: Any, replaces: bool) -> Iterator[Change]:
    if old == new and new is not UNKNOWN:
        return
    if isinstance(old, dict) and isinstance(new, dict):
        for key in {**old, **new}:
            yield from _diff(_member(path, key), old.get(key), new.get(key), replaces)
    elif isinstance(old, list) and isinstance(new, list):
        for number in range(max(len(old), len(new))):
            yield from _diff(f"{path}[{number}]", _item(old, number), _item(new, number), replaces)
    else:
        kind: Literal["add", "delete", "update"] = "update"
        if old is None:
            kind = "add"
        elif new is None:
            kind = "delete"
        yield Change(path=path, kind=kind, replaces=replaces)


def _item(items: list[Any], number: int) -> Any:
    return items[number] if number < len(items) else None


def _member(path: str, key: str) -> str:
    if re.fullmatch(r"[A-Za-z_]\w*", key):
        return f"{path}.{key}"
    escaped = key.replace('"', '\\"')
    return f'{path}["{escaped}"]'


def _resource(token: str, shape: Shape, types: dict[str, Any]) -> dict[str, Any]:
    outputs = {**shape.inputs, **shape.outputs}
    certain = [name for name, field in outputs.items() if field.required or field.default]
    return {
        "description": shape.doc,
        "properties": {name: _property(token, name, f, types) for name, f in outputs.items()},
        "required": certain,
        "inputProperties": {
            name: _property(token, name, f, types, is_input=True)
            for name, f in shape.inputs.items()
        },
        "requiredInputs": [name for name, field in shape.inputs.items() if field.required],
    }


def _property(
    token: str, name: str, field: Field, types: dict[str, Any], *, is_input: bool = False
) -> dict[str, Any]:
    spec: dict[str, Any] = {"description": field.doc, **_type(token, name, field, types)}
    if field.secret:
        spec["secret"] = True
    if is_input and field.replaces:
        spec["willReplaceOnChanges"] = True
    if is_input and isinstance(field.default, str | int | float):
        spec["default"] = field.default
    return spec


def _type(token: str, name: str, field: Field, types: dict[str, Any]) -> dict[str, Any]:
    match field.kind:
        case "strings":
            return {"type": "array", "items": {"type": "string"}}
        case "map":
            return {"type": "object", "additionalProperties": {"type": "string"}}
        case "object":
            reference = f"{token}{name[0].upper()}{name[1:]}"
            types[reference] = {
                "type": "object",
                "properties": {
                    member: _property(token, member, inner, types)
                    for member, inner in field.fields.items()
                },
                "required": [m for m, inner in field.fields.items() if inner.required],
            }
            return {"$ref": f"#/types/{reference}"}
        case _:
            return {"type": field.kind}
