"""Registries whose modules are loaded when an entry is first asked for: a run needs few of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from pkgutil import resolve_name
from typing import TypeVar

T = TypeVar("T")


class Late(MutableMapping[str, T]):
    """Name -> what a text like `package.module:attribute` or `package.module` stands for."""

    def __init__(self, places: Mapping[str, str]) -> None:
        self._known: dict[str, str | T] = dict(places)

    def __getitem__(self, name: str) -> T:
        known = self._known[name]
        if isinstance(known, str):
            loaded: T = resolve_name(known)
            known = self._known[name] = loaded
        return known

    def __setitem__(self, name: str, value: T) -> None:
        self._known[name] = value

    def __delitem__(self, name: str) -> None:
        del self._known[name]

    def __contains__(self, name: object) -> bool:
        return name in self._known

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)
