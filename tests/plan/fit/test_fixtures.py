"""The facts of real models are locks like any other, and add up to what their authors publish."""

from __future__ import annotations

import re
from math import prod
from pathlib import Path

import pytest
from msgspec.structs import fields

from moorage.plan.catalogue.offers import Engine, Gpu
from moorage.plan.facts import Lock, ModelFacts, Tensors
from moorage.plan.fit.obstacles import serves
from moorage.plan.locks import lock
from moorage.plan.locks.config_facts import config_facts
from moorage.spec.language import METHODS
from moorage.spec.tasks import TASKS
from tests.plan.fit.known import engine, locks, paths, the_catalog

PUBLISHED = {  # parameters, as the Hub shows them for the safetensors of a repository
    "BAAI/bge-reranker-v2-m3": 567_755_777,
    "HuggingFaceTB/SmolLM2-135M-Instruct": 134_515_008,
    "Qwen/Qwen2.5-0.5B-Instruct": 494_032_768,
    "Qwen/Qwen2.5-7B-Instruct": 7_615_616_512,
    "Qwen/Qwen2.5-VL-7B-Instruct": 8_292_166_656,
    "Qwen/Qwen3-0.6B": 751_632_384,
    "Qwen/Qwen3-30B-A3B": 30_532_122_624,
    "Qwen/Qwen3-30B-A3B-FP8": 30_533_947_392,
    "Qwen/Qwen3-32B": 32_762_123_264,
    "Qwen/Qwen3-8B": 8_190_735_360,
    "Qwen/Qwen3-Embedding-0.6B": 595_776_512,
    "Qwen/Qwen3-Next-80B-A3B-Instruct": 81_324_862_720,
    "RedHatAI/Llama-3.3-70B-Instruct-FP8-dynamic": 70_560_423_936,
    "TinyLlama/TinyLlama-1.1B-Chat-v1.0": 1_100_048_384,
    "bigscience/bloom-560m": 559_214_592,
    "deepseek-ai/DeepSeek-V2-Lite-Chat": 15_706_484_224,
    "deepseek-ai/DeepSeek-V3": 684_531_386_000,
    "google/gemma-2-9b-it": 9_241_705_984,
    "google/gemma-3-1b-it": 999_885_952,
    "google/gemma-3-27b-it": 27_432_406_640,
    "meta-llama/Llama-3.1-8B-Instruct": 8_030_261_248,
    "meta-llama/Llama-4-Scout-17B-16E-Instruct": 108_641_793_536,
    "microsoft/Phi-3.5-mini-instruct": 3_821_079_552,
    "microsoft/phi-4": 14_659_507_200,
    "mistralai/Mistral-Small-3.2-24B-Instruct-2506": 24_011_361_280,
    "mistralai/Mixtral-8x7B-v0.1": 46_702_792_704,
    "nvidia/Llama-3_3-Nemotron-Super-49B-v1": 49_867_145_216,
    "nvidia/NVIDIA-Nemotron-3-Nano-30B-A3B-BF16": 31_577_940_288,
    "openai-community/gpt2": 137_022_720,
    "openai/whisper-large-v3": 1_543_490_560,
    "sentence-transformers/all-MiniLM-L6-v2": 22_713_728,
    "tiiuae/falcon-7b": 7_217_189_760,
}
PUBLISHED_BYTES = {  # as the index of the repository's files says it
    "openai/gpt-oss-20b": 13_761_264_768,
    "openai/gpt-oss-120b": 65_248_815_744,
}
ELEMENT_BYTES = {"F32": 4, "BF16": 2, "F16": 2, "I32": 4, "I64": 8, "F8_E4M3": 1, "U8": 1}
BLOCKS = {"Q4_K": (256, 144), "Q5_0": (32, 22), "Q6_K": (256, 210), "Q8_0": (32, 34)}


@pytest.mark.parametrize("path", paths(), ids=lambda path: path.stem)
def test_a_fixture_is_a_lock_as_we_would_write_it(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    read = lock.read(text, path.name)
    assert isinstance(read, Lock), read
    assert lock.render(read) == text
    assert path.name == read.model.id.replace("/", "--").lower() + ".lock.json"


@pytest.mark.parametrize("model", PUBLISHED)
def test_the_tensors_add_up_to_the_published_parameters(model: str) -> None:
    assert _parameters(locks()[model].model) == PUBLISHED[model]


@pytest.mark.parametrize("model", PUBLISHED_BYTES)
def test_the_tensors_add_up_to_the_published_bytes(model: str) -> None:
    assert sum(one.bytes_all for one in locks()[model].model.tensors) == PUBLISHED_BYTES[model]


def test_a_gguf_file_is_its_tensors_and_a_header_that_holds_its_vocabulary() -> None:
    found = [one.model for one in locks().values() if one.model.weights == "gguf"]
    assert len(found) >= 2
    for model in found:
        (file,) = model.files
        header = file.size_bytes - sum(one.bytes_all for one in model.tensors)
        assert 5 < header / model.config["gguf"]["vocab_size"] < 60  # a word with its merge


def test_every_tensor_has_the_bytes_of_its_type_and_shape() -> None:
    for model in (one.model for one in locks().values()):
        for tensor in model.tensors:
            assert tensor.bytes_each == _bytes(tensor), f"{model.id} {tensor}"
            assert not re.search(r"\.\d+(\.|$)", tensor.name), f"{model.id} {tensor.name}"


def test_the_configs_hold_only_what_a_lock_keeps() -> None:
    for model in (one.model for one in locks().values()):
        if "gguf" not in model.config:
            assert config_facts(model.config) == model.config, model.id


def test_the_models_are_of_many_kinds() -> None:
    models = [one.model for one in locks().values()]
    assert len(models) >= 40
    assert len({model.architecture for model in models}) >= 25
    assert {model.weights for model in models} == {"safetensors", "pickle", "gguf"}
    assert {one.quantization.partition(":")[0] for one in locks().values()} >= {
        "none",
        "fp8",
        "awq",
        "gptq",
        "mxfp4",
        "nvfp4",
        "gguf",
    }
    assert any(model.remote_code for model in models)
    assert any(model.gated for model in models)


def test_nobody_takes_a_fixture_for_an_answer_of_the_hub() -> None:
    for model in (one.model for one in locks().values()):
        assert model.asked_of.startswith("nobody: ")
        assert model.asked_of.endswith(("; commit real", "; commit synthetic: sha1 of the id"))


@pytest.mark.parametrize("name", the_catalog().gpus)
def test_a_gpu_has_less_memory_than_its_box_says_and_a_source(name: str) -> None:
    gpu: Gpu = the_catalog().gpus[name]
    assert 0.89 * float(gpu.nominal_gb) < gpu.usable_gib < float(gpu.nominal_gb)
    assert 7.5 <= gpu.capability < 13
    assert 250 < gpu.memory_gbps < 10_000
    assert (gpu.fp8_tflops is not None) == (gpu.capability >= 8.9)
    assert gpu.fp8_tflops is None or 1.9 <= gpu.fp8_tflops / gpu.bf16_tflops <= 2.1
    assert re.fullmatch(r"\d{4}-\d{2}-\d{2}", gpu.date)
    assert gpu.source
    assert gpu.confidence in ("measured", "published", "remembered")


@pytest.mark.parametrize("name", the_catalog().engines)
def test_an_engine_speaks_the_words_of_the_language(name: str) -> None:
    known: Engine = engine(name)
    assert set(known.tasks) <= set(TASKS)
    assert set(known.quantization) <= {*METHODS, "gguf"}
    assert set(known.weights) <= {"safetensors", "gguf", "pickle", "other"}
    assert known.fit in ("vllm", "sglang", "tei", "llama.cpp", "none")
    assert all(not flag.startswith("-") and flag == flag.strip() for flag in known.flags)
    assert len(set(known.flags)) == len(known.flags)
    assert list(known.versions) == sorted(known.versions, key=_numbers, reverse=True)
    assert all(getattr(known, field.name) is not None for field in fields(known) if _is_said(field))


def test_vllm_knows_what_its_registry_lists_and_from_when_to_when() -> None:
    vllm = engine("vllm")
    assert len(vllm.architectures) > 350
    assert serves(vllm, "0.33.0", "LlamaForCausalLM")
    assert serves(vllm, "0.10.0", "LlamaForCausalLM")
    assert serves(vllm, "0.33.0", "QWenLMHeadModel") is False
    assert serves(vllm, "0.23.0", "QWenLMHeadModel") is True
    assert serves(vllm, "0.10.0", "Qwen3NextForCausalLM") is False
    drafts = ("MTP", "DraftModel", "Eagle3", "MTPModel")
    assert not [name for name in vllm.architectures if name.endswith(drafts)]
    assert {"max-model-len", "gpu-memory-utilization", "enable-prefix-caching"} <= set(vllm.flags)


def test_the_engines_serve_the_fixtures_that_are_made_for_them() -> None:
    for known in locks().values():
        model = known.model
        assert model.architecture is not None
        name = "llama.cpp" if model.weights == "gguf" else "vllm"
        assert serves(engine(name), "", model.architecture), model.id


def _parameters(model: ModelFacts) -> int:
    return sum(prod(one.shape) * one.count for one in model.tensors)


def _bytes(tensor: Tensors) -> int:
    elements = prod(tensor.shape)
    if tensor.dtype in BLOCKS:
        weights, size = BLOCKS[tensor.dtype]
        return elements // weights * size
    return elements * ELEMENT_BYTES[tensor.dtype]


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", version)))


def _is_said(field: object) -> bool:
    return getattr(field, "name", "") not in ("image", "cpu_image")
