"""The engines of an endpoint: the API's name of each, and the fields that it understands.

The API overlooks a field that it does not know, such as one in the wrong case, without a word; so
whatever is not listed here is refused before it is sent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Final

_CONTAINER: Final = {"port": int, "healthRoute": str}


@dataclass(frozen=True, kw_only=True, slots=True)
class Engine:
    """One engine: how the API calls it, and its options with their kinds."""

    key: str
    options: Mapping[str, type] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    has_image: bool = True  # it runs a container image that has to be named

    @property
    def framework(self) -> str:
        """What the API calls the framework of a model that nobody says more of."""
        return "custom" if self.has_image else "pytorch"


_TGI: Final = {
    **_CONTAINER,
    "maxInputLength": int,
    "maxTotalTokens": int,
    "maxBatchPrefillTokens": int,
    "maxBatchTotalTokens": int,
}
_LLAMA_CPP: Final = {
    **_CONTAINER,
    "modelPath": str,
    "ctxSize": int,
    "nParallel": int,
    "threadsHttp": int,
    "mmprojModelPath": str,
    "nGpuLayers": int,
    "mode": str,
    "pooling": str,
    "variant": str,
}

ENGINES: Final[Mapping[str, Engine]] = {
    "vllm": Engine(
        key="vLLM",
        options={
            **_CONTAINER,
            "tensorParallelSize": int,
            "dataParallelSize": int,
            "kvCacheDtype": str,
            "maxNumBatchedTokens": int,
            "maxNumSeqs": int,
        },
    ),
    "vllm-omni": Engine(key="vLLMOmni", options={**_CONTAINER, "tensorParallelSize": int}),
    "vllm-neuron": Engine(key="vLLMNeuron", options={**_CONTAINER, "tensorParallelSize": int}),
    "sglang": Engine(
        key="sGLang",
        options={
            **_CONTAINER,
            "tensorParallelSize": int,
            "kvCacheDtype": str,
            "chunkedPrefillSize": int,
            "maxPrefillTokens": int,
            "maxRunningRequests": int,
        },
    ),
    "tei": Engine(
        key="tei",
        options={
            **_CONTAINER,
            "maxBatchTokens": int,
            "maxConcurrentRequests": int,
            "pooling": str,
        },
    ),
    "llama.cpp": Engine(
        key="llamacpp",
        options=_LLAMA_CPP,
        required=("modelPath", "ctxSize", "nParallel", "threadsHttp"),
    ),
    "tgi": Engine(key="tgi", options={**_TGI, "quantize": str, "disableCustomKernels": bool}),
    "tgi-neuron": Engine(
        key="tgiNeuron", options={**_TGI, "hfNumCores": int, "hfAutoCastType": str}
    ),
    "hf-serve": Engine(key="hfServe", options=_CONTAINER),
    "toolkit": Engine(key="huggingface", has_image=False),
    "toolkit-neuron": Engine(
        key="huggingfaceNeuron",
        options={"batchSize": int, "sequenceLength": int, "neuronCache": str},
        has_image=False,
    ),
    "custom": Engine(key="custom", options=_CONTAINER),
}
_BY_KEY: Final = {engine.key: name for name, engine in ENGINES.items()}


def named(key: str) -> str:
    """Our name of the API's variant; one that we do not know keeps its own."""
    return _BY_KEY.get(key, key)


def wrong_with(engine: str, options: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The options that the engine would not understand, and those that it lacks."""
    known = ENGINES[engine]
    for name, value in options.items():
        kind = known.options.get(name)
        if kind is None:
            yield name, _unknown(engine, name)
        elif not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            yield name, f"must be {_KINDS[kind]}"
    for name in known.required:
        if name not in options:
            yield name, f"{engine} needs it"


_KINDS: Final = {int: "a whole number", str: "a text", bool: "true or false"}


def _unknown(engine: str, name: str) -> str:
    known = ENGINES[engine].options
    by_letters = {one.lower(): one for one in known}
    near = get_close_matches(name.replace("_", "").lower(), by_letters, n=1)
    if near:
        return f"{engine} has no such option; did you mean {by_letters[near[0]]}?"
    listed = ", ".join(known) or "none"
    return f"{engine} has no such option, and the API would overlook it; known are {listed}"
