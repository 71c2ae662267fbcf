"""One question, one proof: each engine by its own memory model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from moorage.plan.fit import llamacpp, sglang, tei, vllm
from moorage.plan.fit.calibration import Calibration
from moorage.plan.fit.changes import changes
from moorage.plan.fit.types import Fit, Question

ENGINES: dict[str, Callable[[Question, Calibration], Fit]] = {
    "vllm": vllm.fit,
    "sglang": sglang.fit,
    "llama.cpp": llamacpp.fit,
    "tei": tei.fit,
}
NOTHING = Calibration()


def fit(question: Question, calibration: Calibration | None) -> Fit:
    """Whether the model, served so, runs on the machine; unknown for an engine not modelled."""
    judge = ENGINES.get(question.engine)
    if judge is None:
        because = f"how much memory {question.engine} needs is not modelled"
        return Fit(verdict="unknown", because=because, confidence="rough")
    known = calibration or NOTHING
    proof = judge(question, known)
    if question.engine != "vllm" or proof.verdict in ("fits", "unknown"):
        return proof
    return replace(proof, changes=changes(question, known))
