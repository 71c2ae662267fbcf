"""How long a request a model was made for, as the engines derive it from its config."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from moorage.plan.fit.fields import text_of

_NAMES: Final = (
    "max_position_embeddings",
    "n_positions",
    "max_seq_len",
    "seq_length",
    "max_target_positions",
    "max_sequence_length",
    "max_seq_length",
)
# These say the length that is already stretched; others say what their factor stretches.
_STRETCHED: Final = ("su", "longrope", "llama3", "yarn", "deepseek_yarn", "deepseek_llama_scaling")
_ROBERTA: Final = ("roberta", "xlm-roberta", "xlm_roberta", "camembert")
_ROBERTA_OFFSET: Final = 2  # its positions are counted from behind the padding's
_MOST = 1 << 40


def longest(config: Mapping[str, Any]) -> int | None:
    """Tokens of the longest request; None where the config does not say."""
    gguf = config.get("gguf")
    if isinstance(gguf, Mapping):
        return _count(gguf.get(f"{gguf.get('general.architecture')}.context_length"))
    text = text_of(config)
    found = [length for name in _NAMES if (length := _count(text.get(name))) is not None]
    given = _count(text.get("model_max_length")) or min(found, default=None)
    if given is None:
        return None
    if config.get("model_type") in _ROBERTA:
        return max(given - _ROBERTA_OFFSET, 1)
    return int(given * _stretch(config, text))


def _stretch(config: Mapping[str, Any], text: Mapping[str, Any]) -> float:
    """The factor by which rotary positions are stretched beyond what the config says."""
    if "gemma3" in str(config.get("model_type")):
        return 1.0  # its length is the stretched one
    factor = 1.0
    for rope in _ropes(text):
        own, kind = rope.get("factor"), rope.get("rope_type", rope.get("type"))
        if kind not in _STRETCHED and isinstance(own, int | float) and 0 < own < _MOST:
            factor = float(own)
    return factor


def _ropes(text: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The settings of rotary positions: one for all layers, or one per kind of layer."""
    for name in ("rope_scaling", "rope_parameters"):
        rope = text.get(name)
        if isinstance(rope, Mapping):
            inner = [own for own in rope.values() if isinstance(own, Mapping)]
            yield from inner or [rope]


def _count(value: object) -> int | None:
    return value if type(value) is int and 0 < value < _MOST else None
