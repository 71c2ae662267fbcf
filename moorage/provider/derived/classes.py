"""The Python classes of a package's resource types, as the text of a module."""

from __future__ import annotations

import builtins
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from moorage.provider.derived import kinds, naming
from moorage.provider.derived.layout import (
    WIDTH,
    bracketed,
    docstring,
    indented,
    literal,
    signature,
)
from moorage.provider.derived.naming import argument_name, attribute_name, type_name
from moorage.provider.handler import Handler
from moorage.provider.package import Package
from moorage.provider.schema import certain, required
from moorage.provider.shape import Field, Shape

_PRELUDE: Final = "# --- from here on, the text of every generated module\n"
_IMPORTS: Final = {
    "collections.abc": ("Iterable", "Mapping", "Sequence"),
    "enum": ("StrEnum",),
    "typing": (
        *("Any", "ClassVar", "Final", "Literal"),
        *("NamedTuple", "NotRequired", "TypedDict", "TypeVar"),
    ),
}
_BUILT_IN: Final = frozenset(dir(builtins))
_WITHIN_A_CLASS: Final = 4  # characters that a line will stand further to the right


def build(package: Package) -> str:
    """The module; a program needs it and Pulumi, and nothing of the provider."""
    prelude = Path(__file__).with_name("prelude.py").read_text(encoding="utf-8")
    lines = [
        prelude.split(_PRELUDE)[1].rstrip(),
        *kinds.types(naming.types_of(package), naming.types_of(package, given=True)),
        *(line for token, one in package.handlers.items() for line in _resource(token, one)),
        *(_provider(package) if package.config else ()),
        "",
    ]
    text = "\n".join(lines)
    return "\n".join([*_head(package, text), text])


def _head(package: Package, text: str) -> Iterator[str]:
    yield f'"""The resource classes of {package.name}, derived from the shapes of its handlers.'
    yield ""
    yield "Names are as usual in Python, members of objects included; keys of maps stay as they"
    yield "are. Not to be edited: the provider's command `resources` prints it anew."
    yield from ('"""', "", "from __future__ import annotations", "", "import inspect")
    for module, names in _IMPORTS.items():
        used = [name for name in names if re.search(rf"\b{name}\b", text)]
        if used:
            yield f"from {module} import {', '.join(used)}"
    yield from ("", "import pulumi", "from pulumi import Input, Output, ResourceOptions")


def _resource(token: str, handler: Handler) -> Iterator[str]:
    shape, owner = handler.shape, naming.class_name(token)
    outputs = {**shape.inputs, **shape.outputs}
    secrets = [literal(name) for name, one in outputs.items() if one.secret]
    yield from ("", "", f"class {owner}(pulumi.CustomResource):")
    yield from docstring(shape.doc, 1)
    yield ""
    yield from bracketed("_wired: ClassVar = (", [literal(name) for name in outputs], ")", 1)
    yield from bracketed("_secrets: ClassVar[list[str]] = [", secrets, "]", 1)
    yield ""
    yield from indented(_init(owner, shape))
    yield f'        super().__init__("{token}", resource_name, properties, options)'
    yield ""
    yield from indented(_get(token, owner))
    for name, one in outputs.items():
        yield ""
        yield from indented(_output(owner, name, one, sure=name in certain(outputs)))


def _init(owner: str, shape: Shape) -> Iterator[str]:
    yield from _arguments(owner, shape.inputs)
    yield from indented(_inputs(owner, owner, shape.inputs))
    yield "    properties = {**dict.fromkeys(self._wired), **inputs}"
    first = ", delete_first=True" if shape.delete_before_replace else ""
    yield f"    options = _options(opts, self._secrets{first})"


def _arguments(owner: str, inputs: Mapping[str, Field]) -> Iterator[str]:
    """The first lines of `__init__`, up to its docstring."""
    yield "def __init__("
    yield "    self,"
    yield "    resource_name: str,"
    if inputs:
        yield "    *,"
    for name, one in inputs.items():
        kind = f"Input[{kinds.type_of(type_name(owner, name), one, given=True)}]"
        yield from _argument(argument_name(name), kind, is_needed=name in required(inputs))
    yield "    opts: ResourceOptions | None = None,"
    yield ") -> None:"
    told = [f"{argument_name(name)}: {kinds.meaning(one)}" for name, one in inputs.items()]
    yield from docstring("\n".join(["Declare one.", "", *told]).strip(), 1, hanging="    ", base=1)


def _argument(name: str, kind: str, *, is_needed: bool) -> Iterator[str]:
    """One argument of `__init__`, as its formatter would lay it out."""
    ends = "," if is_needed else " | None = None,"
    flat = f"    {name}: {kind}{ends}"
    if len(flat) + _WITHIN_A_CLASS <= WIDTH or is_needed:
        yield flat + ("  # noqa: A002  as the property is called" if name in _BUILT_IN else "")
    else:
        yield f"    {name}: {kind}"
        yield f"    {ends.strip()}"


def _inputs(owner: str, prefix: str, inputs: Mapping[str, Field]) -> Iterator[str]:
    """The inputs as on the wire."""
    if not inputs:
        yield "inputs: dict[str, Any] = {}"
        return
    yield "inputs: dict[str, Any] = {"
    for name, one in inputs.items():
        yield f"    {literal(name)}: {_given(owner, type_name(prefix, name), name, one)},"
    yield "}"


def _given(owner: str, type_: str, name: str, one: Field) -> str:
    value = argument_name(name)
    if one.deprecated:
        what = literal(f"{owner}.{value}")
        value = f"_deprecated({value}, {what}, {literal(one.deprecated)})"
    if kinds.has_objects(one):
        value = f"_to_wire({value}, {kinds.within(type_, one)})"
    return f"_secret({value})" if one.secret else value


def _get(token: str, owner: str) -> Iterator[str]:
    yield "@staticmethod"
    yield "def get("
    yield "    resource_name: str,"
    yield "    id: Input[str],  # noqa: A002  as Pulumi calls it everywhere"
    yield "    opts: ResourceOptions | None = None,"
    yield f") -> {owner}:"
    yield from docstring("The one that exists under this id: read, and never changed.", 1, base=1)
    names = [owner, literal(token), f"{owner}._wired", "resource_name", "id", "opts"]
    yield from bracketed("return _existing(", names, ")", 1, base=1)


def _output(owner: str, name: str, one: Field, *, sure: bool) -> Iterator[str]:
    type_ = type_name(owner, name)
    kind = kinds.type_of(type_, one, given=False)
    yield "@property"
    if not kinds.has_objects(one):  # Pulumi converts by these hints, and knows no TypedDict
        yield f"@pulumi.getter(name={literal(name)})"
    result = f"Output[{kind}{'' if sure else ' | None'}]"
    yield from signature(attribute_name(name), ["self"], result, steps=1)
    yield from docstring(kinds.meaning(one) or f"The {name}.", 1, base=1)
    inner = [kinds.within(type_, one)] if kinds.has_objects(one) else []
    yield from bracketed("return _known(", ["self", literal(name), *inner], ")", 1, base=1)


def _provider(package: Package) -> Iterator[str]:
    yield from ("", "", "class Provider(pulumi.ProviderResource):")
    yield from docstring(f"{package.name}, configured by the program itself.", 1)
    yield ""
    yield from indented(_arguments("Provider", package.config))
    yield from indented(_inputs("Provider", naming.CONFIG, package.config), 2)
    texts = [literal(name) for name, one in package.config.items() if one.kind == "string"]
    yield from (
        bracketed("plain = {", texts, "}", 2) if texts else ["        plain: set[str] = set()"]
    )
    yield "        told = {k: v if k in plain else _json(v) for k, v in inputs.items()}"
    yield f'        super().__init__("{package.name}", resource_name, told, opts)'
