"""What no engine can beat: the physics of reading weights and multiplying, and Little's law."""

from __future__ import annotations

from typing import NamedTuple

from moorage.plan.catalogue.offers import Gpu
from moorage.plan.facts import ModelFacts
from moorage.plan.fit.fields import UnreadableError, text_of
from moorage.plan.fit.methods import quantization_of
from moorage.spec.types import Load, Slo

TTFT_MS, TPOT_MS = 500.0, 50.0  # what a request is taken to need where no service level says
OPERATIONS = 2  # of a parameter and a token: one multiplication, one addition
MOST_IN_A_BYTE = 2  # elements: nothing is kept in less than 4 bits
SLACK = 1.1  # for what is rounded up on the way into memory
FP4_FASTER = 2  # than 8-bit floats, on GPUs that have both


class Bounds(NamedTuple):
    """The least that one request alone takes; None where it is not known."""

    ttft_ms: float | None = None
    tpot_ms: float | None = None


def bounds(facts: ModelFacts, gpu: Gpu, count: int, load: Load) -> Bounds:
    """The least time to the first token, and per token after it, on so many GPUs."""
    active = _active(facts)
    if active is None or gpu.memory_gbps <= 0 or count < 1:
        return Bounds()
    elements, kept = active
    tokens = max(load.input_tokens, 1)
    seconds = OPERATIONS * elements * tokens / (_flops(facts, gpu) * count)
    reading = kept / (gpu.memory_gbps * 1e9 * count)
    return Bounds(ttft_ms=max(seconds, reading) * 1e3, tpot_ms=reading * 1e3)


def ceiling(facts: ModelFacts, gpu: Gpu, count: int, load: Load) -> Bounds:
    """What `bounds` cannot exceed, in a fraction of its time: every token reads every weight."""
    kept = sum(row.bytes_all for row in facts.tensors)
    reading = SLACK * kept / (max(gpu.memory_gbps, 1e-3) * 1e9 * max(count, 1))
    work = OPERATIONS * MOST_IN_A_BYTE * kept * max(load.input_tokens, 1)
    seconds = SLACK * work / (_flops(facts, gpu) * max(count, 1))
    return Bounds(ttft_ms=max(seconds, reading) * 1e3, tpot_ms=reading * 1e3)


def load_concurrency(load: Load, slo: Slo) -> float:
    """How many requests are in the house at a time, by Little's law, if the service levels hold."""
    ttft = TTFT_MS if slo.ttft_p95_ms is None else slo.ttft_p95_ms
    tpot = TPOT_MS if slo.tpot_p95_ms is None else slo.tpot_p95_ms
    return max(load.rps, 0.0) * (ttft + max(load.output_tokens - 1, 0) * tpot) / 1e3


def _active(facts: ModelFacts) -> tuple[float, float] | None:
    """What a token reads of the whole model: elements, and bytes; None where it is not known.

    Making it smaller while loading counts as possible.
    """
    # Loaded for the few whose service levels come near what the hardware can do.
    from moorage.plan.fit import attention, needs
    from moorage.plan.fit.weights import weigh

    if not facts.tensors or not attention.knows(facts.architecture):
        return None
    try:
        kept = attention.read(facts.config, str(facts.architecture))
        text = text_of(facts.config)
        sharing = needs.share(facts.config, text, kept, 1, online=True, pads=(1, 1))
    except UnreadableError:
        return None
    weights = weigh(facts.tensors, sharing)
    return weights.active_elements, weights.active


def _flops(facts: ModelFacts, gpu: Gpu) -> float:
    fast = max(gpu.bf16_tflops, gpu.fp8_tflops or 0.0)
    if quantization_of(facts.config) in ("nvfp4", "mxfp4"):
        fast *= FP4_FASTER
    return max(fast, 1e-3) * 1e12
