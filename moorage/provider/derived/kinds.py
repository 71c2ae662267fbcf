"""The types of a package in Python: what a program gives, what it gets, and the wire's names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from moorage.provider.derived.layout import bracketed, docstring, literal, value
from moorage.provider.derived.naming import Types, choice_name, python_name, type_name
from moorage.provider.schema import certain, required, told
from moorage.provider.shape import Field, items_of

_PLAIN: Final = {
    "string": "str",
    "integer": "int",
    "number": "float",
    "boolean": "bool",
    "any": "Any",
}


def types(all_of: Types, given: Types) -> Iterator[str]:
    """The lines that define them; `given` are those that programs write."""
    for name, one in all_of.choices.items():
        yield from _choices(name, one)
    for name, one in all_of.objects.items():
        if name in given.objects:
            yield from _members(f"{name}Args", name, one, given=True)
        yield from _members(name, name, one, given=False)
    for name, one in all_of.objects.items():
        yield from _table(name, one)


def type_of(name: str, one: Field, *, given: bool) -> str:
    """The type of a property; `given` by a program, which may give what is known later only."""
    match one.kind:
        case "list" | "map":
            inner = type_of(name, items_of(one), given=given)
            inner = f"Input[{inner}]" if given else inner
            return f"Sequence[{inner}]" if one.kind == "list" else f"Mapping[str, {inner}]"
        case "object":
            return f"{name}Args" if given else name
        case "string" if one.choices:
            return f"{name} | {name}Text" if given else f"{name}Text"
        case _:
            return _PLAIN[one.kind]


def within(name: str, one: Field) -> str:
    """What the prelude has to know of a value to call its members as on the wire."""
    match one.kind:
        case "object":
            return _table_name(name)
        case "list":
            return within(name, items_of(one))
        case "map" if (inner := within(name, items_of(one))) != "None":
            return f"_Each({inner})"
        case "integer":
            return "int"
        case _:
            return "None"


def has_objects(one: Field) -> bool:
    """Whether there are members to be renamed in it."""
    return one.kind == "object" or (one.kind in ("list", "map") and has_objects(items_of(one)))


def meaning(one: Field) -> str:
    """What the docstring of a property says."""
    default = "" if one.default is None else f"Default: {value(one.default)}."
    deprecated = f"Deprecated: {one.deprecated}" if one.deprecated else ""
    words = [told(one, default=False), default, deprecated]
    return " ".join(filter(None, words))


def _choices(name: str, one: Field) -> Iterator[str]:
    """Constants, as code has them that Pulumi writes, and the texts, which do as well."""
    yield from ("", "", f"class {name}(StrEnum):")
    yield from docstring(one.doc or f"What {name} may be.", 1)
    yield ""
    for choice in one.choices:
        yield f"    {choice_name(choice).upper()} = {literal(choice)}"
    yield from ("", "")
    yield from bracketed(f"{name}Text = Literal[", [literal(c) for c in one.choices], "]", 0)


def _members(class_: str, name: str, one: Field, *, given: bool) -> Iterator[str]:
    yield from ("", "", f"class {class_}(TypedDict):")
    yield from docstring(one.doc or f"What {class_} holds.", 1)
    there = required(one.fields) if given else certain(one.fields)
    for number, (member, inner) in enumerate(one.fields.items()):
        kind = type_of(type_name(name, member), inner, given=given)
        kind = f"Input[{kind}]" if given else kind
        if number == 0:
            yield ""
        yield f"    {python_name(member)}: {_maybe(kind, sure=member in there)}"
        yield from docstring(meaning(inner), 1)


def _maybe(kind: str, *, sure: bool) -> str:
    return kind if sure else f"NotRequired[{kind} | None]"


def _table(name: str, one: Field) -> Iterator[str]:
    entries = {
        member: within(type_name(name, member), inner) for member, inner in one.fields.items()
    }
    yield from ("", "")
    yield f"{_table_name(name)}: Final[dict[str, Any]] = {{"
    for member, inner in entries.items():
        yield f"    {literal(python_name(member))}: ({literal(member)}, {inner}),"
    yield "}"


def _table_name(name: str) -> str:
    return f"_{python_name(name).upper()}"
