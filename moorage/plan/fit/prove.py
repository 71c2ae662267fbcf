"""One question, one proof: each engine by its own memory model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from moorage.late import Late
from moorage.plan.fit.calibration import Calibration
from moorage.plan.fit.types import Fit, Question

ENGINES: Final = Late[Callable[[Question, Calibration], Fit]](
    {
        "vllm": "moorage.plan.fit.changes:fit",
        "sglang": "moorage.plan.fit.sglang:fit",
        "llama.cpp": "moorage.plan.fit.llamacpp:fit",
        "tei": "moorage.plan.fit.tei:fit",
    }
)
NOTHING: Final = Calibration()


def fit(question: Question, calibration: Calibration | None) -> Fit:
    """Whether the model, served so, runs on the machine; unknown for an engine not modelled."""
    judge = ENGINES.get(question.engine)
    if judge is None:
        because = f"how much memory {question.engine} needs is not modelled"
        return Fit(verdict="unknown", because=because, confidence="rough")
    return judge(question, calibration or NOTHING)
