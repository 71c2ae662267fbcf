"""How each engine is told what the plan decided: one pure function per engine.

`words` writes flags as any command line takes them. A managed image of Hugging Face has fields of
its own for a few flags and takes the rest as words; it ignores a field that it does not know, so
each variant's fields stand here, and no flag is ever said twice.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from moorage.plan.types import Placement, Plan
from moorage.spec.tasks import TASKS

WEIGHTS: Final = "/repository"  # where the platform mounts the repository

_NO: Final = frozenset({"vllm", "llama.cpp"})  # engines that switch a flag off by no- before it

_VLLM: Final = {
    "port": "port",
    "tensor-parallel-size": "tensorParallelSize",
    "data-parallel-size": "dataParallelSize",
    "kv-cache-dtype": "kvCacheDtype",
    "max-num-batched-tokens": "maxNumBatchedTokens",
    "max-num-seqs": "maxNumSeqs",
}
_SGLANG: Final = {
    "tp-size": "tensorParallelSize",
    "tensor-parallel-size": "tensorParallelSize",
    "kv-cache-dtype": "kvCacheDtype",
    "chunked-prefill-size": "chunkedPrefillSize",
    "max-prefill-tokens": "maxPrefillTokens",
    "max-running-requests": "maxRunningRequests",
}
_TEI: Final = {
    "max-batch-tokens": "maxBatchTokens",
    "max-concurrent-requests": "maxConcurrentRequests",
    "pooling": "pooling",
}
_LLAMA: Final = {
    "ctx-size": "ctxSize",
    "parallel": "nParallel",
    "threads-http": "threadsHttp",
    "n-gpu-layers": "nGpuLayers",
    "gpu-layers": "nGpuLayers",
    "pooling": "pooling",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Managed:
    """An engine in an image that the platform runs: the fields of its variant, and words."""

    options: Mapping[str, Any] = field(default_factory=dict)
    args: tuple[str, ...] = ()


def managed(placement: Placement, plan: Plan) -> Managed:
    """What an Inference Endpoint is told of a placement's engine."""
    return ENGINES[placement.engine or "toolkit"](placement, plan)


def words(engine: str, flags: Mapping[str, Any]) -> tuple[str, ...]:
    """Flags as a command line takes them, in the order of their names."""
    return tuple(word for name in sorted(flags) for word in _words(engine, name, flags[name]))


def _words(engine: str, name: str, value: Any) -> Sequence[str]:
    if value is None:
        return ()
    if isinstance(value, bool):
        return (f"--{name}",) if value else _off(engine, name)
    if isinstance(value, Mapping):
        return f"--{name}", json.dumps(value, sort_keys=True)
    if isinstance(value, list | tuple):
        return f"--{name}", *map(str, value)
    return f"--{name}", str(value)


def _off(engine: str, name: str) -> Sequence[str]:
    """A switch is off by itself where an engine has no word for it."""
    return (f"--no-{name}",) if engine in _NO else ()


def _vllm(placement: Placement, _plan: Plan) -> Managed:
    return _split("vllm", placement.flags, _VLLM)


def _sglang(placement: Placement, _plan: Plan) -> Managed:
    return _split("sglang", placement.flags, _SGLANG)


def _tei(placement: Placement, _plan: Plan) -> Managed:
    return _split("tei", placement.flags, _TEI)


def _llama_cpp(placement: Placement, plan: Plan) -> Managed:
    """Its variant wants the file, the context, the slots and the threads said in any case."""
    ranks = {"reranking": True} if plan.task == _RANKING else {}
    split = _split("llama.cpp", {**ranks, **placement.flags}, _LLAMA)
    file = _gguf(placement, plan)
    slots = split.options.get("nParallel", 1)
    told: dict[str, Any] = {
        "modelPath": f"{WEIGHTS}/{file}",
        "variant": file,  # of a repository with many files only this one is loaded
        "ctxSize": (plan.max_model_len or _CONTEXT) * slots,
        "nParallel": slots,
        "threadsHttp": slots + _THREADS_BESIDE,
    }
    if not TASKS[plan.task].generates and not ranks:
        told["mode"] = "embeddings"
    return Managed(options={**told, **split.options}, args=split.args)


def _gguf(placement: Placement, plan: Plan) -> str:
    """The file that the lock found, for a spec may name it by a pattern."""
    locked = placement.weights.file if placement.weights is not None else None
    return locked or plan.quantization.removeprefix("gguf:")


_RANKING: Final = "text-ranking"
_CONTEXT: Final = 4096
_THREADS_BESIDE: Final = 2  # for the probe and for whoever asks for the models


def _toolkit(placement: Placement, _plan: Plan) -> Managed:
    return Managed(args=words("toolkit", placement.flags))


def _custom(placement: Placement, _plan: Plan) -> Managed:
    """An image of one's own is told the port like the platform that looks for it there."""
    port = placement.flags.get("port")
    options = {} if port is None else {"port": port}
    return Managed(options=options, args=words("custom", placement.flags))


def _split(engine: str, flags: Mapping[str, Any], fields: Mapping[str, str]) -> Managed:
    """The flags that a variant has fields for, and the rest as words."""
    options = {fields[name]: value for name, value in sorted(flags.items()) if name in fields}
    rest = {name: value for name, value in flags.items() if name not in fields}
    return Managed(options=options, args=words(engine, rest))


ENGINES: Final[Mapping[str, Callable[[Placement, Plan], Managed]]] = {
    "vllm": _vllm,
    "sglang": _sglang,
    "tei": _tei,
    "llama.cpp": _llama_cpp,
    "toolkit": _toolkit,
    "custom": _custom,
}
