"""Checks of inputs against a declared shape: defaults filled in, and what is wrong with them."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from moorage.provider.handler import Failure, State
from moorage.provider.shape import Field, items_of
from moorage.provider.values import UNKNOWN

_PYTHON_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "list": (list,),
    "map": (dict,),
    "object": (dict,),
    "any": (object,),
}
_ABSENT: Final = object()
_PLAIN_NAME: Final = re.compile(r"[A-Za-z_]\w*")
_PLURALS: Final = {
    "string": "strings",
    "integer": "integers",
    "number": "numbers",
    "boolean": "booleans",
    "list": "lists",
    "map": "maps",
    "object": "objects",
    "any": "values",
}


def check(fields: Mapping[str, Field], inputs: State) -> tuple[State, list[Failure]]:
    """The inputs with defaults filled in, and what is wrong with them."""
    return with_defaults(fields, inputs), list(_members(fields, inputs, ""))


def with_defaults(fields: Mapping[str, Field], values: State) -> State:
    """The values and, deep down, the defaults of those that are missing."""
    filled = dict(values)
    for name, one in fields.items():
        if name not in filled:
            if one.default is not None:
                filled[name] = one.default
        elif one.plain is None and (one.fields or one.items):
            filled[name] = _filled(one, filled[name])
    return filled


@functools.lru_cache(maxsize=4096)  # the same few are written at every check
def member(path: str, key: str | int) -> str:
    """The path of a member, as Pulumi writes it."""
    if isinstance(key, int):
        return f"{path}[{key}]"
    if not path:
        return key if _PLAIN_NAME.fullmatch(key) else _bracketed(key)
    return f"{path}.{key}" if _PLAIN_NAME.fullmatch(key) else f"{path}{_bracketed(key)}"


def _bracketed(key: str) -> str:
    escaped = key.replace('"', '\\"')
    return f'["{escaped}"]'


def _filled(one: Field, value: Any) -> Any:
    if one.kind == "object" and isinstance(value, dict):
        return with_defaults(one.fields, value)
    if one.kind == "list" and isinstance(value, list):
        return [_filled(items_of(one), item) for item in value]
    if one.kind == "map" and isinstance(value, dict):
        return {key: _filled(items_of(one), item) for key, item in value.items()}
    return value


def _members(fields: Mapping[str, Field], values: State, prefix: str) -> Iterator[Failure]:
    if not values.keys() <= fields.keys():
        for name in values.keys() - fields.keys():
            reason = f"unknown property; known are {', '.join(fields)}"
            yield Failure(name=member(prefix, name), reason=reason)
    for name, one in fields.items():
        value = values.get(name, _ABSENT)
        if value is _ABSENT:
            if one.required:
                yield Failure(name=member(prefix, name), reason=f"required: {one.doc}")
        elif type(value) is not one.plain:
            yield from _value(one, value, member(prefix, name))


def _value(one: Field, value: Any, path: str) -> Iterator[Failure]:
    if value is UNKNOWN:
        return
    if not _is_of_kind(one, value):
        yield Failure(name=path, reason=f"must be {_word(one)}")
        return
    reason = _fault(one, value)
    if reason is not None:
        yield Failure(name=path, reason=reason)
    elif one.kind == "object":
        yield from _members(one.fields, value, path)
    elif one.kind == "list":
        yield from _items(items_of(one), enumerate(value), path)
    elif one.kind == "map":
        yield from _items(items_of(one), value.items(), path)


def _items(one: Field, items: Iterable[tuple[str | int, Any]], path: str) -> Iterator[Failure]:
    plain = one.plain
    for key, item in items:
        if type(item) is not plain:
            yield from _value(one, item, member(path, key))


def _is_of_kind(one: Field, value: Any) -> bool:
    wanted = _PYTHON_TYPES[one.kind]
    if isinstance(value, bool):
        return one.kind in ("boolean", "any")
    return isinstance(value, wanted)


def _fault(one: Field, value: Any) -> str | None:
    if one.choices and value not in one.choices:
        return f"must be one of {', '.join(one.choices)}"
    if one.least is not None and value < one.least:
        return f"must be at least {one.least:g}"
    if one.most is not None and value > one.most:
        return f"must be at most {one.most:g}"
    return one.rule(value) if one.rule else None


def _word(one: Field) -> str:
    if one.kind in ("list", "map"):
        return f"a {one.kind} of {_PLURALS[items_of(one).kind]}"
    return f"{'an' if one.kind in ('integer', 'object') else 'a'} {one.kind}"
