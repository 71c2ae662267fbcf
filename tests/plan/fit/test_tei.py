"""Text Embeddings Inference: weights and one batch; on old GPUs whole attention matrices too."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from moorage.plan.fit import tei
from moorage.plan.fit.types import Fit
from tests.plan.fit.known import ask, engine

MINI, RERANKER, DECODER, PICKLE = (
    "sentence-transformers/all-MiniLM-L6-v2",
    "BAAI/bge-reranker-v2-m3",
    "Qwen/Qwen3-Embedding-0.6B",
    "BAAI/bge-m3",
)
GIB = 1 << 30


def fit(model: str, gpu: str | None, **said: Any) -> Fit:
    return tei.fit(ask(model, gpu, engine="tei", **said), None)


@pytest.mark.parametrize(("model", "gpu"), [(MINI, "nvidia-t4"), (RERANKER, "nvidia-l4")])
def test_a_usual_encoder_fits(model: str, gpu: str) -> None:
    found = fit(model, gpu)
    assert found.verdict == "fits"
    assert found.confidence == "rough"
    assert found.flags == {"dtype": "float16", "max-batch-tokens": 16384}
    assert set(found.flags) <= set(engine("tei").flags)


def test_weights_are_loaded_in_16_bits_on_a_gpu_and_in_32_without() -> None:
    half, whole = fit(RERANKER, "nvidia-l4"), fit(RERANKER, None, host_gib=32)
    assert half.parts["weights"].low == pytest.approx(567_755_777 * 2 / GIB)
    assert whole.parts["weights"].low == pytest.approx(567_755_777 * 4 / GIB)
    assert whole.flags["dtype"] == "float32"


def test_a_gpu_without_flash_attention_is_not_promised_what_a_new_one_is() -> None:
    old, new = fit(RERANKER, "nvidia-t4"), fit(RERANKER, "nvidia-l4")
    assert old.parts["activations"].high > 5 * new.parts["activations"].high
    assert old.verdict == "tight"
    assert any("max_num_batched_tokens" in way for way in old.changes)


def test_a_smaller_batch_takes_less() -> None:
    small = fit(RERANKER, "nvidia-l4", max_num_batched_tokens=8192)
    assert small.flags["max-batch-tokens"] == 8192
    assert small.parts["activations"].high < fit(RERANKER, "nvidia-l4").parts["activations"].high


def test_a_batch_holds_at_least_one_longest_input() -> None:
    assert fit(DECODER, "nvidia-l4").flags["max-batch-tokens"] == 32768


def test_it_keeps_no_tokens_between_requests() -> None:
    found = fit(MINI, "nvidia-l4")
    assert found.kv_bytes_per_token == 0
    assert found.concurrency_full == 16384 / 512


def test_a_pickle_is_judged_by_its_file_in_a_wider_interval() -> None:
    found = fit(PICKLE, "nvidia-l4")
    assert found.verdict == "fits"
    assert found.parts["weights"].low == pytest.approx(found.parts["weights"].high / 2)


def test_what_is_not_known_never_fits() -> None:
    question = ask(MINI, "nvidia-l4", engine="tei")
    nameless = replace(question, facts=replace(question.facts, config={}))
    pickle = ask(PICKLE, "nvidia-l4", engine="tei")
    fileless = replace(pickle, facts=replace(pickle.facts, files=()))
    for unknown in (
        fileless,
        ask(MINI, None, engine="tei"),
        nameless,
    ):
        assert tei.fit(unknown, None).verdict == "unknown"


def test_what_is_too_large_does_not_fit() -> None:
    found = fit("Qwen/Qwen3-32B", "nvidia-l4")
    assert found.verdict == "does-not-fit"
    assert "weights" in found.because
    assert found.changes


def test_a_batch_below_what_the_model_takes_cuts_inputs_off() -> None:
    """Told not to, as it was by itself before 1.9, the server does not start."""
    found = fit(DECODER, "nvidia-l4", max_model_len=8192)
    assert found.flags["max-batch-tokens"] == 16384
    assert found.flags["auto-truncate"] is True
    assert "auto-truncate" not in fit(MINI, "nvidia-l4").flags


def test_it_takes_what_the_model_takes_whatever_the_spec_says() -> None:
    short, usual = fit(PICKLE, "nvidia-t4", max_model_len=512), fit(PICKLE, "nvidia-t4")
    assert short.parts["activations"] == usual.parts["activations"]


def test_what_is_proposed_has_been_tried() -> None:
    found = fit(DECODER, "nvidia-t4")
    assert found.verdict == "tight"
    assert found.changes[0] == (
        "serving.max_num_batched_tokens: 8192 with model.max_model_len: 8192"
    )
    assert fit(DECODER, "nvidia-t4", max_num_batched_tokens=8192, max_model_len=8192).verdict == (
        "fits"
    )
