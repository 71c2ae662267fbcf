"""What would make a model fit, the smallest intervention first; each change has been tried."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from msgspec.structs import replace

from moorage.plan.catalogue.offers import Gpu
from moorage.plan.fit import kv, vllm
from moorage.plan.fit.calibration import Calibration
from moorage.plan.fit.fields import UnreadableError
from moorage.plan.fit.methods import quantization_of
from moorage.plan.fit.needs import GIB
from moorage.plan.fit.types import Fit, Question
from moorage.plan.fit.vllm import MARGIN, Case

FLOATS_FROM = 8.9  # compute capability: 8-bit floats in hardware
ROUND_TOKENS = 256
COUNTS = (2, 4, 8)
LARGER_MOST = 2  # GPUs worth naming

Way = tuple[str, Question]


def fit(question: Question, known: Calibration) -> Fit:
    """vLLM's proof; where it may not fit, with what would change that."""
    proof = vllm.fit(question, known)
    if proof.verdict in ("fits", "unknown"):
        return proof
    return replace(proof, changes=changes(question, known))


def changes(question: Question, known: Calibration, gpus: Sequence[Gpu] = ()) -> tuple[str, ...]:
    """The ways in words, as keys of a spec; of GPUs the smallest two that are large enough."""
    try:
        case = vllm.understand(question, known)
    except UnreadableError:
        return ()
    here = () if isinstance(case, str) else tuple(_here(question, case))
    wider = tuple(_wider(question))
    tried = (words for words, way in here if _fits(way, known))
    more = (words for words, way in wider if _fits(way, known))
    larger = (words for words, way in _larger(question, gpus) if _fits(way, known))
    return (*tried, *islice(more, 1), *islice(larger, LARGER_MOST))


def _fits(question: Question, known: Calibration) -> bool:
    return vllm.fit(question, known).verdict == "fits"


def _here(question: Question, case: Case) -> Iterator[Way]:
    """What can be said differently on the same machine."""
    length = _shorter(case)
    if length:
        yield f"model.max_model_len: {length}", replace(question, max_model_len=length)
    for make in (_all_of_it, _fewer, _smaller_batch, _small_cache, _small_weights):
        yield from make(question)


def _shorter(case: Case) -> int:
    """The longest length that leaves a margin, if the spec's own load still fits in it; or 0."""
    fewest = vllm.fewest(case)
    if fewest.cache is None or fewest.left.low <= 0:
        return 0
    longest = kv.longest(fewest.cache, fewest.left.low * GIB / (1 + MARGIN), case.length)
    rounded = longest // ROUND_TOKENS * ROUND_TOKENS or longest
    load = case.question.load
    return rounded if load.input_tokens + load.output_tokens <= rounded < case.length else 0


def _all_of_it(question: Question) -> Iterator[Way]:
    """The engine's own share of the GPU, where the spec leaves it less."""
    if question.gpu_memory_utilization is not None:
        yield (
            "leaving serving.gpu_memory_utilization out",
            replace(question, gpu_memory_utilization=None),
        )


def _fewer(question: Question) -> Iterator[Way]:
    """Fewer requests at a time, where the spec says how many."""
    for seqs in vllm.SEQS:
        if question.max_num_seqs is not None and seqs < question.max_num_seqs:
            yield f"serving.max_num_seqs: {seqs}", replace(question, max_num_seqs=seqs)
            return


def _smaller_batch(question: Question) -> Iterator[Way]:
    asked = question.max_num_batched_tokens
    if asked is not None and asked > vllm.BATCH_TOKENS:
        way = replace(question, max_num_batched_tokens=vllm.BATCH_TOKENS)
        yield f"serving.max_num_batched_tokens: {vllm.BATCH_TOKENS}", way


def _small_cache(question: Question) -> Iterator[Way]:
    able = question.gpu is not None and question.gpu.capability >= FLOATS_FROM
    if able and question.kv_cache_dtype in (None, "auto", "bfloat16", "float16"):
        yield "serving.kv_cache_dtype: fp8", replace(question, kv_cache_dtype="fp8")


def _small_weights(question: Question) -> Iterator[Way]:
    able = question.gpu is not None and question.gpu.capability >= FLOATS_FROM
    plain = question.quantization == "none" and quantization_of(question.facts.config) == "none"
    if able and plain:
        yield "model.quantization: fp8", replace(question, quantization="fp8")


def _wider(question: Question) -> Iterator[Way]:
    """More GPUs of the same kind: the smallest number that is enough comes first."""
    for count in COUNTS:
        if count > question.count:
            yield f"count: {count}", replace(question, count=count, tensor_parallel=None)


def _larger(question: Question, gpus: Sequence[Gpu]) -> Iterator[Way]:
    own = question.gpu.usable_gib if question.gpu is not None else 0.0
    for gpu in sorted(gpus, key=_size):
        if gpu.usable_gib > own:
            yield f"gpu: {gpu.name}", replace(question, gpu=gpu)


def _size(gpu: Gpu) -> tuple[float, str]:
    return gpu.usable_gib, gpu.name
