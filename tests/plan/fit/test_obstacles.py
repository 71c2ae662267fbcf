"""What keeps an engine from serving a model is told before anything is deployed, with numbers."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from moorage.plan.facts import ModelFacts
from moorage.plan.fit.lengths import longest
from moorage.plan.fit.methods import block_of, quantization_of
from moorage.plan.fit.obstacles import dtype_of, obstacles, serves
from moorage.plan.fit.types import Obstacle, Question
from moorage.plan.rules.engine import RULES
from tests.plan.fit.known import ask, engine, locks, the_catalog

LLAMA, QWEN, GEMMA = (
    "meta-llama/Llama-3.1-8B-Instruct",
    "Qwen/Qwen3-8B",
    "google/gemma-3-1b-it",
)
MOE_FP8, AWQ, GGUF = (
    "Qwen/Qwen3-30B-A3B-FP8",
    "Qwen/Qwen2.5-7B-Instruct-AWQ",
    "bartowski/SmolLM2-135M-Instruct-GGUF",
)


def met(question: Question, task: str = "text-generation") -> list[Obstacle]:
    return list(obstacles(question, engine(question.engine), task))


def rules(question: Question, task: str = "text-generation") -> list[str]:
    return [one.rule for one in met(question, task)]


def test_every_rule_that_an_obstacle_names_is_one_that_tells_it() -> None:
    found = {one.rule for question, task, _, _ in CASES for one in met(question, task)}
    assert found <= set(RULES)
    assert len(found) == 7


def made(model: str, gpu: str | None = "nvidia-l40s", count: int = 1, **said: Any) -> Question:
    """A question whose model is changed: keys of config are given as `config`."""
    config, facts = said.pop("config", {}), said.pop("facts", {})
    question = ask(model, gpu, count, **said)
    known = replace(question.facts, config={**question.facts.config, **config}, **facts)
    return replace(question, facts=known)


CHAT = "text-generation"
CASES: list[tuple[Question, str, str, str]] = [
    (ask(LLAMA, "nvidia-l4"), "text-to-image", "task-not-served-by-engine", "text-to-image"),
    (ask(LLAMA, "nvidia-l4", engine="tei"), CHAT, "task-not-served-by-engine", "tei"),
    (
        made(LLAMA, facts={"architecture": "MadeUpForCausalLM"}),
        CHAT,
        "architecture-unknown",
        "vllm 0.33.0 is not known to serve MadeUpForCausalLM",
    ),
    (
        made(LLAMA, facts={"architecture": "QWenLMHeadModel"}),
        CHAT,
        "architecture-unknown",
        "any more",
    ),
    (
        ask("Qwen/Qwen3-Next-80B-A3B-Instruct", "nvidia-h200", 2, version="0.10.0"),
        CHAT,
        "architecture-unknown",
        "vllm 0.10.0",
    ),
    (ask("openai/gpt-oss-20b", "nvidia-t4"), CHAT, "quantization-unsupported", "8.0"),
    (made(LLAMA, quantization="bitsandbytes"), CHAT, "quantization-unsupported", "bitsandbytes"),
    (ask(LLAMA, None), CHAT, "quantization-unsupported", "no GPU is there"),
    (ask("google/gemma-2-9b-it", "nvidia-t4"), CHAT, "quantization-unsupported", "bfloat16"),
    (made(MOE_FP8, quantization="none"), CHAT, "quantization-mismatch", "quantized as fp8"),
    (made(AWQ, quantization="gptq"), CHAT, "quantization-mismatch", "awq"),
    (made(LLAMA, quantization="awq"), CHAT, "quantization-mismatch", "not quantized"),
    (ask(QWEN, "nvidia-l4", 3), CHAT, "tensor-parallel", "32 attention heads"),
    (ask(QWEN, "nvidia-l4", 4, tensor_parallel=8), CHAT, "tensor-parallel", "4 GPUs"),
    (
        ask(QWEN, "nvidia-l4", 4, tensor_parallel=2, args={"data-parallel-size": 4}),
        CHAT,
        "tensor-parallel",
        "4 x 2 GPUs are asked for",
    ),
    (
        ask(QWEN, "nvidia-l4", 4, args={"pipeline-parallel-size": 2}),
        CHAT,
        "tensor-parallel",
        "2 x 4 GPUs are asked for",
    ),
    (
        ask(QWEN, "nvidia-l4", 4, engine="sglang", args={"dp-size": 2}),
        CHAT,
        "tensor-parallel",
        "2 x 4 GPUs are asked for",
    ),
    (ask("microsoft/phi-4", "nvidia-l4", 8), CHAT, "tensor-parallel", "10 key and value heads"),
    (ask(MOE_FP8, "nvidia-l4", 4), CHAT, "tensor-parallel", "768 among 4 GPUs leaves 192"),
    (
        made(QWEN, "nvidia-l4", 4, config={"vision_config": {"num_heads": 14}}),
        CHAT,
        "tensor-parallel",
        "14 heads of the vision tower",
    ),
    (ask(QWEN, "nvidia-l40s", max_model_len=40961), CHAT, "context-too-long", "40960"),
    (
        ask(GGUF, None, engine="llama.cpp", max_model_len=8193),
        CHAT,
        "context-too-long",
        "8192",
    ),
    (ask(GGUF, "nvidia-l4"), CHAT, "weights-format", "gguf"),
    (ask(LLAMA, "nvidia-l4", engine="llama.cpp"), CHAT, "weights-format", "safetensors"),
]


@pytest.mark.parametrize(("question", "task", "rule", "says"), CASES)
def test_an_obstacle_is_told_with_what_to_do(
    question: Question, task: str, rule: str, says: str
) -> None:
    found = {one.rule: one for one in met(question, task)}
    assert rule in found, found
    assert says in found[rule].says
    assert found[rule].hint


SOUND = [
    (ask(LLAMA, "nvidia-l4"), CHAT),
    (ask(LLAMA, "nvidia-t4"), CHAT),
    (ask(LLAMA, "nvidia-l40s", 8, max_model_len=131072), CHAT),
    (ask(LLAMA, "nvidia-a10g", quantization="fp8"), CHAT),
    (ask(GEMMA, "nvidia-l4", 4), CHAT),
    (ask("Qwen/Qwen3-Next-80B-A3B-Instruct", "nvidia-h200", 2), CHAT),
    (ask("openai/gpt-oss-20b", "nvidia-a100"), CHAT),
    (ask("deepseek-ai/DeepSeek-V3", "nvidia-h200", 8), CHAT),
    (ask("tiiuae/falcon-7b", "nvidia-l4"), CHAT),
    (ask(MOE_FP8, "nvidia-l4", 2), CHAT),
    (ask(AWQ, "nvidia-t4"), CHAT),
    (ask("nvidia/Qwen3-235B-A22B-NVFP4", "nvidia-b200", 4), CHAT),
    (ask(QWEN, "nvidia-l4", 4, tensor_parallel=2), CHAT),
    (ask(QWEN, "nvidia-l40s", max_model_len=40960), CHAT),
    (ask(GGUF, None, engine="llama.cpp", max_model_len=8192), CHAT),
    (ask("BAAI/bge-m3", None, engine="tei"), "sentence-similarity"),
    (ask("BAAI/bge-reranker-v2-m3", "nvidia-t4", engine="tei"), "text-ranking"),
    (ask("openai/whisper-large-v3", "nvidia-l4", 4), "automatic-speech-recognition"),
    (ask("Qwen/Qwen2.5-VL-7B-Instruct", "nvidia-l4", 4), "image-text-to-text"),
    (ask(LLAMA, "nvidia-l4", engine="custom"), CHAT),
]


@pytest.mark.parametrize(("question", "task"), SOUND)
def test_what_is_sound_meets_no_obstacle(question: Question, task: str) -> None:
    assert met(question, task) == []


def test_the_hint_of_a_division_is_one_that_goes() -> None:
    (found,) = met(ask(MOE_FP8, "nvidia-l4", 8))
    assert found.hint.startswith("it can be divided among 2; or ")
    assert met(ask(MOE_FP8, "nvidia-l4", 2)) == []
    assert "enable-expert-parallel: true" in found.hint
    assert met(ask(MOE_FP8, "nvidia-l4", 8, args={"enable-expert-parallel": True})) == []
    (found,) = met(ask("tiiuae/falcon-7b", "nvidia-l4", 2))
    assert found.hint == "it has to stay on one GPU"


def test_a_tower_may_stay_whole() -> None:
    tower = {"vision_config": {"num_heads": 14}}
    (found,) = met(made(QWEN, "nvidia-l4", 4, config=tower))
    assert "mm-encoder-tp-mode: data" in found.hint
    whole = {"mm-encoder-tp-mode": "data"}
    assert met(made(QWEN, "nvidia-l4", 4, config=tower, args=whole)) == []


def test_a_version_that_dropped_an_architecture_is_told_with_the_last_that_had_it() -> None:
    (found,) = met(made(LLAMA, facts={"architecture": "QWenLMHeadModel"}))
    assert found.hint == "the last version that does is 0.23.0"
    assert not met(made(LLAMA, version="0.23.0", facts={"architecture": "QWenLMHeadModel"}))


def test_an_engine_without_a_list_neither_serves_nor_refuses_an_architecture() -> None:
    assert serves(engine("toolkit"), "", "AnythingAtAll") is None


def test_a_gpu_without_bfloat16_is_asked_for_half() -> None:
    assert dtype_of(ask(LLAMA, "nvidia-t4")) == "half"
    assert dtype_of(ask(LLAMA, "nvidia-l4")) is None
    assert dtype_of(ask("bigscience/bloom-560m", "nvidia-t4")) is None


STORED = [
    ({}, "none"),
    ({"quantization_config": None}, "none"),
    ({"quantization_config": {"quant_method": "fp8"}}, "fp8"),
    ({"quantization_config": {"quant_method": "AWQ"}}, "awq"),
    ({"quantization_config": {"quant_method": "gptq_marlin"}}, "gptq"),
    (
        {"quantization_config": {"quant_method": "bitsandbytes", "load_in_4bit": True}},
        "bitsandbytes",
    ),
    ({"quantization_config": {"quant_method": "fbgemm_fp8"}}, "fp8"),
    ({"quantization_config": {"quant_method": "aqlm"}}, "aqlm"),
    ({"quantization_config": {"quant_method": "modelopt", "quant_algo": "NVFP4"}}, "nvfp4"),
    ({"quantization_config": {"quant_algo": "FP8", "producer": {"name": "modelopt"}}}, "fp8"),
    ({"quantization_config": {"quantization": {"quant_algo": "FP8"}}}, "fp8"),
    ({"hf_quant_config": {"quant_algo": "NVFP4"}}, "nvfp4"),
    ({"hf_quant_config": {"quant_algo": "W4A16_AWQ"}}, "awq"),
    ({"text_config": {"quantization_config": {"quant_method": "mxfp4"}}}, "mxfp4"),
    ({"compression_config": {"config_groups": {}, "format": "int-quantized"}}, "int8"),
    ({"quantization_config": {"quant_method": "auto-round", "bits": 4}}, "int4"),
    (
        {"quantization_config": {"quant_method": "auto-round", "packing_format": "auto_gptq"}},
        "gptq",
    ),
]


@pytest.mark.parametrize(("config", "word"), STORED)
def test_what_a_config_says_of_its_weights_becomes_a_word_of_the_language(
    config: dict[str, Any], word: str
) -> None:
    assert quantization_of(config) == word


@pytest.mark.parametrize(
    ("form", "kind", "bits", "word"),
    [
        ("float-quantized", "float", 8, "fp8"),
        ("int-quantized", "int", 8, "int8"),
        ("pack-quantized", "int", 4, "int4"),
        ("pack-quantized", "int", 8, "int8"),
        ("nvfp4-pack-quantized", "float", 4, "nvfp4"),
        ("mxfp4-pack-quantized", "float", 4, "mxfp4"),
        ("naive-quantized", "float", 8, "fp8"),
        ("dense", "", 0, "compressed-tensors"),
    ],
)
def test_compressed_tensors_are_called_by_their_numbers(
    form: str, kind: str, bits: int, word: str
) -> None:
    group = {"weights": {"type": kind, "num_bits": bits}}
    own = {"quant_method": "compressed-tensors", "format": form, "config_groups": {"0": group}}
    assert quantization_of({"quantization_config": own}) == word


def test_every_fixture_is_stored_as_its_spec_would_say() -> None:
    for known in locks().values():
        if known.model.weights != "gguf":
            assert quantization_of(known.model.config) == known.quantization, known.model.id


def test_blocks_of_8_bit_floats_are_read() -> None:
    assert block_of(locks()["deepseek-ai/DeepSeek-V3"].model.config) == (128, 128)
    assert block_of(locks()[AWQ].model.config) is None


@pytest.mark.parametrize(
    ("config", "tokens"),
    [
        ({"max_position_embeddings": 4096}, 4096),
        ({"n_positions": 1024}, 1024),
        ({"max_position_embeddings": 4096, "seq_length": 2048}, 2048),
        ({"max_position_embeddings": 4096, "model_max_length": 8192}, 8192),
        (
            {"max_position_embeddings": 4096, "rope_scaling": {"type": "linear", "factor": 4.0}},
            16384,
        ),
        ({"max_position_embeddings": 4096, "rope_scaling": {"type": "yarn", "factor": 4.0}}, 4096),
        ({"max_position_embeddings": 4096, "rope_parameters": {"rope_type": "default"}}, 4096),
        (
            {
                "max_position_embeddings": 4096,
                "model_type": "other",
                "rope_parameters": {"full": {"rope_type": "dynamic", "factor": 2}},
            },
            8192,
        ),
        ({"model_type": "xlm-roberta", "max_position_embeddings": 514}, 512),
        ({"hidden_size": 4}, None),
        ({"max_position_embeddings": True}, None),
    ],
)
def test_the_longest_request_is_what_the_engines_derive(
    config: dict[str, Any], tokens: int | None
) -> None:
    assert longest(config) == tokens


@pytest.mark.parametrize(
    ("model", "tokens"),
    [
        ("google/gemma-3-27b-it", 131072),
        ("deepseek-ai/DeepSeek-V3", 163840),
        ("microsoft/Phi-3.5-mini-instruct", 131072),
        ("openai/whisper-large-v3", 448),
        ("tiiuae/falcon-7b", None),
        (LLAMA, 131072),
        (GGUF, 8192),
    ],
)
def test_the_longest_request_of_real_models(model: str, tokens: int | None) -> None:
    assert longest(locks()[model].model.config) == tokens


KEYS = (
    *("model_type", "num_attention_heads", "num_key_value_heads", "hidden_size", "head_dim"),
    *("num_hidden_layers", "intermediate_size", "moe_intermediate_size", "max_position_embeddings"),
    *("rope_scaling", "rope_parameters", "quantization_config", "hf_quant_config", "text_config"),
    *("compression_config", "weight_block_size", "quant_method", "quant_algo", "config_groups"),
    *("weights", "num_bits", "type", "factor", "rope_type", "vision_config", "torch_dtype", "gguf"),
    *("general.architecture", "layer_types", "sliding_window", "kv_lora_rank", "format"),
)
WORDS = st.sampled_from(
    ["fp8", "awq", "modelopt", "compressed-tensors", "linear", "llama", "", "é"]
)
NUMBERS = st.one_of(
    st.integers(-(10**20), 10**20), st.floats(), st.booleans(), st.none(), st.integers(0, 300)
)
CONFIGS = st.dictionaries(
    st.sampled_from(KEYS),
    st.recursive(
        st.one_of(NUMBERS, WORDS),
        lambda inner: st.one_of(
            st.lists(inner, max_size=4), st.dictionaries(st.sampled_from(KEYS), inner, max_size=5)
        ),
        max_leaves=12,
    ),
    max_size=12,
)


@settings(max_examples=100)
@given(
    config=CONFIGS,
    name=st.sampled_from([*list(engine("vllm").architectures)[:60], "llama", "Nonsense", None]),
    served=st.sampled_from(sorted(the_catalog().engines)),
    count=st.integers(1, 16),
    length=st.one_of(st.none(), st.integers(1, 10**9)),
)
def test_no_config_makes_it_fall_over(
    config: dict[str, Any], name: str | None, served: str, count: int, length: int | None
) -> None:
    facts = ModelFacts(
        id="a/b",
        revision="0" * 40,
        files=(),
        architecture=name,
        config=config,
        asked_of="nobody",
        asked_on="2026-11-24",
    )
    question = replace(
        ask(LLAMA, "nvidia-l4", count, engine=served), facts=facts, max_model_len=length
    )
    for task in ("text-generation", "feature-extraction"):
        for found in obstacles(question, engine(served), task):
            assert found.says
            assert found.hint
            assert len(found.says) < 300


def test_between_two_versions_that_were_read_nobody_knows() -> None:
    """gpt-oss is in the registry of 0.12.0 and not in that of 0.10.0."""
    vllm = engine("vllm")
    found = [
        serves(vllm, version, "GptOssForCausalLM")
        for version in ("0.10.0", "0.11.0", "0.12.0", "0.33.0", "0.9.0")
    ]
    assert found == [False, None, True, True, False]


def test_after_an_architecture_was_dropped_it_is_refused_where_that_was_read() -> None:
    vllm = engine("vllm")
    assert vllm.architectures["ArcticForCausalLM"] == "0.10.0..0.28.0"
    assert serves(vllm, "0.28.0", "ArcticForCausalLM")
    assert serves(vllm, "0.29.0", "ArcticForCausalLM") is False


def test_copies_that_share_the_gpus_are_fine() -> None:
    split = {"tensor_parallel": 2, "args": {"data-parallel-size": 2}}
    assert rules(ask(QWEN, "nvidia-l4", 4, **split)) == []
    inside = {"dp-size": 4, "enable-dp-attention": True}
    assert rules(ask(QWEN, "nvidia-l4", 4, engine="sglang", args=inside)) == []
