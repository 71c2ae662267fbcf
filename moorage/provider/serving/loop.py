"""The closed loop: the KV cache that an engine has, beside what its plan had proven."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from moorage.errors import Exit, MoorageError
from moorage.provider.handler import Context, State
from moorage.provider.serving import metrics
from moorage.provider.serving.ask import NotYet
from moorage.provider.serving.metrics import Metrics

_ASK_S: Final = 10.0
_PAUSES_S: Final = (0.5, 2.0)  # between the tries to read an engine's numbers


@dataclass(frozen=True, kw_only=True, slots=True)
class Loop:
    """How far an engine's cache is from its plan."""

    difference: float  # share of the planned tokens; below 0 there are fewer
    within: bool
    says: str


class TooSmall(MoorageError):  # noqa: N818  it serves, and not as many as its plan promises
    """The engine has fewer tokens than its plan has proven, beyond tolerance."""

    def __init__(self, message: str) -> None:
        super().__init__(message, exit_code=Exit.PROBLEMS)


def compare(kv_tokens: int, planned_tokens: int, tolerance: float) -> Loop:
    """Judge by what is missing alone: a plan tells the tokens that surely fit, so more is usual."""
    if planned_tokens <= 0:
        return Loop(difference=0.0, within=True, says=f"{kv_tokens:,} KV tokens, nothing planned")
    difference = kv_tokens / planned_tokens - 1
    within = planned_tokens - kv_tokens <= tolerance * planned_tokens
    says = f"{kv_tokens:,} KV tokens, {difference:+.1%} of the {planned_tokens:,} planned"
    if not within:
        says += f", more than {tolerance:.0%} too few"
    return Loop(difference=difference, within=within, says=says)


def told(url: str, inputs: State, where: str, context: Context) -> State:
    """What state keeps of an engine that has served; nothing new where it cannot be asked."""
    found = _numbers(url, inputs.get("key"), where, context)
    if found is None:
        return {}
    tokens = found.cache.tokens if found.cache else None
    known = tokens is not None and "kv" in inputs
    return {
        "engineVersion": found.version,
        "kvTokens": tokens,
        "kvDifference": _compared(inputs["kv"], tokens or 0).difference if known else None,
    }


def close(state: State, where: str, context: Context) -> None:
    """Hold the cache that state tells to what its plan has proven; raises TooSmall."""
    if "kv" not in state:
        return
    if state.get("kvTokens") is None:
        context.warn(f"{where} does not tell its KV cache; what was planned of it stays unproven")
        return
    compared = _compared(state["kv"], state["kvTokens"])
    context.progress(f"{where} serves with {compared.says}")
    if not compared.within:
        message = (
            f"{where} serves with {compared.says}; free its GPUs of others, take larger ones, or"
            " lower max_model_len"
        )
        raise TooSmall(message)


def _compared(kv: State, tokens: int) -> Loop:
    return compare(tokens, kv["tokens"], kv["tolerance"])


def _numbers(url: str, key: str | None, where: str, context: Context) -> Metrics | None:
    """The engine's own numbers; one that tells none has served all the same."""
    for pause_s in (*_PAUSES_S, None):
        try:
            return metrics.read(url, key, _ASK_S)
        except NotYet as why:
            if pause_s is None:
                context.warn(f"{where} serves and does not tell its numbers: {why}")
                return None
            context.pause(pause_s)
    return None
