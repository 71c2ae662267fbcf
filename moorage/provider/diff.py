"""Differences between what was declared, what Read found, and what is declared now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from moorage.provider.check import member
from moorage.provider.handler import Change, State
from moorage.provider.shape import Field, Shape, items_of
from moorage.provider.values import UNKNOWN


def diff(shape: Shape, old_inputs: State, state: State, inputs: State) -> list[Change]:
    """What an update has to change: declared inputs, and drift that Read has found."""
    changes = [
        change
        for name, one in shape.inputs.items()
        # Most are the same: then not even a generator is made.
        if (new := inputs.get(name)) is UNKNOWN or new != old_inputs.get(name)
        for change in _property(one, name, old_inputs.get(name), new)
    ]
    if state.get("drift"):
        changes.append(Change(path="drift", kind="delete", replaces=False, is_input=False))
    return changes


def _property(
    one: Field, path: str, old: Any, new: Any, replaces: bool = False
) -> Iterator[Change]:
    if old == new and new is not UNKNOWN:
        return
    if old is None and new == one.default:
        return  # the property is younger than the thing, which behaves as the default says
    replaces = replaces or one.replaces
    if isinstance(old, dict) and isinstance(new, dict):
        yield from _members(one, path, old, new, replaces)
    elif isinstance(old, list) and isinstance(new, list):
        for number in range(max(len(old), len(new))):
            pair = _item(old, number), _item(new, number)
            yield from _property(items_of(one), member(path, number), *pair, replaces)
    else:
        yield Change(path=path, kind=_kind(old, new), replaces=replaces)


def _members(
    one: Field, path: str, old: Mapping[str, Any], new: Mapping[str, Any], replaces: bool
) -> Iterator[Change]:
    for key in {**old, **new}:
        within = one.fields.get(key) or items_of(one)
        yield from _property(within, member(path, key), old.get(key), new.get(key), replaces)


def _kind(old: Any, new: Any) -> Literal["add", "delete", "update"]:
    if old is None:
        return "add"
    return "delete" if new is None else "update"


def _item(items: list[Any], number: int) -> Any:
    return items[number] if number < len(items) else None
