"""What tests send, with one part unknown at a time; and what they heard, without its secrets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from google.protobuf.json_format import MessageToJson
from google.protobuf.struct_pb2 import Struct

from moorage.provider import secrets
from moorage.provider.check import member
from moorage.provider.handler import State
from moorage.provider.testing.client import InitFailed
from moorage.provider.values import UNKNOWN, Path, decode, encode


def with_unknowns(inputs: State) -> Iterator[tuple[str, State]]:
    """The inputs with each of them unknown in turn, each member within it, and all at once."""
    yield "everything", dict.fromkeys(inputs, UNKNOWN)
    yield from _unknown_within(inputs, "")


def _unknown_within(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    for key, item in list(_items(value)):
        where = member(path, key) if isinstance(key, str) else f"{path}[{key}]"
        yield where, _replaced(value, key, UNKNOWN)
        for deeper, changed in _unknown_within(item, where):
            yield deeper, _replaced(value, key, changed)


def _items(value: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(value, Mapping):
        yield from value.items()
    elif isinstance(value, list):
        yield from enumerate(value)


def _replaced(value: Any, key: Any, item: Any) -> Any:
    copy = dict(value) if isinstance(value, Mapping) else list(value)
    copy[key] = item
    return copy


def bare(heard: Any) -> str:
    """An answer or a fault in full, without the values that are marked secret."""
    if not isinstance(heard, Exception):
        return _bare_message(heard)
    told = f"{heard} {heard!r}"
    return told + _bare_message(heard.details) if isinstance(heard, InitFailed) else told


def _bare_message(message: Any) -> str:
    copy = type(message)()
    copy.CopyFrom(message)
    for _, value in copy.ListFields():
        if isinstance(value, Struct):
            known = decode(value)
            value.CopyFrom(encode(_without(known.plain, (), known.secrets)))
    return str(MessageToJson(copy, ensure_ascii=False))


def _without(value: Any, path: Path, hidden: frozenset[Path]) -> Any:
    if path in hidden:
        return None
    if isinstance(value, Mapping):
        return {key: _without(item, (*path, key), hidden) for key, item in value.items()}
    if isinstance(value, list):
        return [_without(item, (*path, number), hidden) for number, item in enumerate(value)]
    return value


def secret_texts(heard: Any) -> frozenset[str]:
    """Every text that an answer or a fault marks secret."""
    message = heard.details if isinstance(heard, InitFailed) else heard
    if isinstance(message, Exception):
        return frozenset()
    structs = [decode(value) for _, value in message.ListFields() if isinstance(value, Struct)]
    return frozenset[str]().union(*(secrets.texts(one.plain, one.secrets) for one in structs))
