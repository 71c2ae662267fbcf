"""Why an engine will not serve a model so, whatever the memory; pure and fast."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from moorage.plan.catalogue import spans
from moorage.plan.catalogue.offers import Engine
from moorage.plan.fit import lengths, methods
from moorage.plan.fit.fields import UnreadableError, text_of
from moorage.plan.fit.methods import NONE
from moorage.plan.fit.types import Obstacle, Question

GGUF: Final = "gguf"
HALF: Final = "half"

_DIVIDED: Final = ("vllm", "sglang")  # memory models of engines that divide layers among GPUs
_WHILE_LOADING: Final[dict[str, tuple[str, ...]]] = {  # what an engine makes of full precision
    "vllm": ("fp8",),
    "sglang": ("fp8",),
    "toolkit": ("bitsandbytes",),
    "custom": ("fp8", "int8", "int4", "bitsandbytes"),
}
_BF16_LEAST: Final = 8.0  # compute capability
_BF16_ONLY: Final = ("gemma2", "gemma3", "gemma3_text", "glm4")  # numbers overflow in 16-bit floats
_PARTS: Final = ("vision_config", "audio_config")
_GPUS_MOST: Final = 64  # of one machine
# By the memory model: flags, of which the first that is said counts.
_COPIES: Final = {
    "vllm": (("data-parallel-size-local", "data-parallel-size"),),
    "sglang": (("dp-size", "data-parallel-size"),),
}
_STAGES: Final = {
    "vllm": (("pipeline-parallel-size",),),
    "sglang": (("pp-size", "pipeline-parallel-size"),),
}


def obstacles(question: Question, engine: Engine, task: str) -> tuple[Obstacle, ...]:
    """Everything that stands in the way, the plainest first."""
    if task not in engine.tasks:
        return (_task(engine, task),)
    found = (met for check in _CHECKS for met in check(question, engine))
    return tuple(found)


def serves(engine: Engine, version: str, architecture: str) -> bool | None:
    """Whether that version serves the architecture; None where nobody has looked.

    An engine may list none at all, or the version lies between one that was read and did not have
    the architecture and one that was read and did.
    """
    if not engine.architectures:
        return None
    span = engine.architectures.get(architecture, "")
    return spans.holds(span, version, versions=engine.versions, read=engine.read_at)


def dtype_of(question: Question) -> str | None:
    """The number format to ask for where the GPU cannot compute the model's own."""
    too_old = question.gpu is not None and question.gpu.capability < _BF16_LEAST
    return HALF if too_old and _is_bf16(question.facts.config) else None


def ranks(question: Question) -> int:
    """Among how many GPUs every layer is divided."""
    return question.tensor_parallel or max(question.count, 1)


def _task(engine: Engine, task: str) -> Obstacle:
    says = f"{engine.name} does not serve {task}"
    hint = f"it serves {', '.join(engine.tasks)}"
    return Obstacle(rule="task-not-served-by-engine", says=says, hint=hint)


def _format(question: Question, engine: Engine) -> Iterator[Obstacle]:
    found = GGUF if _asked(question) == GGUF else question.facts.weights
    if found is not None and engine.weights and found not in engine.weights:
        says = f"the weights are {found}, and {engine.name} loads {' or '.join(engine.weights)}"
        hint = {
            GGUF: "take the repository with the original weights, or serve it with llama.cpp",
            "pickle": "pickle can run code when it is loaded: ask for a safetensors revision",
        }.get(found, "take a repository or an engine whose format agrees")
        yield Obstacle(rule="weights-format", says=says, hint=hint)


def _architecture(question: Question, engine: Engine) -> Iterator[Obstacle]:
    name = question.facts.architecture
    if _asked(question) == GGUF and GGUF not in engine.weights:
        return  # a GGUF file names architectures in llama.cpp's words; its format is the reason
    if name is None or serves(engine, question.version, name) is not False:
        return
    version = question.version or (engine.versions[0] if engine.versions else "")
    says = f"{engine.name} {version}".rstrip() + f" is not known to serve {name[:80]}"
    first, _, last = engine.architectures.get(name, "").partition("..")
    if last and spans.is_older(last, version):
        says, hint = f"{says} any more", f"the last version that does is {last}"
    elif first:
        hint = f"the first version known to serve it is {first}"
    else:
        hint = f"take an engine that serves it; {engine.name} serves {_alike(name, engine)}"
    yield Obstacle(rule="architecture-unknown", says=says, hint=hint)


def _quantization(question: Question, engine: Engine) -> Iterator[Obstacle]:
    asked, name = _asked(question), engine.name
    if not engine.quantization or (asked == GGUF and GGUF not in engine.weights):
        return
    least = engine.quantization.get(asked)
    if least is None:
        says = f"{name} cannot serve weights quantized as {asked}"
        hint = f"it serves {', '.join(engine.quantization)}"
        yield Obstacle(rule="quantization-unsupported", says=says, hint=hint)
        return
    gpu = question.gpu
    have = gpu.capability if gpu is not None else 0.0
    if have < least:
        what, take = ("unquantized weights", "need") if asked == NONE else (asked, "needs")
        whose = "no GPU is there" if gpu is None else f"{gpu.name} has {have:.1f}"
        says = f"{what} in {name} {take} compute capability {least:.1f}, {whose}"
        hint = f"take a GPU of {least:.1f} or newer, or another quantization"
        if gpu is None:
            hint = f"name a GPU of {least:.1f} or newer, or an engine that runs without one"
        yield Obstacle(rule="quantization-unsupported", says=says, hint=hint)


def _precision(question: Question, engine: Engine) -> Iterator[Obstacle]:
    """Most bf16 models are served in 16-bit floats by old GPUs; a few would only talk nonsense."""
    gpu, kind = question.gpu, str(question.facts.config.get("model_type"))[:40]
    if engine.fit in _DIVIDED and gpu and kind in _BF16_ONLY and dtype_of(question):
        says = (
            f"{kind} needs bfloat16, which takes compute capability {_BF16_LEAST:.1f}; "
            f"{gpu.name} has {gpu.capability:.1f}"
        )
        hint = "take an A10G, an L4 or a newer GPU"
        yield Obstacle(rule="quantization-unsupported", says=says, hint=hint)


def _mismatch(question: Question, engine: Engine) -> Iterator[Obstacle]:
    asked, facts = _asked(question), question.facts
    if GGUF in (asked, facts.weights) or not facts.config:
        return
    stored = methods.quantization_of(facts.config)
    if asked == stored or (stored == NONE and asked in _WHILE_LOADING.get(engine.name, ())):
        return
    if stored == NONE:
        says = f"the repository is not quantized, the spec says {asked}"
        hint = f"take the repository of its {asked} weights, or write quantization: none"
    else:
        says = f"the repository's weights are quantized as {stored[:60]}, the spec says {asked}"
        known = stored in engine.quantization
        hint = f"write quantization: {stored}" if known else f"{engine.name} cannot serve them"
    yield Obstacle(rule="quantization-mismatch", says=says, hint=hint)


def _length(question: Question, engine: Engine) -> Iterator[Obstacle]:
    asked = question.max_model_len
    own = lengths.longest(question.facts.config)
    if asked is not None and own is not None and asked > own and engine.fit != "none":
        says = f"max_model_len {asked} is beyond the {own} tokens that the model was made for"
        hint = f"write max_model_len: {own} or less"
        yield Obstacle(rule="context-too-long", says=says, hint=hint)


def _parallel(question: Question, engine: Engine) -> Iterator[Obstacle]:
    if engine.fit in _DIVIDED and question.gpu is not None:
        parts = ranks(question)
        for says in _undivided(question, parts):
            flag = _with_flag(says) if engine.fit == "vllm" else ""
            hint = _divisible(question, parts) + flag
            yield Obstacle(rule="tensor-parallel", says=says, hint=hint)
        yield from _too_many(question, engine, parts)


def copies(args: Mapping[str, Any], fit: str) -> int:
    """How many times those GPUs are taken: copies of the model, and stages of its layers."""
    whole = () if args.get("enable-dp-attention") else _COPIES.get(fit, ())
    counts = (
        next((n for flag in flags if (n := _count(args.get(flag))) is not None), 1)
        for flags in (*whole, *_STAGES.get(fit, ()))
    )
    return math.prod(counts)


def _too_many(question: Question, engine: Engine, parts: int) -> Iterator[Obstacle]:
    times, count = copies(question.args, engine.fit), question.count
    if parts <= count < parts * times:
        says = f"{times} x {parts} GPUs are asked for, by copies or stages of the model and "
        says += f"tensor_parallel, and the machine has {count}"
        hint = "let serving.tensor_parallel, times what args say, be no more than that"
        yield Obstacle(rule="tensor-parallel", says=says, hint=hint)


def _divisible(question: Question, parts: int) -> str:
    """The most GPUs that a model can be divided among on this machine."""
    most = max(min(parts - 1, question.count, _GPUS_MOST), 1)
    sound = (n for n in range(most, 1, -1) if next(_undivided(question, n), None) is None)
    best = next(sound, 1)
    return f"it can be divided among {best}" if best > 1 else "it has to stay on one GPU"


def _with_flag(says: str) -> str:
    """A flag that lets a part stay whole where it cannot be divided."""
    if "fp8 blocks" in says and says.startswith("moe_"):
        return "; or give every GPU whole experts: enable-expert-parallel: true"
    return "; or leave the tower whole: mm-encoder-tp-mode: data" if "tower" in says else ""


def _undivided(question: Question, parts: int) -> Iterator[str]:
    """What cannot be divided among so many GPUs."""
    count, config = question.count, question.facts.config
    if parts > count or count % parts:
        yield f"tensor_parallel {parts} does not divide the {count} GPUs of the machine"
    if parts > 1:
        yield from _heads(question, parts)
        if question.args.get("mm-encoder-tp-mode") != "data":
            yield from _inner_heads(config, parts)
        yield from _blocks(config, parts, whole_experts=_has_whole_experts(question))


def _heads(question: Question, parts: int) -> Iterator[str]:
    heads, kv_heads = _counted(question)
    if heads % parts:
        yield f"{heads} attention heads cannot be divided among {parts} GPUs"
    elif kv_heads and kv_heads % parts and parts % kv_heads:
        yield f"{kv_heads} key and value heads can be neither divided nor repeated on {parts} GPUs"


def _inner_heads(config: Mapping[str, Any], parts: int) -> Iterator[str]:
    """A tower for images or sound is divided like the rest."""
    for name in _PARTS:
        part = config.get(name)
        own = part if isinstance(part, Mapping) else {}
        heads = _count(own.get("num_attention_heads")) or _count(own.get("num_heads"))
        if heads and heads % parts:
            what = name.partition("_")[0]
            yield f"{heads} heads of the {what} tower cannot be divided among {parts} GPUs"


def _has_whole_experts(question: Question) -> bool:
    """Whether every GPU gets some experts instead of a part of each."""
    args = question.args
    return any(args.get(flag) for flag in ("enable-expert-parallel", "ep-size", "ep"))


def _blocks(config: Mapping[str, Any], parts: int, *, whole_experts: bool) -> Iterator[str]:
    """Scales belong to blocks of weights, and no GPU can hold part of a block."""
    block = methods.block_of(config)
    if block is None:
        return
    text = text_of(config)
    experts = () if whole_experts else ("moe_intermediate_size",)
    dense = () if _has_experts_only(text) else ("intermediate_size",)
    for name in (*experts, *dense):
        size = _count(text.get(name))
        if size and any(size % (parts * side) for side in block):
            yield (
                f"{name} {size} among {parts} GPUs leaves {size / parts:g} to each, "
                f"not whole fp8 blocks of {max(block)}"
            )


def _counted(question: Question) -> tuple[int, int]:
    """Query heads, and the heads of keys and values; 0 where the config does not say."""
    from moorage.plan.fit import attention  # most models stay on one GPU

    config, name = question.facts.config, question.facts.architecture
    try:
        if name is not None and attention.knows(name):
            known = attention.read(config, name)
            return known.heads, known.kv_heads
    except UnreadableError:
        pass
    text = text_of(config)
    heads = next((n for key in _HEADS if (n := _count(text.get(key))) is not None), 0)
    kv_heads = _count(text.get("num_key_value_heads")) or 0
    return heads, 0 if _count(text.get("kv_lora_rank")) else kv_heads


def _has_experts_only(text: Mapping[str, Any]) -> bool:
    """Whether `intermediate_size` describes no layer: a relic of the dense model before it."""
    experts = _count(text.get("moe_intermediate_size"))
    return bool(experts) and not (
        _count(text.get("first_k_dense_replace")) or text.get("mlp_only_layers")
    )


def _is_bf16(config: Mapping[str, Any]) -> bool:
    text = text_of(config)
    return "bfloat16" in (text.get("torch_dtype"), text.get("dtype"))


def _asked(question: Question) -> str:
    return GGUF if question.quantization.startswith(f"{GGUF}:") else question.quantization


def _count(value: object) -> int | None:
    return value if type(value) is int and value > 0 else None


def _alike(name: str, engine: Engine) -> str:
    """A few architectures of the same family, or how many others there are."""
    family = name[:5].lower()
    near = [own for own in engine.architectures if own.lower().startswith(family)][:3]
    return ", ".join(near) or f"{len(engine.architectures)} others"


_HEADS: Final = ("num_attention_heads", "n_head", "num_heads", "decoder_attention_heads")
_CHECKS: Final[tuple[Callable[[Question, Engine], Iterator[Obstacle]], ...]] = (
    _format,
    _architecture,
    _quantization,
    _precision,
    _mismatch,
    _length,
    _parallel,
)
