"""Names: what Python calls a property, and what the types within a package are called."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from moorage.errors import MoorageError
from moorage.provider.package import Package
from moorage.provider.shape import Field, items_of

CONFIG: Final = "Config"  # whose types those of the configuration are
# A run of capitals is one word, with digits or a plural s behind it: podCIDRs, SHA256Hash.
_WORDS: Final = re.compile(
    r"[A-Z]{2,}[0-9s][^A-Z]*|[A-Z]{2,}$|[A-Z]+(?=[A-Z][^A-Z])|[A-Z][^A-Z]*|[^A-Z]+"
)
_SOFT: Final = frozenset({"exec", "print"})  # keywords once, and to Pulumi still


def python_name(name: str) -> str:
    """The property as Python calls it: by the rules of Pulumi's own code generator."""
    joined = "_".join(re.sub(r"\W", "_", word.lower()) for word in _WORDS.findall(name))
    return f"{joined}_" if keyword.iskeyword(joined) or joined in _SOFT else joined


def argument_name(name: str) -> str:
    """The property as an argument of its class, which has two arguments of its own."""
    plain = python_name(name)
    return f"{plain}_" if plain in ("resource_name", "opts") else plain


def attribute_name(name: str) -> str:
    """The property as an attribute of its class, which has some of its own."""
    plain = python_name(name)
    return f"{plain}_" if plain in ("get", "id", "urn") else plain


def choice_name(choice: str) -> str:
    """What a choice is called in the schema; as a constant of a program, in capitals."""
    text = re.sub(r"\W+", "_", choice).strip("_")
    name = re.sub("_+", "_", text.lower() if text.isupper() else python_name(text))
    return name if name[:1].isalpha() else f"value_{name}".rstrip("_")


def class_name(token: str) -> str:
    """The class of a resource type."""
    return token.rpartition(":")[2]


def type_name(owner: str, name: str) -> str:
    """The type of a property that needs one of its own: ProcessReady for Process.ready."""
    return f"{owner}{name[:1].upper()}{name[1:]}"


def innermost(one: Field) -> Field:
    """What lists and maps of it hold in the end."""
    while one.kind in ("list", "map"):
        one = items_of(one)
    return one


@dataclass(frozen=True, kw_only=True, slots=True)
class Types:
    """The types of a package by name: objects with members, and texts with choices."""

    objects: dict[str, Field] = field(default_factory=dict)
    choices: dict[str, Field] = field(default_factory=dict)


def types_of(package: Package, *, given: bool = False) -> Types:
    """Every type of the package; two different ones of one name are refused.

    `given` leaves out those that are in outputs only.
    """
    types = Types()
    taken = {class_name(token) for token in package.handlers}
    for owner, fields in _owners(package, given):
        for name, one in _named(owner, fields):
            _add(types, taken, name, one)
    return types


def _owners(package: Package, given: bool) -> Iterator[tuple[str, Mapping[str, Field]]]:
    for token, handler in package.handlers.items():
        yield class_name(token), handler.shape.inputs
        yield class_name(token), {} if given else handler.shape.outputs
    yield CONFIG, package.config


def _named(owner: str, fields: Mapping[str, Field]) -> Iterator[tuple[str, Field]]:
    for name, one in fields.items():
        inner, type_ = innermost(one), type_name(owner, name)
        if inner.kind == "object":
            yield from _named(type_, inner.fields)
        if inner.kind == "object" or inner.choices:
            yield type_, inner


def _add(types: Types, taken: set[str], name: str, one: Field) -> None:
    known = {**types.objects, **types.choices}.get(name)
    if name in taken or (known is not None and _essence(known) != _essence(one)):
        message = (
            f"two types would be called {name}; rename one of the properties they are named by"
        )
        raise MoorageError(message)
    (types.objects if one.kind == "object" else types.choices)[name] = one


def _essence(one: Field) -> tuple[object, ...]:
    return one.kind, dict(one.fields), one.choices
