"""A rough memory model of llama.cpp: the file, a context per slot, and a buffer to compute in.

Where every layer keeps every token the cache is exact to the byte. The buffer is that of build
11549 for dense models on a CPU; other builds, models and back ends are held in an interval.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct

from moorage.plan.fit import rough
from moorage.plan.fit.rough import GIB, bare
from moorage.plan.fit.types import Fit, Question, Span

SLOTS: Final = 4  # requests at a time where a spec does not say
UBATCH_TOKENS: Final = 512  # tokens computed at a time, the server's own default
ELEMENT_BYTES: Final[dict[str, float]] = {
    "auto": 2,
    "f16": 2,
    "bf16": 2,
    "f32": 4,
    "q8_0": 34 / 32,
    "q5_1": 24 / 32,
    "q5_0": 22 / 32,
    "q4_1": 20 / 32,
    "q4_0": 18 / 32,
    "iq4_nl": 18 / 32,
}
_HOST_SHARE: Final = 0.85  # of main memory: the rest is the system's
_LAYERS_MOST: Final = 2000
_COMMON: Final = frozenset(
    """
    afmoe apertus arcee baichuan bailingmoe bailingmoe2 bloom chatglm cohere2 command-r dbrx
    deepseek deepseek2 dots1 ernie4_5 ernie4_5-moe exaone exaone4 falcon gemma gemma2 gemma3 glm4
    glm4moe gpt-oss gpt2 gptj gptneox granite granitemoe grok hunyuan-dense hunyuan-moe internlm2
    llama llama4 minicpm minicpm3 minimax-m2 mistral3 mpt nemotron olmo olmo2 olmoe orion phi2
    phi3 phimoe qwen qwen2 qwen2moe qwen2vl qwen3 qwen3moe qwen3vl qwen3vlmoe refact seed_oss
    smollm3 stablelm starcoder starcoder2 xverse
    """.split()  # noqa: SIM905  a list of words reads better without quotes
)
_STATES: Final = ("falcon-h1", "granitehybrid", "jamba", "mamba", "mamba2", "nemotron_h")
_HYBRID: Final = (*_STATES, "nemotron_h_moe")
_ENCODERS: Final = (
    "bert",
    "gemma-embedding",
    "jina-bert-v2",
    "jina-bert-v3",
    "modern-bert",
    "neo-bert",
    "nomic-bert",
    "nomic-bert-moe",
)


class _Shape(Struct, frozen=True, kw_only=True):
    """What the header of a file says of the model's size."""

    layers: int
    hidden: int
    deep: int
    vocabulary: int
    context: int
    kv_elements: int  # of one token in all layers
    shared_elements: int  # of them, those of values that are part of the keys
    windowed: bool  # whether some layers forget: then the cache may be smaller
    state_bytes: int  # of one slot


def fit(question: Question, calibration: object) -> Fit:  # noqa: ARG001  one signature for all
    """Whether the file and a context for every slot fit, on the GPUs together or in main memory."""
    header = question.facts.config.get("gguf")
    stored = rough.weight_bytes(question.facts)
    if not isinstance(header, Mapping) or not stored:
        return rough.unknown("the lock does not hold the header of the GGUF file")
    if question.adapters:
        return rough.unknown("what adapters take in llama.cpp is not known")
    shape = _shape(header)
    if isinstance(shape, str):
        return rough.unknown(shape)
    element = ELEMENT_BYTES.get(question.kv_cache_dtype or "auto")
    if element is None:
        shown = str(question.kv_cache_dtype)[:40]
        return rough.unknown(f"llama.cpp has no cache of type {shown}")
    room = _room(question)
    if room is None:
        return rough.unknown("the main memory of the machine is not known")
    return _proof(question, shape, stored, element, room)


def _proof(question: Question, shape: _Shape, stored: int, element: float, room: float) -> Fit:
    length, slots = question.max_model_len or shape.context, question.max_num_seqs or SLOTS
    token = Span(
        low=(shape.kv_elements - shape.shared_elements) * element * (0.2 if shape.windowed else 1),
        high=shape.kv_elements * element,
    )
    parts = _parts(question, shape, stored)
    free = room - rough.total(parts).high - slots * shape.state_bytes / GIB
    held = {
        **parts,
        "cache": Span(
            low=slots * (length * token.low + shape.state_bytes) / GIB,
            high=slots * (length * token.high + shape.state_bytes) / GIB,
        ),
    }
    tokens = int(max(free, 0.0) * GIB / token.high) if token.high else slots * length
    return _answer(question, held, room, length=length, slots=slots, tokens=tokens, token=token)


def _answer(
    question: Question,
    parts: Mapping[str, Span],
    room: float,
    *,
    length: int,
    slots: int,
    tokens: int,
    token: Span,
) -> Fit:
    used = rough.total(parts)
    found = rough.verdict(used, room)
    longest = min(tokens // slots, length) if tokens else 0
    return Fit(
        verdict=found,
        because=rough.because(used, room, rough.largest(parts)),
        confidence=rough.CONFIDENCE,
        usable_gib=room,
        budget_gib=room,
        parts=parts,
        kv_gib=parts["cache"],
        kv_bytes_per_token=int(token.high),
        kv_tokens=min(tokens, slots * length),
        longest_len=longest,
        concurrency_full=float(slots) if found == "fits" else round(tokens / length, 2),
        concurrency_load=min(float(slots), rough.at_load(question, tokens)),
        flags=_flags(question, length, slots),
        changes=_changes(found, longest, tokens // length, slots),
    )


def _flags(question: Question, length: int, slots: int) -> dict[str, Any]:
    flags: dict[str, Any] = {"ctx-size": length * slots, "parallel": slots}
    if not question.generates:  # the server refuses a text that it cannot compute at once
        flags |= dict.fromkeys(("batch-size", "ubatch-size"), max(length, UBATCH_TOKENS))
    if question.gpu is not None:
        flags["n-gpu-layers"] = 999
    if question.kv_cache_dtype not in (None, "auto"):
        flags |= {"cache-type-k": question.kv_cache_dtype, "cache-type-v": question.kv_cache_dtype}
    return flags


def _changes(found: str, longest: int, whole: int, slots: int) -> tuple[str, ...]:
    if found == "fits":
        return ()
    fewer = (f"serving.max_num_seqs: {whole}",) if 0 < whole < slots else ()
    shorter = (f"model.max_model_len: {longest}",) if longest >= UBATCH_TOKENS else ()
    return (*fewer, *shorter, "a smaller file of the same model", "a larger machine")


def _parts(question: Question, shape: _Shape, stored: int) -> dict[str, Span]:
    """Everything beside the cache, on all GPUs together."""
    each = max(question.count, 1) if question.gpu else 1
    overhead = rough.CUDA_GIB if question.gpu else Span(low=0.05, high=0.3)
    compute = _compute(shape, question.max_model_len or shape.context, question.generates)
    return {
        "weights": Span(
            low=(stored - _kept_on_host(question)) / GIB,
            high=stored * (1 + 0.05 * each) / GIB,
        ),
        "compute": Span(low=compute.low / GIB, high=each * compute.high / GIB),
        "other": Span(low=each * overhead.low, high=each * overhead.high),
    }


def _compute(shape: _Shape, length: int, generates: bool) -> Span:
    """Bytes of a layer's work on one batch and of the mask; at most, those of all logits too."""
    batch = UBATCH_TOKENS if generates else max(length, UBATCH_TOKENS)
    layer = batch * 4 * (5 * shape.hidden + 3 * shape.deep)
    mask = batch * 2 * length
    logits = batch * 4 * shape.vocabulary if generates else 0
    return Span(low=0.9 * layer + mask, high=1.5 * layer + 2 * mask + logits)


def _kept_on_host(question: Question) -> int:
    """The embedding stays in main memory where the head is a tensor of its own."""
    sizes = {group.name: group.bytes_all for group in question.facts.tensors}
    return sizes.get("token_embd.weight", 0) if question.gpu and "output.weight" in sizes else 0


def _room(question: Question) -> float | None:
    if question.gpu is not None:
        return question.gpu.usable_gib * max(question.count, 1)
    return None if question.host_gib is None else question.host_gib * _HOST_SHARE


def _shape(header: Mapping[str, Any]) -> _Shape | str:
    """The sizes that a header says; a text where something is missing or not understood."""
    name = str(header.get("general.architecture"))
    if name not in _COMMON and name not in _HYBRID and name not in _ENCODERS:
        return f"its architecture {name[:40]} is not known here"
    own = {key.removeprefix(f"{name}."): value for key, value in header.items()}
    layers, hidden = bare(own.get("block_count")), bare(own.get("embedding_length"))
    context, words = bare(own.get("context_length")), bare(own.get("vocab_size"))
    if layers is None or layers > _LAYERS_MOST or hidden is None or not context or not words:
        return "its header does not say block_count, embedding_length, context_length, vocab_size"
    kept = (0, 0) if name in _ENCODERS else _kv_elements(own, layers, hidden)
    state = _state_bytes(own, layers) if name in _HYBRID else 0
    if kept is None or state is None:
        return "its header does not say what a token or a slot keeps"
    return _Shape(
        layers=layers,
        hidden=hidden,
        deep=_deep(own) or 4 * hidden,
        vocabulary=words,
        context=context,
        kv_elements=kept[0],
        shared_elements=kept[1],
        windowed=bare(own.get("attention.sliding_window")) is not None,
        state_bytes=state,
    )


def _deep(own: Mapping[str, Any]) -> int:
    """Width of the widest feed-forward layer, of all experts that one token wakes."""
    plain = bare(_widest(own.get("feed_forward_length"))) or 0
    expert = bare(_widest(own.get("expert_feed_forward_length"))) or 0
    return max(plain, expert * (bare(own.get("expert_used_count")) or 1))


def _kv_elements(own: Mapping[str, Any], layers: int, hidden: int) -> tuple[int, int] | None:
    """Elements of keys and values of one token; and those of values that may not be stored."""
    heads = bare(_widest(own.get("attention.head_count")))
    if heads is None:
        return (0, 0) if own.get("attention.head_count") == 0 else None
    key = bare(own.get("attention.key_length")) or hidden // heads
    value = bare(own.get("attention.value_length")) or hidden // heads
    count = _kv_heads(own.get("attention.head_count_kv"), heads, layers)
    if count is None or not key:
        return None
    latent = bare(own.get("attention.kv_lora_rank")) is not None
    return count * (key + value), count * value if latent else 0


def _kv_heads(said: Any, heads: int, layers: int) -> int | None:
    """Heads of keys in all layers; a list says a number a layer, 0 for one with a state."""
    if isinstance(said, list):
        known = all(type(one) is int and 0 <= one <= heads for one in said)
        return sum(said) if known and len(said) == layers else None
    one = heads if said is None else bare(said)
    return None if one is None else one * layers


def _state_bytes(own: Mapping[str, Any], layers: int) -> int | None:
    """A state in 32 bits for every layer that has no keys; for every layer where none is named."""
    inner, size = bare(own.get("ssm.inner_size")), bare(own.get("ssm.state_size"))
    kernel = bare(own.get("ssm.conv_kernel"))
    if inner is None or size is None or kernel is None:
        return None
    groups = bare(own.get("ssm.group_count")) or 0
    said = own.get("attention.head_count_kv")
    count = sum(1 for one in said if one == 0) if isinstance(said, list) else layers
    return count * 4 * ((kernel - 1) * (inner + 2 * groups * size) + inner * size)


def _widest(said: Any) -> Any:
    """The largest number of a list with one a layer."""
    if isinstance(said, list):
        return max((one for one in said if type(one) is int), default=None)
    return said
