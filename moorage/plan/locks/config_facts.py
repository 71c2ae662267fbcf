"""The part of a model's config.json that facts keep: what decides memory, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from math import isfinite
from typing import Any

from moorage.plan.facts import CONFIG_KEYS

_PARTS = frozenset(  # configurations of their own within another one
    key
    for key in CONFIG_KEYS
    if key.startswith(("text_", "vision_", "audio_", "llm_", "language_"))
) | {"thinker_config", "talker_config", "decoder_config", "encoder", "decoder"}

_MOST_DEEP = 6
_MOST_LETTERS = 1000
_MOST_ITEMS = 1024
_MOST_BYTES = 16_384  # of one value; a list of the layers that are not quantised may be longer
_MOST_BYTES_ALL = 65_536


def config_facts(config: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of a config.json that are known to matter, as far as they are reasonably short."""
    kept: dict[str, Any] = {}
    left = _MOST_BYTES_ALL
    for key, value in sorted(_known(config)):
        size = len(json.dumps(value))
        if size <= left:
            kept[key] = value
            left -= size
    return kept


def _known(config: Mapping[str, Any], depth: int = 0) -> Iterator[tuple[str, Any]]:
    for key, value in config.items():
        if key not in CONFIG_KEYS or value is None:
            continue
        if key in _PARTS and isinstance(value, Mapping):
            part = dict(sorted(_known(value, depth + 1))) if depth < _MOST_DEEP else {}
            yield from [(key, part)] if part else []
        else:
            yield from ((key, own) for short in _short(value) for own in _fitting(short))


def _fitting(value: Any) -> Iterator[Any]:
    """The value where it is not too large; of an object at least its short entries."""
    if len(json.dumps(value)) <= _MOST_BYTES:
        yield value
    elif isinstance(value, Mapping):
        short = {key: own for key, own in value.items() if len(json.dumps(own)) <= _MOST_LETTERS}
        yield from [short] if len(json.dumps(short)) <= _MOST_BYTES else []


def _short(value: Any, depth: int = 0) -> Iterator[Any]:
    """The value, without what is too long or too deep; nothing where nothing is left."""
    if isinstance(value, Mapping) and depth < _MOST_DEEP:
        yield {
            str(key)[:_MOST_LETTERS]: own
            for key, inner in list(value.items())[:_MOST_ITEMS]
            if _is_whole(str(key))
            for own in _short(inner, depth + 1)
        }
    elif isinstance(value, list) and len(value) <= _MOST_ITEMS and depth < _MOST_DEEP:
        yield [own for inner in value for own in _short(inner, depth + 1)]
    elif isinstance(value, Decimal):
        yield from _short(float(value))
    elif isinstance(value, str):
        yield from [value] if len(value) <= _MOST_LETTERS and _is_whole(value) else []
    elif isinstance(value, float):
        yield from [value] if isfinite(value) else []
    elif (
        value is None
        or isinstance(value, bool)
        or (isinstance(value, int) and abs(value) < 1 << 63)
    ):
        yield value


def _is_whole(text: str) -> bool:
    """Whether it can be written: JSON may hold half of a character."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
