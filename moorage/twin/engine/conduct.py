"""How an engine behaves, as its environment says: `MOORAGE_TWIN_…`, and the GPUs that it sees."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from moorage.twin.engine.orders import Order, RefusedError
from moorage.twin.scenario import Speed

_VERSION: Final = "0.33.0"
_FULL_REQUESTS: Final = 16  # that the cache holds where nothing is said
_ANY_GPUS: Final = frozenset({"", "all"})
_NO_GPUS: Final = frozenset({"none", "void"})
_TASK: Final = "text-generation"
_EMBEDDING: Final = "feature-extraction"


@dataclass(frozen=True, kw_only=True, slots=True)
class Conduct:
    """What one start of an engine is like."""

    kv_tokens: int
    loading_s: float = 0.0
    fails: str = ""  # the last words of a start that comes to nothing
    hangs_after: int | None = None  # so many answers
    longest_tokens: int | None = None  # what the model itself allows; None: anything
    gpus: int | None = None  # None: as many as it likes
    version: str = _VERSION
    task: str = _TASK
    speed: Speed = field(default_factory=Speed)


def read(environment: Mapping[str, str], order: Order) -> Conduct:
    """The conduct that an environment asks for; raises RefusedError for what is no number."""

    def number(name: str) -> float | None:
        text = environment.get(f"MOORAGE_TWIN_{name}")
        return None if text is None else _number(name, text)

    def whole(name: str) -> int | None:
        value = number(name)
        return None if value is None else int(value)

    kv_tokens = whole("KV_TOKENS")
    return Conduct(
        kv_tokens=_FULL_REQUESTS * order.length_tokens if kv_tokens is None else kv_tokens,
        loading_s=number("LOADING_S") or 0.0,
        fails=environment.get("MOORAGE_TWIN_FAILS", ""),
        hangs_after=whole("HANGS_AFTER"),
        longest_tokens=whole("LONGEST"),
        gpus=_gpus(environment.get("NVIDIA_VISIBLE_DEVICES", "")),
        version=environment.get("MOORAGE_TWIN_VERSION", _VERSION),
        task=environment.get("MOORAGE_TWIN_TASK", _EMBEDDING if order.pools else _TASK),
        speed=Speed(first_token_s=number("FIRST_TOKEN_S") or 0.0, token_s=number("TOKEN_S") or 0.0),
    )


def refusal(order: Order, conduct: Conduct) -> str | None:
    """Why nothing is even loaded, as vLLM's log ends then."""
    if conduct.gpus is not None and order.ranks > conduct.gpus:
        return (
            f"ValueError: World size ({order.ranks}) is larger than the number of available GPUs"
            f" ({conduct.gpus}) in this node."
        )
    if conduct.longest_tokens is not None and order.length_tokens > conduct.longest_tokens:
        return (
            f"ValueError: User-specified max_model_len ({order.length_tokens}) is greater than the"
            f" derived max_model_len (max_position_embeddings={conduct.longest_tokens})."
        )
    return None


def failure(order: Order, conduct: Conduct) -> str | None:
    """Why it does not serve what it has loaded."""
    if order.length_tokens > conduct.kv_tokens:
        return (
            "ValueError: To serve at least one request with the model's max seq len"
            f" ({order.length_tokens}), more KV cache is needed than is available. The estimated"
            f" maximum model length is {conduct.kv_tokens}."
        )
    return conduct.fails or None


def _number(name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        message = f"MOORAGE_TWIN_{name}: {text!r} is no number from 0 on"
        raise RefusedError(message)
    return value


def _gpus(devices: str) -> int | None:
    """How many NVIDIA's runtime was told to let it see."""
    if devices in _ANY_GPUS:
        return None
    return 0 if devices in _NO_GPUS else len(devices.split(","))
