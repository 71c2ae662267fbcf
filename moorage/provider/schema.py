"""The Pulumi package schema of a package, derived from the shapes of its handlers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from moorage.provider.derived import naming
from moorage.provider.handler import Handler
from moorage.provider.package import Package
from moorage.provider.shape import Field, items_of

__all__ = ["Package", "build"]

_PLAIN: Final[Mapping[str, tuple[type, ...]]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
}

Spec = dict[str, Any]


def build(package: Package) -> Spec:
    """The schema, as `pulumi package get-schema` shows it."""
    types = naming.types_of(package)
    return {
        "name": package.name,
        "version": package.version,
        "description": package.description,
        "license": package.license,
        "language": _languages(package),
        "config": _config(package),
        "types": {
            **{
                _token(package, name): _object(package, name, one)
                for name, one in types.objects.items()
            },
            **{_token(package, name): _choices(one) for name, one in types.choices.items()},
        },
        "provider": _provider(package),
        "resources": {t: _resource(package, t, one) for t, one in package.handlers.items()},
    }


def certain(fields: Mapping[str, Field]) -> list[str]:
    """What is always there once the defaults are filled in."""
    return [name for name, one in fields.items() if one.required or one.default is not None]


def required(fields: Mapping[str, Field]) -> list[str]:
    """What has to be given."""
    return [name for name, one in fields.items() if one.required and one.default is None]


def told(one: Field, *, default: bool = True) -> str:
    """What a property means, its bounds, and the default that the schema cannot hold."""
    bounds = (("At least", one.least), ("At most", one.most))
    words = [f"{word} {limit:g}." for word, limit in bounds if limit is not None]
    if default and one.default is not None and not _can_default(one):
        words.append(f"Default: {json.dumps(one.default)}.")
    return " ".join(filter(None, [one.doc, *words]))


def _languages(package: Package) -> Spec:
    usual: Spec = {"respectSchemaVersion": True}
    named = {"packageName": package.python} if package.python else {}
    return {"python": {**named, **usual}, "nodejs": usual, "go": usual}


def _config(package: Package) -> Spec:
    """Pulumi calls the variables that must be set `defaults`."""
    if not package.config:
        return {}
    variables = _properties(package, naming.CONFIG, package.config)
    return {"variables": variables, "defaults": required(package.config)}


def _provider(package: Package) -> Spec:
    spec: Spec = {"description": f"The provider of {package.name}."}
    if package.config:
        properties = _properties(package, naming.CONFIG, package.config)
        spec |= {"inputProperties": properties, "requiredInputs": required(package.config)}
        spec |= {"properties": properties, "required": required(package.config)}
    return spec


def _resource(package: Package, token: str, handler: Handler) -> Spec:
    shape, owner = handler.shape, naming.class_name(token)
    outputs = {**shape.inputs, **shape.outputs}
    inputs = _properties(package, owner, shape.inputs)
    for name, one in shape.inputs.items():
        if one.replaces or handler.update is None:
            inputs[name]["willReplaceOnChanges"] = True
    return {
        "description": _described(shape.doc, shape.example),
        "properties": _properties(package, owner, outputs, defaults=False),
        "required": certain(outputs),
        "inputProperties": inputs,
        "requiredInputs": required(shape.inputs),
    }


def _described(doc: str, example: str) -> str:
    return f"{doc}\n\n## Example\n\n```python\n{example.strip()}\n```\n" if example else doc


def _object(package: Package, name: str, one: Field) -> Spec:
    properties = _properties(package, name, one.fields)
    for member, inner in one.fields.items():
        if inner.replaces:
            properties[member]["willReplaceOnChanges"] = True
    return {
        "type": "object",
        "description": one.doc,
        "properties": properties,
        "required": required(one.fields),
    }


def _choices(one: Field) -> Spec:
    return {
        "type": "string",
        "description": one.doc,
        "enum": [{"name": naming.choice_name(choice), "value": choice} for choice in one.choices],
    }


def _properties(
    package: Package, owner: str, fields: Mapping[str, Field], *, defaults: bool = True
) -> Spec:
    return {
        name: _property(package, naming.type_name(owner, name), one, defaults)
        for name, one in fields.items()
    }


def _property(package: Package, type_name: str, one: Field, defaults: bool) -> Spec:
    spec: Spec = {"description": told(one), **_type(package, type_name, one)}
    if one.secret:
        spec["secret"] = True
    if one.deprecated:
        spec["deprecationMessage"] = one.deprecated
    if defaults and one.default is not None and _can_default(one):
        spec["default"] = one.default
    return spec


def _can_default(one: Field) -> bool:
    return isinstance(one.default, _PLAIN.get(one.kind, ()))


def _type(package: Package, type_name: str, one: Field) -> Spec:
    match one.kind:
        case "list":
            return {"type": "array", "items": _type(package, type_name, items_of(one))}
        case "map":
            inner = _type(package, type_name, items_of(one))
            return {"type": "object", "additionalProperties": inner}
        case "any":
            return {"$ref": "pulumi.json#/Any"}
        case "object":
            return {"$ref": f"#/types/{_token(package, type_name)}"}
        case "string" if one.choices:
            # Either of both: a program may as well say the text itself.
            reference = {"$ref": f"#/types/{_token(package, type_name)}"}
            return {"type": "string", "oneOf": [{"type": "string"}, reference]}
        case _:
            return {"type": one.kind}


def _token(package: Package, type_name: str) -> str:
    return f"{package.name}:index:{type_name}"
