"""The numbers of a config.json, read as what they must be or not at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Config = Mapping[str, Any]

NESTED = ("text_config", "llm_config", "language_config")
FROM_ABOVE = ("dtype", "torch_dtype", "tie_word_embeddings", "quantization_config")
LAYERS_MOST = 2_000
SIZE_MOST = 100_000_000  # no dimension of a published model comes near it


class UnreadableError(Exception):
    """A field that memory depends on is missing or makes no sense."""


def whole(config: Config, *names: str, default: int | None = None, least: int = 1) -> int:
    """The first of these fields that is there, a whole number in sane bounds."""
    for name in names:
        value = config.get(name)
        if value is not None:
            return sane(value, name, least=least)
    if default is None:
        msg = f"its config does not say {names[0]}"
        raise UnreadableError(msg)
    return default


def sane(value: Any, name: str, *, least: int = 1, most: int = SIZE_MOST) -> int:
    """The value, if it is a whole number in bounds."""
    if type(value) is not int or not least <= value <= most:
        shown = repr(value)[:40]
        msg = f"its config says {name}: {shown}, which makes no sense"
        raise UnreadableError(msg)
    return value


def maybe(config: Config, name: str) -> int | None:
    """The field as a positive number; None where it is absent, null or 0."""
    value = config.get(name)
    return None if value is None or value is False or value == 0 else sane(value, name)


def layer_count(config: Config, *names: str, default: int | None = None) -> int:
    """How many layers there are."""
    names = names or ("num_hidden_layers", "n_layer", "num_layers", "n_layers")
    return sane(whole(config, *names, default=default), names[0], most=LAYERS_MOST)


def words(config: Config, name: str, count: int) -> tuple[str, ...] | None:
    """A field that says a word per layer; None where it is absent."""
    value = config.get(name)
    if value is None:
        return None
    if not isinstance(value, Sequence) or isinstance(value, str) or len(value) != count:
        msg = f"its config's {name} does not name every one of {count} layers"
        raise UnreadableError(msg)
    if not all(isinstance(word, str) for word in value):
        msg = f"its config's {name} holds something that is not a word"
        raise UnreadableError(msg)
    return tuple(value)


def text_of(config: Config) -> Config:
    """The part of a config that describes the language model."""
    for name in NESTED:
        inner = config.get(name)
        if isinstance(inner, Mapping) and inner:
            above = {key: config[key] for key in FROM_ABOVE if key in config}
            return {**above, **inner}
    thinker = config.get("thinker_config")
    return text_of(thinker) if isinstance(thinker, Mapping) else config


def word(config: Config, name: str) -> str:
    """A field that is a word; empty where it is not."""
    value = config.get(name)
    return value if isinstance(value, str) else ""
