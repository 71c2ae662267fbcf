"""What facts keep of a config.json: what decides memory, short, and fit for a lock."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moorage.plan.facts import CONFIG_KEYS, Lock, ModelFacts
from moorage.plan.locks import lock
from moorage.plan.locks.config_facts import config_facts


def test_what_decides_memory_is_kept_also_within_parts() -> None:
    config = {
        "model_type": "acme",
        "torch_dtype": "bfloat16",
        "text_config": {"num_hidden_layers": 3, "initializer_range": 0.02, "head_dim": None},
        "rope_scaling": {"rope_type": "yarn", "factor": 4.0},
        "transformers_version": "9",
        "eos_token_id": [1, 2],
    }
    assert config_facts(config) == {
        "model_type": "acme",
        "rope_scaling": {"factor": 4.0, "rope_type": "yarn"},
        "text_config": {"num_hidden_layers": 3},
        "torch_dtype": "bfloat16",
    }


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (None, {}),
        (7, {"head_dim": 7}),
        (Decimal("1.5"), {"head_dim": 1.5}),
        (float("inf"), {}),
        (float("nan"), {}),
        (1 << 64, {}),
        ("x" * 10_000, {}),
        ("\ud800", {}),
        (list(range(100_000)), {}),
        ([1, float("inf")], {"head_dim": [1]}),
        ({"a": {"b": "x" * 10_000, "c": 1}}, {"head_dim": {"a": {"c": 1}}}),
        ({"\ud800": 1, "ok": 2}, {"head_dim": {"ok": 2}}),
    ],
)
def test_what_is_too_long_or_no_value_is_left_out(value: object, kept: dict[str, Any]) -> None:
    assert config_facts({"head_dim": value}) == kept


def test_a_list_of_what_is_not_quantised_does_not_hide_how_the_rest_is() -> None:
    config = {"quant_method": "fp8", "ignore": [f"layers.{n}.mlp" for n in range(2000)]}
    assert config_facts({"quantization_config": config}) == {
        "quantization_config": {"quant_method": "fp8"}
    }


def test_what_each_layer_is_quantised_to_does_not_hide_the_method() -> None:
    layers = {f"layers.{n}.mlp": {"quant_algo": "FP8", "group_size": 128} for n in range(1000)}
    config = {"quant_algo": "MIXED_PRECISION", "quantized_layers": layers}
    assert config_facts({"hf_quant_config": config}) == {
        "hf_quant_config": {"quant_algo": "MIXED_PRECISION"}
    }


def test_all_together_has_a_limit() -> None:
    config = {key: ["x" * 100] * 100 for key in CONFIG_KEYS}
    assert len(json.dumps(config_facts(config))) < 70_000


def test_a_part_without_a_bottom_is_cut_off() -> None:
    deep: dict[str, Any] = {"head_dim": 1}
    for _ in range(500):
        deep = {"text_config": deep, "rope_scaling": deep if len(str(deep)) < 500 else 1}
    assert len(json.dumps(config_facts(deep))) < 70_000


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda below: st.lists(below) | st.dictionaries(st.text(), below),
    max_leaves=15,
)


@given(st.dictionaries(st.sampled_from(sorted(CONFIG_KEYS)), VALUES, max_size=6))
def test_whatever_a_configuration_says_can_be_locked(config: dict[str, Any]) -> None:
    facts = ModelFacts(
        id="acme/m",
        revision="a" * 40,
        files=(),
        config=config_facts(config),
        asked_of="h",
        asked_on="2026-01-01",
    )
    new = Lock(model=facts, quantization="none")
    text = lock.render(new)
    assert lock.read(text.encode().decode(), "l") == new
