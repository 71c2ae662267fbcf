"""The closed loop: the KV cache that an engine has, beside what its plan had proven."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Loop:
    """How far an engine's cache is from its plan."""

    difference: float  # share of the planned tokens; below 0 there are fewer
    within: bool
    says: str


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
