"""How each engine is told the plan where Hugging Face runs it: one pure function per engine.

A managed image has fields of its own for a few flags and takes the rest as words; it ignores a
field that it does not know, so each variant's fields stand here, and no flag is ever said twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from components.engines import beside
from components.engines.beside import loaded_beside
from components.engines.flags import EMBEDDINGS, flags, gguf_file
from components.engines.words import words
from moorage.plan.locks.weights import of_all_parts
from moorage.plan.types import Placement, Plan

WEIGHTS: Final = "/repository"  # where the platform mounts the repository
PORT: Final = 8000  # of a container of one's own

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

    engine: str  # whose variant it is
    options: Mapping[str, Any] = field(default_factory=dict)
    args: tuple[str, ...] = ()
    command: tuple[str, ...] = ()  # empty: the variant's own
    env: Mapping[str, str] = field(default_factory=dict)
    adapters: Mapping[str, str] = field(default_factory=dict)  # clients' names -> its own


def managed(placement: Placement, plan: Plan) -> Managed:
    """What an Inference Endpoint is told of a placement's engine."""
    return ENGINES[placement.engine or "toolkit"](placement, plan)


def _vllm(placement: Placement, plan: Plan) -> Managed:
    if plan.adapters or plan.chat_template is not None:
        return _container(placement, plan)
    return _split("vllm", flags(placement, plan), _VLLM)


def _container(placement: Placement, plan: Plan) -> Managed:
    """The same image as a container of one's own, started by the program that fetches the rest.

    vLLM's flags name an adapter and not its revision, and how the platform starts its own variant
    is told nowhere.
    """
    ours = {"served-model-name": plan.model_id, "host": "0.0.0.0", "port": PORT}
    told = flags(placement, plan) | loaded_beside(placement, plan, "lora-modules") | ours
    return Managed(
        engine="custom",
        options={"port": PORT, "healthRoute": "/health"},
        command=beside.start(),
        args=("vllm", "serve", WEIGHTS, *words("vllm", told)),
        env=beside.fetched(placement, plan),
        adapters={one.called: one.called for one in plan.adapters},
    )


def _sglang(placement: Placement, plan: Plan) -> Managed:
    return _split("sglang", flags(placement, plan), _SGLANG)


def _tei(placement: Placement, plan: Plan) -> Managed:
    return _split("tei", flags(placement, plan), _TEI)


def _llama_cpp(placement: Placement, plan: Plan) -> Managed:
    """Its variant wants the file said, and what it is for by a field of its own."""
    told = flags(placement, plan)
    mode = {"mode": "embeddings"} if told.pop(EMBEDDINGS, False) else {}
    split = _split("llama.cpp", told, _LLAMA)
    file = gguf_file(placement, plan)
    # Only files that match the variant are fetched; of one in parts the first names the others.
    weights = {"modelPath": file, "variant": of_all_parts(file)}
    options = {**weights, **mode, **split.options}
    return Managed(engine="llama.cpp", options=options, args=split.args)


def _toolkit(placement: Placement, plan: Plan) -> Managed:
    return Managed(engine="toolkit", args=words("toolkit", flags(placement, plan)))


def _custom(placement: Placement, plan: Plan) -> Managed:
    """An image of one's own is told the port like the platform that looks for it there."""
    told = flags(placement, plan)
    options = {"port": told["port"]} if "port" in told else {}
    return Managed(engine="custom", options=options, args=words("custom", told))


def _split(engine: str, told: Mapping[str, Any], fields: Mapping[str, str]) -> Managed:
    """The flags that a variant has fields for, and the rest as words."""
    options = {fields[name]: value for name, value in sorted(told.items()) if name in fields}
    rest = {name: value for name, value in told.items() if name not in fields}
    return Managed(engine=engine, options=options, args=words(engine, rest))


ENGINES: Final[Mapping[str, Callable[[Placement, Plan], Managed]]] = {
    "vllm": _vllm,
    "sglang": _sglang,
    "tei": _tei,
    "llama.cpp": _llama_cpp,
    "toolkit": _toolkit,
    "custom": _custom,
}
