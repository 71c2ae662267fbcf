"""The reference pages of a package: one per resource type, and an index."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from moorage.provider.derived import naming
from moorage.provider.derived.layout import value
from moorage.provider.derived.naming import argument_name, attribute_name, innermost, python_name
from moorage.provider.handler import Handler
from moorage.provider.package import Package
from moorage.provider.schema import certain, required, told
from moorage.provider.shape import Field, Shape, items_of

INDEX: Final = "README.md"
_WRITTEN: Final = "<!-- derived from the shapes of the handlers; not to be edited -->"
_STAND_INS: Final[Mapping[str, Any]] = {
    "string": "...",
    "integer": 1,
    "number": 1.0,
    "boolean": True,
    "any": None,
}


def build(package: Package) -> dict[str, str]:
    """The pages by file name."""
    pages = {
        f"{naming.class_name(token)}.md": _text(_page(package, token, handler))
        for token, handler in package.handlers.items()
    }
    return {INDEX: _text(_index(package)), **pages}


def example(package: Package, token: str, shape: Shape) -> str:
    """A program that declares one: the shape's own, or the least that is required."""
    if shape.example:
        return shape.example.strip()
    module = package.python or f"pulumi_{package.name}"
    name = naming.class_name(token)
    return "\n".join([f"from {module} import {name}", "", f"{name}(", *_least(shape), ")"])


def _text(lines: Iterator[str]) -> str:
    return "\n".join([*lines, ""])


def _index(package: Package) -> Iterator[str]:
    yield from (f"# Resources of {package.name}", "", _WRITTEN, "")
    yield f"{package.description}. Programs in Python declare them by the classes of"
    yield f"`{package.python or package.name}`; other languages by the names of the schema, which"
    yield f"`pulumi package get-schema <path of pulumi-resource-{package.name}>` shows."
    yield from ("", "| resource | what it is |", "|---|---|")
    for token, handler in package.handlers.items():
        name = naming.class_name(token)
        yield f"| [{name}]({name}.md) | {_cell(handler.shape.doc)} |"
    if package.config:
        yield from ("", "## Configuration", "")
        yield f"`pulumi config set {package.name}:<name> <value>`; `--secret` for what is secret."
        yield from ("", "| name | type | meaning |", "|---|---|---|")
        for name, one in package.config.items():
            yield f"| `{name}` | {_type(one)} | {_meaning(one, required(package.config), name)} |"


def _page(package: Package, token: str, handler: Handler) -> Iterator[str]:
    shape, name = handler.shape, naming.class_name(token)
    yield from (f"# {name}", "", _WRITTEN, "", shape.doc, "", f"Token: `{token}`", "")
    yield from ("```python", example(package, token, shape), "```", "", "## Inputs", "")
    yield from _inputs(handler)
    for path, one in _objects(shape.inputs):
        yield from ("", f"### Members of `{path}`", "", told(one), "")
        yield from _table(one.fields, python_name, one.fields)
    yield from ("", "## Outputs", "", "The inputs, with defaults filled in, and:", "")
    yield from _outputs(shape)
    yield from ("", "## How it changes", "", *_changes(handler))
    yield from ("", "## Import", "", *_import(token, shape))


def _inputs(handler: Handler) -> Iterator[str]:
    if not handler.shape.inputs:
        yield "None."
        return
    yield from _table(handler.shape.inputs, argument_name, handler.shape.inputs)


def _table(fields: Mapping[str, Field], called: Any, needed: Mapping[str, Field]) -> Iterator[str]:
    yield from ("| Python | schema | type | meaning |", "|---|---|---|---|")
    for name, one in fields.items():
        meaning = _meaning(one, required(needed), name)
        yield f"| `{called(name)}` | `{name}` | {_type(one)} | {meaning} |"


def _outputs(shape: Shape) -> Iterator[str]:
    yield from ("| Python | schema | type | meaning |", "|---|---|---|---|")
    for name, one in shape.outputs.items():
        absent = "" if name in certain(shape.outputs) else " May be absent."
        secret = " Secret." if one.secret else ""
        meaning = f"{_cell(told(one))}{secret}{absent}"
        yield f"| `{attribute_name(name)}` | `{name}` | {_type(one)} | {meaning} |"


def _meaning(one: Field, needed: list[str], name: str) -> str:
    words = [
        "**Required.**" if name in needed else "",
        _cell(told(one, default=False)),
        f"Default: `{_cell(json.dumps(one.default))}`." if one.default is not None else "",
        f"One of {', '.join(f'`{choice}`' for choice in one.choices)}." if one.choices else "",
        "Secret." if one.secret else "",
        "A change replaces it." if one.replaces else "",
        f"Deprecated: {_cell(one.deprecated)}" if one.deprecated else "",
    ]
    return " ".join(filter(None, words))


def _type(one: Field) -> str:
    if one.kind in ("list", "map"):
        return f"{one.kind} of {_type(items_of(one))}"
    return one.kind


def _objects(fields: Mapping[str, Field], prefix: str = "") -> Iterator[tuple[str, Field]]:
    for name, one in fields.items():
        inner = innermost(one)
        if inner.kind == "object":
            path = f"{prefix}{python_name(name)}"
            yield path, inner
            yield from _objects(inner.fields, f"{path}.")


def _changes(handler: Handler) -> Iterator[str]:
    shape = handler.shape
    replacing = [f"`{argument_name(name)}`" for name, one in shape.inputs.items() if one.replaces]
    if handler.update is None:
        yield "Every change of an input replaces it."
    elif replacing:
        yield f"It is updated in place; a change of {_all_of(replacing)} replaces it."
    else:
        yield "It is updated in place."
    if shape.delete_before_replace:
        yield "The old one is deleted before its replacement is created."
    if shape.refresh_before_update:
        yield "Every `up` looks at the real thing first, and puts right what has changed outside."
    minutes = f"{shape.timeout_s / 60:g} minutes"
    yield f"A call may take {minutes}, or what `customTimeouts` of the program says."


def _all_of(names: list[str]) -> str:
    return " or ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def _import(token: str, shape: Shape) -> Iterator[str]:
    if not shape.import_id:
        yield "It cannot be imported."
        return
    yield from ("```", f"pulumi import {token} <name> <id>", "```", "")
    yield f"The id is {shape.import_id}."


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _least(shape: Shape) -> Iterator[str]:
    yield '    "example",'
    for name, one in shape.inputs.items():
        if name in required(shape.inputs):
            yield f"    {argument_name(name)}={value(_stand_in(one))},"


def _stand_in(one: Field) -> Any:
    if one.choices:
        return one.choices[0]
    if one.kind == "list":
        return [_stand_in(items_of(one))]
    if one.kind == "map":
        return {"...": _stand_in(items_of(one))}
    if one.kind == "object":
        members = required(one.fields)
        return {python_name(name): _stand_in(one.fields[name]) for name in members}
    return _STAND_INS[one.kind]
