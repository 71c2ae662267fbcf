"""vLLM's memory proof: every verdict, its flags, its changes, and that nothing makes it guess."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from moorage.plan.fit import prove
from moorage.plan.fit.calibration import Calibration
from moorage.plan.fit.changes import changes
from moorage.plan.fit.types import Fit, Question
from moorage.spec.types import Load
from tests.plan.fit.known import ask, locks, the_catalog

QWEN = "Qwen/Qwen3-8B"
ORDER = ("does-not-fit", "tight", "fits")
KNOWN = the_catalog().calibration or Calibration()


def judged(question: Question) -> Fit:
    return prove.fit(question, KNOWN)


def on(model: str, gpu: str, count: int = 1, **said: Any) -> Fit:
    return judged(ask(model, gpu, count, **said))


def rank(found: Fit) -> int:
    return ORDER.index(found.verdict)


def test_a_model_with_room_fits_and_says_so_with_numbers() -> None:
    found = on(QWEN, "nvidia-l40s", max_model_len=16384)
    assert found.verdict == "fits"
    assert found.because.startswith("needs 2")
    assert "GiB at 16384 tokens, nvidia-l40s x1 offers 44.5" in found.because
    assert found.kv_bytes_per_token == 36 * 2 * 8 * 128 * 2
    assert found.longest_len == 40960
    assert found.concurrency_full == pytest.approx(found.kv_tokens / 16384, rel=0.01)
    assert found.concurrency_load > found.concurrency_full
    assert not found.changes


def test_every_flag_that_memory_depends_on_is_said() -> None:
    found = on(QWEN, "nvidia-l40s", max_model_len=16384)
    assert found.flags == {
        "max-model-len": 16384,
        "max-num-seqs": 256,
        "max-num-batched-tokens": 2048,
        "gpu-memory-utilization": 0.92,
        "tensor-parallel-size": 1,
    }


def test_what_a_spec_says_is_kept() -> None:
    said: dict[str, Any] = {
        "max_num_seqs": 7,
        "max_num_batched_tokens": 4096,
        "gpu_memory_utilization": 0.8,
    }
    flags = on(QWEN, "nvidia-l40s", max_model_len=4096, kv_cache_dtype="fp8", **said).flags
    assert flags["max-num-seqs"] == 7
    assert flags["max-num-batched-tokens"] == 4096
    assert flags["gpu-memory-utilization"] == 0.8
    assert flags["kv-cache-dtype"] == "fp8"


def test_an_old_gpu_computes_in_half() -> None:
    assert on("Qwen/Qwen3-0.6B", "nvidia-t4", max_model_len=4096).flags["dtype"] == "half"


def test_full_precision_made_small_while_loading_says_so() -> None:
    small = on(QWEN, "nvidia-l4", max_model_len=16384, quantization="fp8")
    assert small.flags["quantization"] == "fp8"
    assert small.parts["weights"].high < on(QWEN, "nvidia-l4").parts["weights"].high * 0.6


def test_weights_already_small_need_no_flag() -> None:
    found = on("RedHatAI/Llama-3.3-70B-Instruct-FP8-dynamic", "nvidia-h200", quantization="fp8")
    assert "quantization" not in found.flags


def test_where_memory_is_short_fewer_requests_are_served_at_a_time() -> None:
    large = on(QWEN, "nvidia-l40s", max_model_len=16384).flags["max-num-seqs"]
    small = on(QWEN, "nvidia-l4", max_model_len=16384)
    assert small.verdict == "fits"
    assert small.flags["max-num-seqs"] < large


def test_what_may_fit_and_may_not_is_tight() -> None:
    found = on("Qwen/Qwen3-32B", "nvidia-l4", 4)
    assert found.verdict == "tight"
    assert found.kv_gib.low < found.kv_gib.high
    assert "on each GPU" in found.because


def test_what_cannot_fit_does_not_and_says_which_part_is_too_large() -> None:
    found = on("Qwen/Qwen3-32B", "nvidia-l4")
    assert found.verdict == "does-not-fit"
    assert "the weights alone take 61.0" in found.because
    assert found.kv_tokens == found.longest_len == 0


def test_every_change_that_is_said_has_been_tried() -> None:
    question = ask("Qwen/Qwen3-32B", "nvidia-l4", 4)
    found = judged(question).changes
    assert found[0].startswith("model.max_model_len: ")
    length = int(found[0].rpartition(" ")[2])
    assert judged(replace(question, max_model_len=length)).verdict == "fits"
    assert "model.quantization: fp8" in found
    assert judged(replace(question, quantization="fp8")).verdict == "fits"
    assert "count: 8" in found
    assert judged(replace(question, count=8)).verdict == "fits"


def test_the_smallest_gpus_that_are_large_enough_are_named() -> None:
    gpus = tuple(the_catalog().gpus.values())
    found = changes(ask(QWEN, "nvidia-t4", max_model_len=16384), KNOWN, gpus)
    named = [words.removeprefix("gpu: ") for words in found if words.startswith("gpu: ")]
    assert len(named) == 2
    for name in named:
        assert on(QWEN, name, max_model_len=16384).verdict == "fits"


def test_too_many_requests_at_a_time_is_the_first_thing_to_change() -> None:
    found = on(QWEN, "nvidia-l4", max_model_len=8192, max_num_seqs=2048)
    assert found.verdict != "fits"
    assert any(words.startswith("serving.max_num_seqs: ") for words in found.changes)


def test_a_share_that_the_spec_keeps_small_is_what_to_change() -> None:
    found = on(QWEN, "nvidia-l40s", gpu_memory_utilization=0.3)
    assert found.verdict == "does-not-fit"
    assert found.changes[0] == "leaving serving.gpu_memory_utilization out"


def test_heads_bind_how_far_a_model_can_be_divided() -> None:
    assert on(QWEN, "nvidia-l40s", 3).flags["tensor-parallel-size"] == 2
    found = on(QWEN, "nvidia-l40s", 3, tensor_parallel=3)
    assert found.verdict == "does-not-fit"
    assert "cannot be divided among 3 GPUs" in found.because
    assert "there are 2" in on(QWEN, "nvidia-l40s", 2, tensor_parallel=4).because


def test_an_embedding_model_fits_without_a_cache() -> None:
    found = on("sentence-transformers/all-MiniLM-L6-v2", "nvidia-t4")
    assert found.verdict == "fits"
    assert found.kv_bytes_per_token == 0
    assert found.longest_len == 512


def test_adapters_get_their_places() -> None:
    found = on(QWEN, "nvidia-l40s", max_model_len=8192, adapters=(8, 24))
    assert found.parts["adapters"].low > 0
    assert found.flags["max-loras"] == 2
    assert found.flags["max-lora-rank"] == 32


@pytest.mark.parametrize(
    ("said", "because"),
    [
        ({"facts": {"architecture": "SurpriseForCausalLM"}}, "what a SurpriseForCausalLM keeps"),
        ({"facts": {"architecture": "S", "remote_code": True}}, "code of its repository"),
        ({"facts": {"architecture": None}}, "its architecture is not known"),
        ({"facts": {"tensors": (), "architecture": "OPTForCausalLM"}}, "nobody has read"),
        ({"facts": {"config": {}}}, "does not say"),
        ({"kv_cache_dtype": "turboquant_4bit_nc"}, "kept as turboquant_4bit_nc"),
        ({"kv_cache_dtype": "fp8_ds_mla"}, "kept as fp8_ds_mla"),
        ({"quantization": "gguf:Q4_K_M"}, "what vLLM makes of gguf:Q4_K_M"),
        ({"adapters": (None,)}, "rank of an adapter"),
        ({"gpu": None}, "GPUs only"),
        ({"version": "100.0"}, "nothing is known of what vLLM 100.0 needs"),
    ],
)
def test_what_is_not_known_never_fits(said: dict[str, Any], because: str) -> None:
    question = ask(QWEN, "nvidia-h200")
    facts = replace(question.facts, **said.pop("facts", {}))
    found = judged(replace(question, facts=facts, **said))
    assert found.verdict == "unknown"
    assert because in found.because


def test_without_any_calibration_nothing_fits() -> None:
    assert prove.fit(ask(QWEN, "nvidia-h200"), None).verdict == "unknown"


def test_an_engine_without_a_model_of_its_memory_is_unknown() -> None:
    found = judged(replace(ask(QWEN, "nvidia-h200"), engine="tgi"))
    assert found.verdict == "unknown"
    assert "tgi" in found.because


def test_without_its_tensors_a_plain_model_is_judged_roughly() -> None:
    question = ask(QWEN, "nvidia-l40s", max_model_len=16384)
    found = judged(replace(question, facts=replace(question.facts, tensors=())))
    assert found.verdict == "fits"
    assert found.confidence == "rough"
    known = judged(question).parts["weights"]
    assert found.parts["weights"].low < known.low <= known.high < found.parts["weights"].high


GENERATIVE = sorted(name for name in locks() if on(name, "nvidia-b300", 8).verdict == "fits")


def test_most_real_models_are_understood() -> None:
    assert len(GENERATIVE) >= 25


@given(
    st.sampled_from(GENERATIVE),
    st.floats(1, 300),
    st.floats(1, 300),
    st.sampled_from([1, 2, 4, 8]),
    st.sampled_from([None, 32, 256]),
)
def test_more_memory_never_makes_it_worse(
    model: str, one: float, other: float, count: int, seqs: int | None
) -> None:
    question = ask(model, "nvidia-h100", count, max_model_len=2048, max_num_seqs=seqs)
    assert question.gpu is not None
    small, large = (
        judged(replace(question, gpu=replace(question.gpu, usable_gib=size)))
        for size in sorted((one, other))
    )
    assert rank(small) <= rank(large)


@given(st.sampled_from(GENERATIVE), st.integers(1, 300_000), st.integers(1, 300_000))
def test_a_longer_context_never_makes_it_better(model: str, one: int, other: int) -> None:
    short, long = (
        on(model, "nvidia-l40s", 2, max_model_len=length) for length in sorted((one, other))
    )
    assert rank(long) <= rank(short)


@given(st.sampled_from(GENERATIVE), st.sampled_from([1, 2, 4, 8]), st.integers(1, 100_000))
def test_what_is_sure_is_never_more_than_what_is_possible(
    model: str, count: int, length: int
) -> None:
    found = on(model, "nvidia-a100", count, max_model_len=length)
    assert found.kv_gib.low <= found.kv_gib.high
    assert all(part.low <= part.high for part in found.parts.values())
    if found.verdict == "fits" and found.kv_bytes_per_token:
        assert found.longest_len >= length
        assert found.concurrency_full >= 1


STRANGE = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**30), 10**30),
    st.floats(),
    st.text(max_size=5),
    st.lists(st.integers(-3, 3), max_size=3),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)
VERDICTS = (*ORDER, "unknown")


@given(st.data(), st.sampled_from(sorted(locks())))
def test_a_hostile_config_is_never_a_crash(data: st.DataObject, model: str) -> None:
    question = ask(model, "nvidia-l40s", 2)
    config = dict(question.facts.config)
    keys = st.sampled_from(sorted(config)) if config else st.text(max_size=5)
    config |= data.draw(st.dictionaries(keys, STRANGE, max_size=4))
    inner = config.get("text_config")
    if isinstance(inner, dict) and inner:
        names = st.sampled_from(sorted(inner))
        config["text_config"] = {**inner, **data.draw(st.dictionaries(names, STRANGE, max_size=3))}
    found = judged(replace(question, facts=replace(question.facts, config=config)))
    assert found.verdict in VERDICTS


@given(
    length=st.none() | st.integers(-5, 10**12),
    seqs=st.none() | st.integers(-5, 10**9),
    batch=st.none() | st.integers(-5, 10**9),
    share=st.none() | st.floats(-1, 2, allow_nan=False),
    ranks=st.none() | st.integers(-2, 100),
    count=st.integers(0, 100),
    tokens=st.integers(0, 10**9),
)
def test_hostile_numbers_of_a_spec_are_never_a_crash(
    length: int | None,
    seqs: int | None,
    batch: int | None,
    share: float | None,
    ranks: int | None,
    count: int,
    tokens: int,
) -> None:
    question = replace(
        ask("openai/gpt-oss-20b", "nvidia-l40s", 1),
        max_model_len=length,
        max_num_seqs=seqs,
        max_num_batched_tokens=batch,
        gpu_memory_utilization=share,
        tensor_parallel=ranks,
        count=count,
        load=Load(rps=1.0, input_tokens=tokens, output_tokens=tokens),
    )
    assert judged(question).verdict in VERDICTS


@given(st.data())
def test_hostile_tensors_are_never_a_crash(data: st.DataObject) -> None:
    question = ask("openai/gpt-oss-20b", "nvidia-l40s", 2)
    tensors = list(question.facts.tensors)
    index = data.draw(st.integers(0, len(tensors) - 1))
    shape = tuple(data.draw(st.lists(st.integers(0, 10**9), max_size=5)))
    count = data.draw(st.integers(0, 10**6))
    tensors[index] = replace(tensors[index], shape=shape, count=count)
    found = judged(replace(question, facts=replace(question.facts, tensors=tuple(tensors))))
    assert found.verdict in VERDICTS


def test_a_utilization_of_nothing_divides_by_nothing() -> None:
    assert on(QWEN, "nvidia-l4", gpu_memory_utilization=0.0).verdict == "does-not-fit"


def test_the_same_question_has_the_same_answer() -> None:
    assert on(QWEN, "nvidia-l4") == on(QWEN, "nvidia-l4")
