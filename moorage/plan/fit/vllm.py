"""Whether vLLM serves a model on a machine: its own arithmetic, with honest bounds."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from moorage.plan.catalogue.offers import Gpu
from moorage.plan.fit import attention, calibration, kv, needs
from moorage.plan.fit.calibration import Bound, Calibration, Row
from moorage.plan.fit.fields import UnreadableError
from moorage.plan.fit.kv import Cache, Setting
from moorage.plan.fit.layers import Attention
from moorage.plan.fit.methods import quantization_of
from moorage.plan.fit.needs import GIB, Model
from moorage.plan.fit.types import Fit, Question, Span

SEQS = (256, 128, 64, 32, 16, 8)  # requests at a time to choose from, most first
LARGE_GIB = 70  # from here a GPU gets large batches
BATCH_TOKENS, LARGE_BATCH_TOKENS = 2048, 8192
MARGIN = 0.1  # a cache that is less than this larger than one request is tight
HALF_BELOW = 8.0  # compute capability: older ones have no bfloat16
LATENT_BLOCK_BELOW = 10.0  # newer ones keep latents in blocks of 32 tokens
ONLINE = "fp8"  # what the engine can make of full precision while it loads
NOTHING = Bound(low=0.0, likely=0.0, high=0.0)
KNOWN = frozenset(("none", "fp8", "awq", "gptq", "int4", "int8", "mxfp4", "nvfp4")) | {
    "compressed-tensors",
    "modelopt",
}


class Case(Struct, frozen=True, kw_only=True):
    """A question understood: everything but how many requests at a time."""

    question: Question
    gpu: Gpu
    row: Row
    attention: Attention
    model: Model
    ranks: int
    length: int
    dtype: str
    online: bool
    adapters: Bound
    lora_rank: int | None


class Tally(Struct, frozen=True, kw_only=True):
    """A case with so many requests at a time."""

    seqs: int
    batch_tokens: int
    budget_gib: float
    parts: Mapping[str, Bound]
    left: Bound  # GiB for the cache
    cache: Cache | None
    need_gib: float


def fit(question: Question, known: Calibration) -> Fit:
    """The proof; never `fits` where something that matters is not known."""
    try:
        case = understand(question, known)
    except UnreadableError as error:
        return Fit(verdict="unknown", because=str(error), confidence="rough")
    if isinstance(case, str):
        return Fit(verdict="does-not-fit", because=case, confidence="derived")
    return judge(case, choose(case))


def understand(question: Question, known: Calibration) -> Case | str:
    """Read the question; a sentence where no memory would help."""
    gpu, facts = question.gpu, question.facts
    if gpu is None or question.count < 1:
        raise UnreadableError("vLLM is judged on GPUs only")
    if not attention.knows(facts.architecture):
        raise UnreadableError(_stranger(question))
    if question.quantization not in KNOWN:
        msg = f"what vLLM makes of {question.quantization[:40]} is not known here"
        raise UnreadableError(msg)
    row = calibration.find(known, "vllm", question.version, gpu.capability)
    if row is None:
        msg = f"nothing is known of what vLLM {question.version} needs"
        raise UnreadableError(msg)
    kept = attention.read(facts.config, str(facts.architecture))
    ranks = tensor_parallel(question, kept)
    return _case(question, gpu, row, kept, ranks) if ranks else _indivisible(question, kept)


def tensor_parallel(question: Question, kept: Attention) -> int:
    """The ranks: those asked for, or as many GPUs as divide the heads; 0 where that cannot be."""
    if question.tensor_parallel is not None:
        asked = question.tensor_parallel
        return asked if 0 < asked <= question.count and _divides(asked, kept) else 0
    return next(ranks for ranks in range(min(question.count, 64), 0, -1) if _divides(ranks, kept))


def choose(case: Case) -> Tally:
    """As many requests at a time, in as large batches, as surely fit; the fewest where none do."""
    for seqs, batch in settings(case):
        tally = count(case, seqs, batch)
        if verdict(tally) == "fits":
            return tally
    return fewest(case)


def settings(case: Case) -> Iterator[tuple[int, int]]:
    """What the spec says of requests at a time and batches, else what may be chosen, most first."""
    asked, batch = case.question.max_num_seqs, case.question.max_num_batched_tokens
    small = [seqs for seqs in SEQS if batch is None or seqs <= batch] or [max(batch or 1, 1)]
    for seqs in small if asked is None else (max(asked, 1),):
        for tokens in batches(case, seqs) if batch is None else (max(batch, 1),):
            yield seqs, tokens


def batches(case: Case, seqs: int) -> tuple[int, ...]:
    """A batch as large as the GPU is; what reads at once what it reads needs room for all of it."""
    least = max(BATCH_TOKENS, seqs, 0 if case.attention.layers else case.length)
    large = case.gpu.usable_gib >= LARGE_GIB and case.gpu.capability != HALF_BELOW
    return (LARGE_BATCH_TOKENS, least) if large and least < LARGE_BATCH_TOKENS else (least,)


def fewest(case: Case) -> Tally:
    """With the least that may be chosen."""
    *_, least = settings(case)
    return count(case, *least)


def count(case: Case, seqs: int, batch: int) -> Tally:
    """What everything takes with so many requests at a time in batches of so many tokens."""
    taken = dict(needs.parts(case.model, case.row, seqs=seqs, batch_tokens=batch))
    if case.question.adapters:
        taken["adapters"] = case.adapters
    budget = math.ceil(case.gpu.usable_gib * GIB * utilization(case)) / GIB
    cache = kv.cache(case.attention, _setting(case, batch))
    return Tally(
        seqs=seqs,
        batch_tokens=batch,
        budget_gib=budget,
        parts=taken,
        left=_left(case, budget, taken),
        cache=cache,
        need_gib=kv.need_bytes(cache, case.length) / GIB if cache else 0.0,
    )


def utilization(case: Case) -> float:
    """The share of a GPU's memory that the engine is told to take."""
    asked = case.question.gpu_memory_utilization
    return case.row.utilization if asked is None else min(max(asked, 0.0), 1.0)


def verdict(tally: Tally) -> str:
    """Sure, perhaps, or not at all."""
    if tally.left.low > 0 and tally.left.low >= tally.need_gib * (1 + MARGIN):
        return "fits"
    return "tight" if tally.left.high > 0 and tally.left.high >= tally.need_gib else "does-not-fit"


def judge(case: Case, tally: Tally) -> Fit:
    """The proof of a case."""
    cache, sure = tally.cache, max(tally.left.low, 0.0) * GIB
    proof = Fit(
        verdict=verdict(tally),
        because=because(case, tally),
        confidence="rough" if case.model.rough else case.row.confidence,
        usable_gib=case.gpu.usable_gib,
        budget_gib=tally.budget_gib,
        parts={name: Span(low=one.low, high=one.high) for name, one in tally.parts.items()},
        kv_gib=Span(low=tally.left.low, high=tally.left.high),
        flags=flags(case, tally),
    )
    if cache is None:
        alone = float(tally.seqs) if proof.verdict == "fits" else 0.0
        length = case.length if alone else 0
        return replace(proof, longest_len=length, concurrency_full=alone, concurrency_load=alone)
    have = kv.usable_blocks(cache, sure)
    load = case.question.load
    request = min(max(load.input_tokens + load.output_tokens, 1), case.length)
    return replace(
        proof,
        kv_bytes_per_token=cache.token_bytes,
        kv_tokens=int(have * case.length // kv.blocks(cache, case.length)),
        longest_len=kv.longest(cache, sure, _limit(case)),
        concurrency_full=have / kv.blocks(cache, case.length),
        concurrency_load=have / kv.blocks(cache, request),
    )


def because(case: Case, tally: Tally) -> str:
    """What it needs and what it gets, in one line."""
    share = max(utilization(case), 1e-6)
    least = (tally.need_gib + sum(one.low for one in tally.parts.values())) / share
    surely = (tally.need_gib + sum(one.high for one in tally.parts.values())) / share
    # What may or may not fit lies between the two; what does not, lacks even the least.
    needs = {"tight": f"{least:.1f} to {surely:.1f}", "does-not-fit": f"{least:.1f}"}
    where = f"{case.gpu.name} x{case.question.count} offers {case.gpu.usable_gib:.1f}"
    each = " on each GPU" if case.ranks > 1 else ""
    amount = needs.get(verdict(tally), f"{surely:.1f}")
    line = f"needs {amount} GiB{each} at {case.length} tokens, {where}"
    if tally.parts["weights"].low >= tally.budget_gib:
        return f"{line}; the weights alone take {tally.parts['weights'].low:.1f}"
    return line


def flags(case: Case, tally: Tally) -> dict[str, Any]:
    """Every flag that memory depends on, said openly, so that nothing is left to defaults."""
    asked = case.question
    found: dict[str, Any] = {
        "max-model-len": case.length,
        "max-num-seqs": tally.seqs,
        "max-num-batched-tokens": tally.batch_tokens,
        "gpu-memory-utilization": round(utilization(case), 4),
        "tensor-parallel-size": case.ranks,
    }
    if asked.kv_cache_dtype is not None or case.dtype != "auto":
        found["kv-cache-dtype"] = case.dtype
    if case.gpu.capability < HALF_BELOW:
        found["dtype"] = "half"
    if case.online:
        found["quantization"] = ONLINE
    if case.lora_rank is not None:
        places = {"max-loras": len(asked.adapters), "max-lora-rank": case.lora_rank}
        found |= {"enable-lora": True, **places}
    return found


def _case(question: Question, gpu: Gpu, row: Row, kept: Attention, ranks: int) -> Case:
    online = question.quantization == ONLINE and quantization_of(question.facts.config) == "none"
    model = needs.understand(question.facts, kept, ranks, online=online, row=row)
    adapters, rank = needs.adapters(question.facts, model, question.adapters)
    length = question.max_model_len or kept.longest
    if length is None or not 0 < length < 1 << 32:
        raise UnreadableError("how long a request may be is not said, neither by spec nor config")
    return Case(
        question=question,
        gpu=gpu,
        row=row,
        attention=kept,
        model=model,
        ranks=ranks,
        length=length,
        dtype=_dtype(question, kept),
        online=online,
        adapters=adapters,
        lora_rank=rank,
    )


def _dtype(question: Question, kept: Attention) -> str:
    """How the cache is kept: as asked, or as the checkpoint says."""
    asked = question.kv_cache_dtype or "auto"
    if not kv.knows(asked, kept):
        msg = f"the size of a KV cache kept as {asked[:40]} is not known here"
        raise UnreadableError(msg)
    return "fp8" if asked == "auto" and _kept_as_fp8(question.facts.config) else asked


def _kept_as_fp8(config: Mapping[str, Any]) -> bool:
    own = config.get("quantization_config")
    if not isinstance(own, Mapping):
        return False
    scheme = own.get("kv_cache_scheme")
    if isinstance(scheme, Mapping):
        return scheme.get("num_bits") == 8 and scheme.get("type") == "float"
    return str(own.get("kv_cache_quant_algo")).upper() == "FP8"


def _setting(case: Case, batch: int) -> Setting:
    latent = any(one.latent for one in case.attention.layers)
    wide = latent and case.gpu.capability >= LATENT_BLOCK_BELOW
    sparse = any(one.extra_bytes for one in case.attention.layers)
    return Setting(
        tensor_parallel=case.ranks,
        dtype=case.dtype,
        batch_tokens=batch,
        block_tokens=64 if sparse else 32 if wide else kv.BLOCK_TOKENS,
    )


def _left(case: Case, budget: float, taken: Mapping[str, Bound]) -> Bound:
    """What the parts leave, less what layers with a state are known to lose."""
    lost = case.row.state_share if case.model.states else NOTHING
    least = budget - sum(one.high for one in taken.values())
    likely = budget - sum(one.likely for one in taken.values())
    most = budget - sum(one.low for one in taken.values())
    return Bound(
        low=least - abs(least) * lost.high,
        likely=likely - abs(likely) * lost.likely,
        high=most - abs(most) * lost.low,
    )


def _limit(case: Case) -> int:
    return max(case.length, case.attention.longest or 0)


def _divides(ranks: int, kept: Attention) -> bool:
    keys = kept.kv_heads
    return kept.heads % ranks == 0 and (keys % ranks == 0 or ranks % keys == 0)


def _indivisible(question: Question, kept: Attention) -> str:
    asked, count = question.tensor_parallel, question.count
    if asked is not None and asked > count:
        return f"tensor parallelism of {asked} needs {asked} GPUs, and there are {count}"
    return f"{kept.heads} heads and {kept.kv_heads} key heads cannot be divided among {asked} GPUs"


def _stranger(question: Question) -> str:
    name = question.facts.architecture
    if name is None:
        return "its architecture is not known"
    code = ", and it runs code of its repository" if question.facts.remote_code else ""
    return f"what a {name[:80]} keeps in memory is not known here{code}"
