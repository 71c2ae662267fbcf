"""Handlers whose modules are loaded when their type is first met: most runs need a few of them."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping, MutableMapping

from moorage.provider.handler import Handler


class Handlers(MutableMapping[str, Handler]):
    """Resource type -> handler, which is `HANDLER` in the module that is named for it."""

    def __init__(self, modules: Mapping[str, str]) -> None:
        self._known: dict[str, str | Handler] = dict(modules)

    def __getitem__(self, token: str) -> Handler:
        known = self._known[token]
        if isinstance(known, str):
            handler: Handler = importlib.import_module(known).HANDLER
            known = self._known[token] = handler
        return known

    def __setitem__(self, token: str, handler: Handler) -> None:
        self._known[token] = handler

    def __delitem__(self, token: str) -> None:
        del self._known[token]

    def __contains__(self, token: object) -> bool:
        return token in self._known

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)
