"""The Pulumi package schema of a set of handlers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from moorage.provider.handler import Handler
from moorage.provider.shape import Field, Shape, items_of


@dataclass(frozen=True, kw_only=True, slots=True)
class Package:
    """A provider: its name, version, resource types and configuration."""

    name: str
    version: str
    description: str
    handlers: Mapping[str, Handler]
    config: Mapping[str, Field] = field(default_factory=dict)
    license: str = "Apache-2.0"


def build(package: Package) -> dict[str, Any]:
    """The schema, as `pulumi package get-schema` shows it."""
    types: dict[str, Any] = {}
    resources = {t: _resource(t, one.shape, types) for t, one in package.handlers.items()}
    return {
        "name": package.name,
        "version": package.version,
        "description": package.description,
        "license": package.license,
        "config": {},
        "types": types,
        "provider": {"description": f"The provider of {package.name}."},
        "resources": resources,
    }


def _resource(token: str, shape: Shape, types: dict[str, Any]) -> dict[str, Any]:
    outputs = {**shape.inputs, **shape.outputs}
    certain = [name for name, one in outputs.items() if one.required or one.default]
    return {
        "description": shape.doc,
        "properties": {name: _property(token, name, f, types) for name, f in outputs.items()},
        "required": certain,
        "inputProperties": {
            name: _property(token, name, f, types, is_input=True)
            for name, f in shape.inputs.items()
        },
        "requiredInputs": [name for name, one in shape.inputs.items() if one.required],
    }


def _property(
    token: str, name: str, one: Field, types: dict[str, Any], *, is_input: bool = False
) -> dict[str, Any]:
    spec: dict[str, Any] = {"description": one.doc, **_type(token, name, one, types)}
    if one.secret:
        spec["secret"] = True
    if is_input and one.replaces:
        spec["willReplaceOnChanges"] = True
    if is_input and isinstance(one.default, str | int | float):
        spec["default"] = one.default
    return spec


def _type(token: str, name: str, one: Field, types: dict[str, Any]) -> dict[str, Any]:
    match one.kind:
        case "list":
            return {"type": "array", "items": _type(token, name, items_of(one), types)}
        case "map":
            inner = _type(token, name, items_of(one), types)
            return {"type": "object", "additionalProperties": inner}
        case "any":
            return {"$ref": "pulumi.json#/Any"}
        case "object":
            reference = f"{token}{name[0].upper()}{name[1:]}"
            types[reference] = {
                "type": "object",
                "properties": {
                    member: _property(reference, member, inner, types)
                    for member, inner in one.fields.items()
                },
                "required": [m for m, inner in one.fields.items() if inner.required],
            }
            return {"$ref": f"#/types/{reference}"}
        case _:
            return {"type": one.kind}
