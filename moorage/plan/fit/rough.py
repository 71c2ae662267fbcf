"""What the smaller memory models have in common: intervals, and a verdict from them."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any, Final

from moorage.plan.facts import ModelFacts
from moorage.plan.fit.types import Fit, Question, Span

GIB: Final = 1 << 30
CONFIDENCE: Final = "rough"
CUDA_GIB: Final = Span(low=0.3, high=0.8)  # what a CUDA process has before it loads anything

_LINE: Final = {
    "fits": "even what is used at most fits",
    "tight": "what is used at least fits, what is used at most does not",
}


def unknown(because: str) -> Fit:
    """No verdict: something that memory depends on is not known."""
    return Fit(verdict="unknown", because=because, confidence=CONFIDENCE)


def total(parts: Mapping[str, Span]) -> Span:
    return Span(
        low=sum(part.low for part in parts.values()),
        high=sum(part.high for part in parts.values()),
    )


def verdict(used: Span, budget_gib: float) -> str:
    if used.high <= budget_gib:
        return "fits"
    return "tight" if used.low <= budget_gib else "does-not-fit"


def because(used: Span, budget_gib: float, largest: str) -> str:
    """One line: what is used, of how much, and what takes most of it."""
    of = f"{_range(used)} of {budget_gib:.1f} GiB, most of it {largest}"
    line = _LINE.get(verdict(used, budget_gib))
    return f"{of}: {line}" if line else f"needs {of}"


def largest(parts: Mapping[str, Span]) -> str:
    return max(parts, key=lambda name: parts[name].high, default="nothing")


def parameters(facts: ModelFacts) -> int:
    return sum(prod(group.shape) * group.count for group in facts.tensors)


def weight_bytes(facts: ModelFacts) -> int:
    """Bytes of all tensors, or of the files where no header was read; 0 where nobody knows."""
    tensors = sum(group.bytes_all for group in facts.tensors)
    return tensors or sum(file.size_bytes for file in facts.files)


def bare(value: Any) -> int | None:
    """A positive whole number of a file that anybody may have written."""
    return value if type(value) is int and 0 < value < 1 << 40 else None


def at_load(question: Question, capacity_tokens: float) -> float:
    """Requests of the spec's own load that so many tokens hold at a time."""
    load = question.load
    return round(capacity_tokens / max(load.input_tokens + load.output_tokens, 1), 2)


def _range(used: Span) -> str:
    return f"{used.low:.1f} to {used.high:.1f}"
