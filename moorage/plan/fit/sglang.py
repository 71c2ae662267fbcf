"""A rough memory model of SGLang: a fixed share for weights and cache, the rest to compute in.

The share and what it leaves follow SGLang's own heuristic (arg_groups/memory_hook.py of 0.5.23).
"""

from __future__ import annotations

from collections.abc import Mapping
from math import floor
from typing import Any, Final

from msgspec import Struct

from moorage.plan.catalogue.offers import Gpu
from moorage.plan.fit import attention, kv, lengths, needs, rough
from moorage.plan.fit.fields import UnreadableError, text_of
from moorage.plan.fit.layers import FULL, WINDOW, Attention
from moorage.plan.fit.methods import NONE, quantization_of
from moorage.plan.fit.rough import GIB
from moorage.plan.fit.types import Fit, Question, Span
from moorage.plan.fit.weights import weigh

# Memory up to so many GiB -> tokens of a piece of a prompt, and requests that a graph is made for.
_DEFAULTS: Final = (
    (20, 2048, 8),
    (35, 4096, 48),
    (60, 4096, 32),
    (90, 8192, 256),
    (160, 8192, 256),
    (float("inf"), 16384, 512),
)
_LARGE_GIB: Final = 60  # from here on at least so much is kept free:
_LARGE_FREE_GIB: Final = 10.0
_WEIGHTS_MOST: Final = 1.04  # layouts of kernels pad some of them
_UNEVEN: Final = 0.97  # of the pool that is surely used: pages and pools do not come out even


class _Setting(Struct, frozen=True, kw_only=True):
    """What the server is told, given or as it would choose itself."""

    length: int
    chunk: int
    requests: int
    ranks: int
    share: float


def fit(question: Question, calibration: object) -> Fit:  # noqa: ARG001  one signature for all
    """Whether weights and one request of full length fit into the share of one rank."""
    facts, gpu = question.facts, question.gpu
    if question.adapters:
        return rough.unknown("what adapters take in SGLang is not known")
    if gpu is None:
        return rough.unknown("what SGLang needs without a GPU is not known")
    if facts.architecture is None or not attention.knows(facts.architecture):
        return rough.unknown(f"what {facts.architecture or 'it'} keeps for a request is not known")
    if not facts.tensors:
        return rough.unknown("nobody has read the sizes of its tensors")
    try:
        kept = attention.read(facts.config, facts.architecture)
        return _proof(question, gpu, kept)
    except UnreadableError as error:
        return rough.unknown(str(error))


def _proof(question: Question, gpu: Gpu, kept: Attention) -> Fit:
    setting = _setting(question, gpu)
    token = _token_bytes(question, kept, setting.ranks)
    if setting.length < 1:
        return rough.unknown("its config does not say the longest request")
    if token is None:
        return rough.unknown("how SGLang keeps this model's state or cache is not known")
    parts = {"weights": _weights(question, kept, setting.ranks), "other": rough.CUDA_GIB}
    used, budget = rough.total(parts), gpu.usable_gib * setting.share
    pool = Span(low=max(budget - used.high, 0.0), high=max(budget - used.low, 0.0))
    need = Span(low=setting.length * token.low / GIB, high=setting.length * token.high / GIB)
    tokens = int(pool.low * _UNEVEN * GIB / token.high) if token.high else setting.length
    return _answer(question, gpu, setting, parts, pool=pool, need=need, token=token, tokens=tokens)


def _answer(
    question: Question,
    gpu: Gpu,
    setting: _Setting,
    parts: Mapping[str, Span],
    *,
    pool: Span,
    need: Span,
    token: Span,
    tokens: int,
) -> Fit:
    budget = gpu.usable_gib * setting.share
    asked = rough.total({**parts, "one request": need})
    work = _work(question, setting)
    found = rough.verdict(asked, budget)
    line = rough.because(asked, budget, rough.largest({**parts, "the cache of one request": need}))
    if found == "fits" and tokens < setting.length:
        found = "tight"
    if gpu.usable_gib - budget < work:
        line = (
            f"keeps {gpu.usable_gib - budget:.1f} GiB to compute in, SGLang's own rule {work:.1f}"
        )
        found = "tight" if found == "fits" else found
    longest = min(tokens, setting.length)
    return Fit(
        verdict=found,
        because=line,
        confidence=rough.CONFIDENCE,
        usable_gib=gpu.usable_gib,
        budget_gib=budget,
        parts={**parts, "activations": Span(low=work / 2, high=work)},
        kv_gib=pool,
        kv_bytes_per_token=int(token.high),
        kv_tokens=tokens,
        longest_len=longest,
        concurrency_full=round(tokens / setting.length, 2),
        concurrency_load=min(float(setting.requests), rough.at_load(question, tokens)),
        flags=_flags(question, setting),
        changes=_changes(found, longest, setting, question),
    )


def _setting(question: Question, gpu: Gpu) -> _Setting:
    chunk, requests = next(row[1:] for row in _DEFAULTS if gpu.usable_gib < row[0])
    bare = _Setting(
        length=question.max_model_len or lengths.longest(question.facts.config) or 0,
        chunk=question.max_num_batched_tokens or chunk,
        requests=question.max_num_seqs or requests,
        ranks=question.tensor_parallel or max(question.count, 1),
        share=0.0,
    )
    own = floor((1 - _work(question, bare) / gpu.usable_gib) * 1000) / 1000
    if gpu.usable_gib >= _LARGE_GIB:
        own = min(own, floor((1 - _LARGE_FREE_GIB / gpu.usable_gib) * 1000) / 1000)
    share = question.gpu_memory_utilization or max(own, 0.01)
    return _Setting(
        length=bare.length,
        chunk=bare.chunk,
        requests=bare.requests,
        ranks=bare.ranks,
        share=share,
    )


def _work(question: Question, setting: _Setting) -> float:
    """GiB that SGLang keeps to compute in: by tokens, requests, graphs and ranks."""
    latent = "kv_lora_rank" in text_of(question.facts.config)
    graphs_mib = 1536 if latent else 520
    tokens_mib = 1.5 * max(setting.chunk, 2048)
    return (512 + tokens_mib + 2 * setting.requests + graphs_mib + 128 * setting.ranks) / 1024


def _weights(question: Question, kept: Attention, ranks: int) -> Span:
    config = question.facts.config
    online = question.quantization == "fp8" and quantization_of(config) == NONE
    laid = needs.share(config, text_of(config), kept, ranks, online=online, pads=(1, 1))
    found = weigh(question.facts.tensors, laid)
    return Span(low=found.low / GIB, high=found.high * _WEIGHTS_MOST / GIB)


def _token_bytes(question: Question, kept: Attention, ranks: int) -> Span | None:
    """Bytes of a token on one rank; windows count as little at least, as everything at most."""
    dtype = question.kv_cache_dtype or "auto"
    if dtype not in kv.ELEMENT_BYTES or any(one.kind not in (FULL, WINDOW) for one in kept.layers):
        return None
    setting = kv.Setting(tensor_parallel=ranks, dtype=dtype)
    sizes = [(one.kind, one.count * kv.token_bytes(one, setting)) for one in kept.layers]
    return Span(
        low=sum(size for kind, size in sizes if kind == FULL),
        high=sum(size for _, size in sizes),
    )


def _flags(question: Question, setting: _Setting) -> dict[str, Any]:
    flags: dict[str, Any] = {
        "context-length": setting.length,
        "mem-fraction-static": setting.share,
        "max-running-requests": setting.requests,
        "chunked-prefill-size": setting.chunk,
        "tp-size": setting.ranks,
    }
    if question.kv_cache_dtype not in (None, "auto"):
        flags["kv-cache-dtype"] = question.kv_cache_dtype
    return flags


def _changes(found: str, longest: int, setting: _Setting, question: Question) -> tuple[str, ...]:
    if found == "fits":
        return ()
    shorter = 0 < longest < setting.length
    length = (f"model.max_model_len: {longest}",) if shorter else ()
    small = setting.chunk > 2048
    chunk = ("serving.max_num_batched_tokens: 2048",) if small else ()
    plain = question.quantization == NONE and question.gpu is not None
    fp8 = ("model.quantization: fp8",) if plain and _computes_fp8(question) else ()
    return (*length, *chunk, *fp8, "more or larger GPUs")


def _computes_fp8(question: Question) -> bool:
    return question.gpu is not None and question.gpu.fp8_tflops is not None
