"""llama.cpp: the file, a context for every slot, a buffer to compute in; nothing is guessed."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from moorage.engine import tiny
from moorage.hub import gguf
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


# What build 11549 said that it allocates on a CPU for Llama-like models with these sizes: layers,
# width, heads, heads of keys, width between, vocabulary; context of a slot, slots; MiB of cache
# and buffer.
ALLOCATED = [
    ((30, 576, 9, 3, 1536, 49152), 8192, 4, 720.00, 22.64),
    ((30, 576, 9, 3, 1536, 49152), 8192, 1, 180.00, 22.64),
    ((24, 896, 14, 2, 4864, 151936), 32768, 4, 1536.00, 69.27),
    ((24, 896, 14, 2, 4864, 151936), 4096, 2, 96.00, 41.27),
    ((16, 2048, 32, 8, 8192, 128256), 8192, 4, 1024.00, 76.02),
    ((16, 2048, 32, 8, 8192, 128256), 131072, 1, 4096.00, 196.02),
]


@pytest.mark.parametrize(("sizes", "length", "slots", "cache_mib", "buffer_mib"), ALLOCATED)
def test_the_cache_and_the_buffer_are_what_llama_cpp_allocates(
    sizes: tuple[int, ...], length: int, slots: int, cache_mib: float, buffer_mib: float
) -> None:
    names = ("block_count", "embedding_length", "attention.head_count", "attention.head_count_kv")
    said = {f"llama.{key}": size for key, size in zip(names, sizes, strict=False)}
    said |= {"llama.feed_forward_length": sizes[4], "vocab_size": sizes[5]}
    question = replace(header(SMOL, **said), max_model_len=length, max_num_seqs=slots)
    parts = llamacpp.fit(question, None).parts
    assert parts["cache"].low == parts["cache"].high == pytest.approx(cache_mib / 1024)
    assert 0.88 * buffer_mib / 1024 < parts["compute"].low <= buffer_mib / 1024
    assert buffer_mib / 1024 <= parts["compute"].high


SERVE = """
import os, sys, time, xllamacpp
params = xllamacpp.CommonParams()
params.model.path, params.n_ctx, params.n_parallel = sys.argv[1], 65536, 4
params.verbosity, params.port = 5, 0
server = xllamacpp.Server(params)
time.sleep(0.3)
os._exit(0)
"""


def test_the_real_llama_cpp_allocates_the_cache_that_the_proof_says(tmp_path: Path) -> None:
    model = tmp_path / "tiny.gguf"
    tiny.write("text-generation", model)
    content = model.read_bytes()
    read = gguf.header(lambda start, stop: content[start:stop], len(content))
    said = {**read.values, "vocab_size": read.lengths["tokenizer.ggml.tokens"]}
    question = replace(header(SMOL), max_model_len=16384, max_num_seqs=4)
    facts = replace(question.facts, config={"gguf": said})
    proof = llamacpp.fit(replace(question, facts=facts), None)
    assert proof.flags["ctx-size"] == 65536
    ran = subprocess.run(
        [sys.executable, "-c", SERVE, str(model)], capture_output=True, text=True, timeout=60
    )
    (cache_mib, *_) = re.findall(r"llama_kv_cache: size = +([0-9.]+) MiB", ran.stdout + ran.stderr)
    assert float(cache_mib) / 1024 == pytest.approx(proof.parts["cache"].high)


def test_slots_each_have_their_own_context() -> None:
    one, four = (fit(QWEN, host_gib=8, max_num_seqs=slots) for slots in (1, 4))
    assert four.parts["cache"].high == pytest.approx(4 * one.parts["cache"].high)
    assert four.flags["ctx-size"] == 4 * one.flags["ctx-size"]


def test_who_answers_with_a_vector_computes_a_whole_text_at_once() -> None:
    """The server refuses a longer text than its batch, and its own one has 512 tokens."""
    chat, vectors = (
        llamacpp.fit(replace(header(SMOL), max_model_len=8192, generates=one), None)
        for one in (True, False)
    )
    assert vectors.flags["batch-size"] == vectors.flags["ubatch-size"] == 8192
    assert set(vectors.flags) <= set(engine("llama.cpp").flags)
    assert not {"batch-size", "ubatch-size"} & set(chat.flags)
    assert vectors.parts["compute"].low == pytest.approx(16 * chat.parts["compute"].low)


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


@settings(max_examples=100)
@given(said=st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=9))
def test_no_header_makes_it_fall_over(said: dict[str, Any]) -> None:
    question = header(SMOL)
    whole = {**question.facts.config["gguf"], **said}
    for config in ({"gguf": said}, {"gguf": whole}, {"gguf": said.get("vocab_size")}):
        facts: ModelFacts = replace(question.facts, config=config)
        found = llamacpp.fit(replace(question, facts=facts), None)
        assert found.verdict in ("fits", "tight", "does-not-fit", "unknown")
        assert found.because
