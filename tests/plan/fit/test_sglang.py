"""SGLang: its fixed share holds weights and cache; its own rule says what is left to compute in."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from moorage.plan.fit import sglang
from moorage.plan.fit.types import Fit, Question
from tests.plan.fit.known import ask, engine, locks

LLAMA, QWEN8, QWEN32 = "meta-llama/Llama-3.1-8B-Instruct", "Qwen/Qwen3-8B", "Qwen/Qwen3-32B"


def fit(model: str, gpu: str | None, count: int = 1, **said: Any) -> Fit:
    return sglang.fit(ask(model, gpu, count, engine="sglang", **said), None)


def test_a_model_fits_with_all_its_settings_said() -> None:
    found = fit(LLAMA, "nvidia-h100")
    assert found.verdict == "fits"
    assert found.confidence == "rough"
    assert found.flags == {
        "context-length": 131072,
        "mem-fraction-static": 0.827,
        "max-running-requests": 256,
        "chunked-prefill-size": 8192,
        "tp-size": 1,
    }
    assert set(found.flags) <= set(engine("sglang").flags)


def test_a_token_takes_what_its_heads_take() -> None:
    assert fit(LLAMA, "nvidia-h100").kv_bytes_per_token == 32 * 2 * 8 * 128 * 2
    assert fit(LLAMA, "nvidia-h100", 2).kv_bytes_per_token == 32 * 2 * 4 * 128 * 2
    assert fit(LLAMA, "nvidia-h100", kv_cache_dtype="fp8_e5m2").kv_bytes_per_token == 32 * 2 * 1024
    assert fit("deepseek-ai/DeepSeek-V3", "nvidia-h200", 8).kv_bytes_per_token == 61 * 576 * 2


def test_what_does_not_fit_says_what_would() -> None:
    found = fit(QWEN32, "nvidia-h100")
    assert found.verdict == "does-not-fit"
    assert "weights" in found.because
    assert "model.quantization: fp8" in found.changes
    assert fit(QWEN32, "nvidia-h100", 2).verdict == "fits"


def test_a_share_too_large_to_compute_in_is_only_tight() -> None:
    found = fit(LLAMA, "nvidia-h100", gpu_memory_utilization=0.97)
    assert found.verdict == "tight"
    assert "to compute in" in found.because
    assert found.flags["mem-fraction-static"] == 0.97


def test_given_settings_are_kept() -> None:
    found = fit(
        LLAMA, "nvidia-l40s", max_model_len=8192, max_num_seqs=16, max_num_batched_tokens=2048
    )
    assert found.flags["context-length"] == 8192
    assert found.flags["max-running-requests"] == 16
    assert found.flags["chunked-prefill-size"] == 2048
    assert found.concurrency_load <= 16


def test_windows_count_as_whole_caches_where_they_might() -> None:
    found = fit("google/gemma-3-27b-it", "nvidia-h100")
    assert found.verdict == "tight"
    assert found.kv_bytes_per_token == 62 * 2 * 16 * 128 * 2


def test_the_more_memory_the_better() -> None:
    order = ("does-not-fit", "tight", "fits")
    gpus = ("nvidia-t4", "nvidia-l4", "nvidia-l40s", "nvidia-a100", "nvidia-h200", "nvidia-b200")
    found = [order.index(fit(QWEN8, gpu).verdict) for gpu in gpus]
    assert found == sorted(found)
    assert set(found) >= {0, 2}


@pytest.mark.parametrize(
    "question",
    [
        ask(LLAMA, None, engine="sglang"),
        ask("Qwen/Qwen3-Next-80B-A3B-Instruct", "nvidia-h200", 2, engine="sglang"),
        ask("nvidia/Llama-3_3-Nemotron-Super-49B-v1", "nvidia-h200", 2, engine="sglang"),
        ask("tiiuae/falcon-7b", "nvidia-h200", engine="sglang"),
        ask(LLAMA, "nvidia-h100", engine="sglang", adapters=(16,)),
        ask(LLAMA, "nvidia-h100", engine="sglang", kv_cache_dtype="made-up"),
    ],
)
def test_what_is_not_known_never_fits(question: Question) -> None:
    found = sglang.fit(question, None)
    assert found.verdict == "unknown"
    assert found.because


def test_no_fixture_makes_it_fall_over() -> None:
    for model in locks():
        for gpu in ("nvidia-t4", "nvidia-b300"):
            for count in (1, 3, 8):
                question = ask(model, gpu, count, engine="sglang")
                assert sglang.fit(question, None).because
                bare = replace(question, facts=replace(question.facts, tensors=()))
                assert sglang.fit(bare, None).verdict == "unknown"
