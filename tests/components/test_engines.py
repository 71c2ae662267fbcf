"""Every engine is told the whole plan: in its image's own fields, and the rest as words."""

from __future__ import annotations

from typing import Any

import pytest

from components import engines
from moorage.plan.catalogue import catalog
from moorage.plan.types import Placement, Weights
from moorage.provider.hugging_face.endpoints.endpoint_images import wrong_with
from tests.components.programs import a_plan
from tests.plan.projects import CATALOG

# engine -> flags of the plan, the fields of the image, the words
CASES: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "vllm": (
        {
            "enable-prefix-caching": True,
            "gpu-memory-utilization": 0.92,
            "max-model-len": 16384,
            "max-num-batched-tokens": 2048,
            "max-num-seqs": 128,
            "tensor-parallel-size": 2,
            "enable-log-requests": False,
            "hf-overrides": {"rope": 2},
        },
        {"maxNumBatchedTokens": 2048, "maxNumSeqs": 128, "tensorParallelSize": 2},
        (
            "--no-enable-log-requests --enable-prefix-caching --gpu-memory-utilization 0.92"
            ' --hf-overrides {"rope":2} --max-model-len 16384'
        ),
    ),
    "sglang": (
        {
            "chunked-prefill-size": 2048,
            "context-length": 4096,
            "max-running-requests": 32,
            "mem-fraction-static": 0.85,
            "tp-size": 1,
            "disable-radix-cache": False,
        },
        {"chunkedPrefillSize": 2048, "maxRunningRequests": 32, "tensorParallelSize": 1},
        "--context-length 4096 --mem-fraction-static 0.85",
    ),
    "tei": (
        {"dtype": "float16", "max-batch-tokens": 16384, "auto-truncate": True},
        {"maxBatchTokens": 16384},
        "--auto-truncate --dtype float16",
    ),
    "llama.cpp": (
        {"ctx-size": 8192, "parallel": 4, "n-gpu-layers": 999, "cache-type-k": "q8_0"},
        {
            "modelPath": "tiny-Q4_K_M.gguf",
            "variant": "tiny-Q4_K_M.gguf",
            "ctxSize": 8192,
            "nParallel": 4,
            "threadsHttp": 6,
            "nGpuLayers": 999,
        },
        "--cache-type-k q8_0",
    ),
    "toolkit": ({"max-length": 5}, {}, "--max-length 5"),
    "custom": (
        {"port": 8080, "stop": ["a", "b"]},
        {"port": 8080},
        "--port 8080 --stop a b",
    ),
}


def placed(engine: str, flags: dict[str, Any], **said: Any) -> Placement:
    return Placement(name="p", kind="hf-endpoint", engine=engine, flags=flags, **said)


def told(engine: str, flags: dict[str, Any], **said: Any) -> engines.Managed:
    plan = a_plan(quantization="gguf:tiny-Q4_K_M.gguf", **said)
    return engines.managed(placed(engine, flags), plan)


@pytest.mark.parametrize("engine", CASES)
def test_fields_of_the_image_come_first_and_no_flag_is_lost_or_said_twice(engine: str) -> None:
    flags, options, words = CASES[engine]
    found = told(engine, flags)
    assert found.options == options
    assert " ".join(found.args).replace('": ', '":') == words


@pytest.mark.parametrize("engine", CASES)
def test_the_provider_takes_every_field(engine: str) -> None:
    """It refuses those that the platform would overlook."""
    found = told(engine, CASES[engine][0])
    assert not list(wrong_with(engine, found.options))


def test_every_engine_that_an_endpoint_may_run_is_told() -> None:
    assert set(catalog.read(CATALOG).kinds["hf-endpoint"].engines) == set(engines.ENGINES)


def test_llama_cpp_is_sized_even_where_nothing_was_proven() -> None:
    found = told("llama.cpp", {})
    assert (found.options["ctxSize"], found.options["nParallel"]) == (2048, 1)


@pytest.mark.parametrize(
    ("task", "mode", "args"),
    [
        ("text-generation", None, ()),
        ("feature-extraction", "embeddings", ()),
        ("text-ranking", None, ("--reranking",)),
    ],
)
def test_llama_cpp_is_told_what_it_is_for(
    task: str, mode: str | None, args: tuple[str, ...]
) -> None:
    found = told("llama.cpp", {}, task=task)
    assert found.options.get("mode") == mode
    assert found.args == args


def test_of_a_pattern_the_file_that_the_lock_found_is_loaded() -> None:
    placement = placed("llama.cpp", {}, weights=Weights(repo="acme/tiny", file="tiny-Q8_0.gguf"))
    found = engines.managed(placement, a_plan(quantization="gguf:*Q8_0*"))
    assert found.options["modelPath"] == "tiny-Q8_0.gguf"


def test_of_a_file_in_parts_all_are_fetched_and_the_first_is_loaded() -> None:
    part = "Q8_0/big-00001-of-00003.gguf"
    found = engines.managed(placed("llama.cpp", {}), a_plan(quantization=f"gguf:{part}"))
    assert found.options["modelPath"] == part
    assert found.options["variant"] == "Q8_0/big-*-of-00003.gguf"
