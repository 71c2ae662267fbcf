"""Flags as a command line takes them: the one way of writing them for every engine."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

_NO: Final = frozenset({"vllm", "llama.cpp"})  # engines that switch a flag off by no- before it
_ON: Final = frozenset({("tei", "auto-truncate")})  # what is on by itself, and takes false


def words(engine: str, flags: Mapping[str, Any]) -> tuple[str, ...]:
    """Flags in the order of their names."""
    return tuple(word for name in sorted(flags) for word in _words(engine, name, flags[name]))


def _words(engine: str, name: str, value: Any) -> Sequence[str]:
    if value is None:
        return ()
    if isinstance(value, bool):
        return (f"--{name}",) if value else _off(engine, name)
    if isinstance(value, Mapping):
        return f"--{name}", json.dumps(value, sort_keys=True)
    if isinstance(value, list | tuple):
        return f"--{name}", *map(str, value)
    return f"--{name}", str(value)


def _off(engine: str, name: str) -> Sequence[str]:
    """A switch is off by itself where an engine has no word for it."""
    if (engine, name) in _ON:
        return f"--{name}", "false"
    return (f"--no-{name}",) if engine in _NO else ()
