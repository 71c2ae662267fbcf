"""The closed loop: what the engine of a host tells of itself, beside what its plan has proven."""

from __future__ import annotations

from typing import Any, Final

from moorage.errors import Exit, MoorageError
from moorage.provider.aws import host_state
from moorage.provider.aws.cloud import Record
from moorage.provider.aws.host_place import Place
from moorage.provider.handler import Context, State
from moorage.provider.serving import loop, metrics
from moorage.provider.serving.ask import NotYet
from moorage.provider.serving.metrics import Metrics

_ASK_S: Final = 15.0
_PAUSES_S: Final = (0.5, 2.0, None)


def told(place: Place, inputs: State, instance: Record, context: Context) -> State:
    """What state is to know of its engine; fails when its KV cache is not what was planned."""
    found = _metrics(place, inputs, instance, context)
    if found is None:
        return {}
    known: dict[str, Any] = {"engineVersion": found.version}
    if found.cache is None:
        return known
    known["kvTokens"] = found.cache.tokens
    if "kv" in inputs:
        known["kvDifference"] = _compared(place, inputs["kv"], found.cache.tokens)
    return known


def _compared(place: Place, kv: State, tokens: int) -> float:
    compared = loop.compare(tokens, kv["tokens"], kv["tolerance"])
    if not compared.within:
        message = (
            f"{place.id} serves, but not as planned: {compared.says}; lower max_model_len or take a"
            " larger GPU, and plan again"
        )
        raise MoorageError(message, exit_code=Exit.PROBLEMS)
    return compared.difference


def _metrics(place: Place, inputs: State, instance: Record, context: Context) -> Metrics | None:
    url = host_state.base_url(instance, inputs)
    for pause_s in _PAUSES_S:
        try:
            return metrics.read(str(url), inputs.get("key"), _ASK_S)
        except NotYet as reason:
            if pause_s is None:
                context.warn(f"{place.id} serves, its metrics cannot be read: {reason}")
                return None
            context.pause(pause_s)
    return None
