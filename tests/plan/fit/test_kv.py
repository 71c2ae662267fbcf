"""The KV cache is counted as vLLM's own planner counts it."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moorage.plan.fit import attention, kv
from moorage.plan.fit.fields import UnreadableError
from moorage.plan.fit.kv import Cache, Setting

GOLDEN = Path(__file__).parent / "vllm-0.33.0-kv.json"  # says itself what made it
CASES: list[dict[str, Any]] = json.loads(GOLDEN.read_text(encoding="utf-8"))["cases"]
LLAMA = next(case["config"] for case in CASES if case["name"] == "Llama-3.1-8B")
GIB = 1 << 30


def plan(config: dict[str, Any], **said: Any) -> Cache:
    kept = attention.read(config, config["architectures"][0])
    found = kv.cache(kept, Setting(**said))
    assert found is not None
    return found


@cache
def plan_of(index: int, ranks: int = 0, dtype: str = "") -> Cache:
    case = CASES[index]
    return plan(
        case["config"],
        tensor_parallel=ranks or case["tensor_parallel"],
        dtype=dtype or case["kv_cache_dtype"],
        batch_tokens=case["batch_tokens"],
    )


@pytest.mark.parametrize("index", range(len(CASES)), ids=[case["name"] for case in CASES])
def test_blocks_and_bytes_are_those_of_the_planner(index: int) -> None:
    case, found = CASES[index], plan_of(index)
    length = case["max_model_len"]
    assert case["expected"] == {
        "block_bytes": found.block_bytes,
        "blocks": kv.blocks(found, length),
        "groups": sum(group.times for group in found.groups),
        "num_blocks_8gib": 8 * GIB // found.block_bytes,
        "longest_8gib": kv.longest(found, 8 * GIB, length),
    }


@pytest.mark.parametrize(
    ("name", "length", "gib"),
    [
        ("Llama-3.1-8B", 131072, 16.000),
        ("Llama-3.1-8B fp8 KV", 131072, 8.000),
        ("DeepSeek-V3 (one latent, TP8)", 131072, 8.578),
        ("DeepSeek-V3 fp8_ds_mla", 131072, 4.885),
        ("gpt-oss-20b batches of 2048", 131072, 3.097),
        ("gpt-oss-20b batches of 8192", 131072, 3.378),
    ],
)
def test_one_long_request_takes_what_is_published(name: str, length: int, gib: float) -> None:
    found = plan_of([case["name"] for case in CASES].index(name))
    assert kv.blocks(found, length) * found.block_bytes / GIB == pytest.approx(gib, abs=5e-4)


def test_mistral_small_takes_the_measured_bytes_of_a_token_and_blocks_of_a_request() -> None:
    config = next(c["config"] for c in CASES if c["name"] == "Mistral-Small-3.2-24B")
    found = plan(config, block_tokens=128)
    assert found.token_bytes == 163_840
    assert kv.blocks(found, 15_049) == 118


def test_qwen3_next_gets_the_published_block_of_tokens() -> None:
    config = next(c["config"] for c in CASES if c["name"].startswith("Qwen3-Next"))
    assert {group.block_tokens for group in plan(config).groups} == {544}
    wide = plan({**config, "mamba_ssm_dtype": "float32"})
    assert {group.block_tokens for group in wide.groups} == {1056}


def test_a_latent_is_the_same_on_every_rank() -> None:
    index = [case["name"] for case in CASES].index("DeepSeek-V3 (one latent, TP8)")
    assert plan_of(index, 1).token_bytes == plan_of(index, 8).token_bytes == 61 * 1152


def test_the_pool_keeps_one_block_back() -> None:
    found = plan(LLAMA)
    exactly = kv.blocks(found, 4096) * found.block_bytes
    assert kv.longest(found, exactly, 4096) < 4096
    assert kv.longest(found, exactly + found.block_bytes, 4096) == 4096


def test_nothing_fits_in_nothing() -> None:
    assert kv.longest(plan(LLAMA), 0, 4096) == 0
    assert kv.longest(plan(LLAMA), -1e12, 4096) == 0


def test_an_encoder_keeps_nothing() -> None:
    kept = attention.read({"num_attention_heads": 12, "hidden_size": 768}, "BertModel")
    assert kv.cache(kept, Setting()) is None


@given(st.sampled_from(range(len(CASES))), st.integers(1, 200_000), st.integers(1, 200_000))
def test_a_longer_request_never_takes_less(index: int, one: int, other: int) -> None:
    found = plan_of(index)
    assert kv.blocks(found, min(one, other)) <= kv.blocks(found, max(one, other))


@given(st.sampled_from(range(len(CASES))), st.integers(0, 64 * GIB), st.integers(0, 64 * GIB))
def test_more_memory_never_holds_a_shorter_request(index: int, one: int, other: int) -> None:
    found = plan_of(index)
    lengths = [kv.longest(found, size, 131_072) for size in sorted((one, other))]
    assert lengths == sorted(lengths)


@given(st.sampled_from(range(len(CASES))), st.sampled_from([1, 2, 4, 8, 16]))
def test_more_ranks_never_keep_more_of_a_token_each(index: int, ranks: int) -> None:
    assert plan_of(index, 2 * ranks).token_bytes <= plan_of(index, ranks).token_bytes


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_smaller_numbers_never_need_a_larger_cache(case: dict[str, Any]) -> None:
    index = CASES.index(case)
    if case["kv_cache_dtype"] == "auto":
        small, full = plan_of(index, dtype="fp8"), plan_of(index)
        assert small.token_bytes <= full.token_bytes


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"num_hidden_layers": None}, "num_hidden_layers"),
        ({"num_hidden_layers": 10**9}, "makes no sense"),
        ({"num_hidden_layers": -1}, "makes no sense"),
        ({"num_attention_heads": 0}, "makes no sense"),
        ({"num_attention_heads": "many"}, "makes no sense"),
        ({"hidden_size": True, "head_dim": None}, "makes no sense"),
        ({"layer_types": ["full_attention"]}, "every one of 32 layers"),
        ({"layer_types": ["strange"] * 32}, "not known here"),
        ({"layer_types": ["sliding_attention"] * 32}, "no sliding_window"),
    ],
)
def test_a_config_that_makes_no_sense_is_not_read(change: dict[str, Any], says: str) -> None:
    with pytest.raises(UnreadableError, match=says):
        attention.read({**LLAMA, **change}, "LlamaForCausalLM")


def test_a_model_inside_another_must_be_known() -> None:
    config = {"text_config": {"model_type": "surprise", "num_hidden_layers": 2}}
    with pytest.raises(UnreadableError, match="surprise"):
        attention.read(config, "LlavaForConditionalGeneration")


def test_latents_that_share_an_index_are_not_guessed() -> None:
    config = {"kv_lora_rank": 512, "qk_rope_head_dim": 64, "num_hidden_layers": 4}
    with pytest.raises(UnreadableError, match="share an index"):
        attention.read({**config, "index_topk_freq": 4}, "GlmMoeDsaForCausalLM")


def test_newer_nemotrons_name_their_layers_in_words() -> None:
    config = next(c["config"] for c in CASES if c["name"] == "Nemotron-3-Nano-30B")
    words = {"M": "mamba", "*": "attention", "-": "mlp", "E": "moe"}
    named = [words[one] for one in config["hybrid_override_pattern"]]
    renamed = {**config, "layers_block_type": named, "hybrid_override_pattern": None}
    assert plan(renamed) == plan(config)
