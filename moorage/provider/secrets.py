"""Where the secrets of a resource are, and what must not be shown because of them."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from moorage.provider.shape import Field, Shape
from moorage.provider.values import Path

MASK: Final = "[secret]"
_OF_LINES: Final = re.compile(rf"{re.escape(MASK)}(?:; {re.escape(MASK)})+")
_SHORTEST: Final = 6  # shorter texts would blot out half of every message


def declared(shape: Shape, values: Mapping[str, Any]) -> Iterator[Path]:
    """The paths of the values that are secret by declaration."""
    for name, one in _secret_fields(shape).items():
        if name in values:
            yield from _within(one, values[name], (name,))


def texts(values: Any, paths: Iterable[Path]) -> frozenset[str]:
    """Every text at or below the given paths that is long enough to be looked for."""
    return frozenset(
        text
        for path in paths
        for leaf in _leaves(_at(values, path))
        if isinstance(leaf, str)
        # A message has only one line, so the lines of a key stand in it one by one.
        for text in (leaf, *map(str.strip, leaf.splitlines()))
        if len(text) >= _SHORTEST
    )


def exposing(values: Mapping[str, Any], secrets: frozenset[str]) -> Iterator[Path]:
    """The paths of texts that contain a secret, such as an address with a key in it."""
    return _exposing(values, (), secrets) if secrets else iter(())


def masked(text: str, secrets: frozenset[str]) -> str:
    """The text without the secrets."""
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, MASK)
    return _OF_LINES.sub(MASK, text)


@functools.cache
def _secret_fields(shape: Shape) -> Mapping[str, Field]:
    """The inputs and outputs that are secret, or may hold something that is."""
    known = {**shape.inputs, **shape.outputs}
    return {name: one for name, one in known.items() if _has_secret(one)}


def _has_secret(one: Field) -> bool:
    inner = [*one.fields.values(), *([one.items] if one.items else [])]
    return one.secret or any(map(_has_secret, inner))


def _within(one: Field, value: Any, path: Path) -> Iterator[Path]:
    if one.secret:
        yield path
    elif isinstance(value, dict) and one.kind == "object":
        for name in one.fields.keys() & value.keys():
            yield from _within(one.fields[name], value[name], (*path, name))
    elif isinstance(value, dict) and one.items:
        for key, item in value.items():
            yield from _within(one.items, item, (*path, key))
    elif isinstance(value, list) and one.items:
        for number, item in enumerate(value):
            yield from _within(one.items, item, (*path, number))


def _at(value: Any, path: Path) -> Any:
    for step in path:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return None
    return value


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, Mapping):
        for item in value.values():
            yield from _leaves(item)
    elif isinstance(value, list):
        for item in value:
            yield from _leaves(item)
    else:
        yield value


def _exposing(value: Any, path: Path, secrets: frozenset[str]) -> Iterator[Path]:
    if isinstance(value, str):
        if any(secret in value for secret in secrets):
            yield path
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _exposing(item, (*path, key), secrets)
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _exposing(item, (*path, number), secrets)
