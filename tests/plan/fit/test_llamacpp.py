"""llama.cpp: the file, a context for every slot, a buffer to compute in; nothing is guessed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moorage.plan.facts import ModelFacts
from moorage.plan.fit import llamacpp
from moorage.plan.fit.types import Fit, Question
from tests.plan.fit.known import ask, engine

SMOL, QWEN = "bartowski/SmolLM2-135M-Instruct-GGUF", "Qwen/Qwen2.5-0.5B-Instruct-GGUF"
GIB = 1 << 30


def fit(model: str, gpu: str | None = None, **said: Any) -> Fit:
    return llamacpp.fit(ask(model, gpu, engine="llama.cpp", **said), None)


def header(model: str, **changed: Any) -> Question:
    """A question about a file whose header says something else; None takes a key out."""
    question = ask(model, None, engine="llama.cpp", host_gib=64)
    said = {**question.facts.config["gguf"], **changed}
    kept = {key: value for key, value in said.items() if value is not None}
    return replace(question, facts=replace(question.facts, config={"gguf": kept}))


def test_a_small_file_fits_into_main_memory() -> None:
    found = fit(SMOL, host_gib=8)
    assert found.verdict == "fits"
    assert found.confidence == "rough"
    assert found.flags == {"ctx-size": 4 * 8192, "parallel": 4}


def test_the_cache_is_exact_where_every_layer_keeps_every_token() -> None:
    found = fit(SMOL, host_gib=8, max_model_len=4096, max_num_seqs=2)
    assert found.kv_bytes_per_token == 30 * 2 * 3 * 64 * 2  # layers, keys and values, heads, f16
    assert found.parts["cache"].high == pytest.approx(2 * 4096 * 23040 / GIB)
    assert found.parts["cache"].low == found.parts["cache"].high


def test_a_cache_of_8_bits_takes_about_half() -> None:
    whole = fit(SMOL, host_gib=8).parts["cache"].high
    small = fit(SMOL, host_gib=8, kv_cache_dtype="q8_0")
    assert small.parts["cache"].high == pytest.approx(whole * 34 / 64)
    assert small.flags["cache-type-k"] == small.flags["cache-type-v"] == "q8_0"


def test_slots_each_have_their_own_context() -> None:
    one, four = (fit(QWEN, host_gib=8, max_num_seqs=slots) for slots in (1, 4))
    assert four.parts["cache"].high == pytest.approx(4 * one.parts["cache"].high)
    assert four.flags["ctx-size"] == 4 * one.flags["ctx-size"]


def test_what_does_not_fit_says_what_would() -> None:
    found = fit(QWEN, host_gib=2)
    assert found.verdict == "does-not-fit"
    assert "cache" in found.because
    (length,) = [int(way.split()[-1]) for way in found.changes if "max_model_len" in way]
    assert fit(QWEN, host_gib=2, max_model_len=length).verdict == "fits"


def test_on_a_gpu_all_layers_are_put_there() -> None:
    found = fit(QWEN, "nvidia-t4")
    assert found.verdict == "fits"
    assert found.flags["n-gpu-layers"] == 999
    assert set(found.flags) <= set(engine("llama.cpp").flags)


@pytest.mark.parametrize(
    "question",
    [
        ask(SMOL, None, engine="llama.cpp"),
        ask("Qwen/Qwen3-8B", "nvidia-l40s", engine="llama.cpp"),
        ask(SMOL, None, engine="llama.cpp", host_gib=8, kv_cache_dtype="fp8"),
        ask(SMOL, None, engine="llama.cpp", host_gib=8, adapters=(16,)),
        header(SMOL, **{"general.architecture": "madeup"}),
        header(SMOL, **{"llama.block_count": None}),
        header(SMOL, **{"llama.attention.head_count": None}),
        header(SMOL, **{"llama.attention.head_count_kv": [1, 2]}),
        header(SMOL, **{"llama.block_count": 10**9}),
    ],
)
def test_what_is_not_known_never_fits(question: Question) -> None:
    found = llamacpp.fit(question, None)
    assert found.verdict == "unknown"
    assert found.because
    assert found.flags == {}


def test_layers_with_a_window_may_keep_less() -> None:
    found = llamacpp.fit(header(SMOL, **{"llama.attention.sliding_window": 512}), None)
    assert found.parts["cache"].low < found.parts["cache"].high


def test_an_encoder_keeps_nothing() -> None:
    said = {
        "general.architecture": "bert",
        "bert.block_count": 12,
        "bert.embedding_length": 768,
        "bert.context_length": 512,
        "bert.attention.head_count": 12,
        "vocab_size": 30522,
    }
    found = llamacpp.fit(header(SMOL, **said), None)
    assert found.verdict == "fits"
    assert found.parts["cache"].high == 0


def test_layers_with_a_state_take_the_same_at_any_length() -> None:
    said = {
        "general.architecture": "mamba",
        "mamba.block_count": 24,
        "mamba.embedding_length": 768,
        "mamba.context_length": 1048576,
        "mamba.attention.head_count": 0,
        "mamba.ssm.conv_kernel": 4,
        "mamba.ssm.inner_size": 1536,
        "mamba.ssm.state_size": 16,
    }
    found = llamacpp.fit(header(SMOL, **said), None)
    state = 24 * 4 * (3 * 1536 + 1536 * 16)
    assert found.parts["cache"].high == pytest.approx(4 * state / GIB)
    assert found.verdict == "fits"


KEYS = (
    *("general.architecture", "vocab_size", "llama.block_count", "llama.embedding_length"),
    *("llama.context_length", "llama.attention.head_count", "llama.attention.head_count_kv"),
    *("llama.attention.key_length", "llama.attention.kv_lora_rank", "llama.feed_forward_length"),
    *("jamba.ssm.inner_size", "jamba.block_count", "jamba.attention.head_count_kv"),
)
VALUES = st.one_of(
    st.integers(-5, 10**6),
    st.integers(-(10**20), 10**20),
    st.sampled_from(["llama", "jamba", "bert", "x"]),
    st.floats(),
    st.none(),
    st.booleans(),
    st.lists(st.one_of(st.integers(0, 64), st.none(), st.floats()), max_size=5),
)


@settings(max_examples=300, deadline=None)
@given(said=st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=9))
def test_no_header_makes_it_fall_over(said: dict[str, Any]) -> None:
    question = header(SMOL)
    whole = {**question.facts.config["gguf"], **said}
    for config in ({"gguf": said}, {"gguf": whole}, {"gguf": said.get("vocab_size")}):
        facts: ModelFacts = replace(question.facts, config=config)
        found = llamacpp.fit(replace(question, facts=facts), None)
        assert found.verdict in ("fits", "tight", "does-not-fit", "unknown")
        assert found.because
