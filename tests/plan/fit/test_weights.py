"""Weights are counted tensor by tensor, as an engine lays them out on its ranks."""

from __future__ import annotations

import pytest

from moorage.plan.facts import Tensors
from moorage.plan.fit import tensors as kinds
from moorage.plan.fit.derived import derive
from moorage.plan.fit.tensors import kind_of
from moorage.plan.fit.weights import Sharing, adapters_bytes, lora_rank, weigh
from tests.plan.fit.known import locks

ONE = Sharing(ranks=1, heads=32, kv_heads=8)


def of(name: str, *shape: int, dtype: str = "BF16", count: int = 1) -> Tensors:
    width = {"BF16": 2, "F32": 4, "U8": 1, "F8_E4M3": 1}[dtype]
    size = width
    for one in shape:
        size *= one
    return Tensors(name=name, dtype=dtype, shape=shape, count=count, bytes_each=size)


def on(ranks: int, *tensors: Tensors) -> float:
    return weigh(tensors, Sharing(ranks=ranks, heads=32, kv_heads=8)).high


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("model.embed_tokens.weight", kinds.EMBED),
        ("lm_head.weight", kinds.HEAD),
        ("model.layers.*.self_attn.k_proj.weight", kinds.KEYS),
        ("transformer.h.*.self_attention.query_key_value.weight", kinds.FUSED),
        ("model.layers.*.mlp.down_proj.weight", kinds.ROW),
        ("model.layers.*.mlp.gate_proj.weight", kinds.LINEAR),
        ("model.layers.*.mlp.gate.weight", kinds.WHOLE),
        ("model.layers.*.block_sparse_moe.experts.*.w2.weight", kinds.EXPERTS),
        ("model.layers.*.input_layernorm.weight", kinds.WHOLE),
        ("model.layers.*.self_attn.kv_a_proj_with_mqa.weight", kinds.WHOLE),
        ("model.layers.*.self_attn.kv_b_proj.weight", kinds.LATENT_UP),
        ("visual.blocks.*.mlp.fc1.weight", kinds.TOWER),
        ("mtp.layers.*.mlp.up_proj.weight", kinds.SKIPPED),
        ("model.layers.*.embed_tokens.weight", kinds.SKIPPED),
        ("h.*.attn.bias", kinds.SKIPPED),
        ("h.*.attn.c_attn.bias", kinds.FUSED),
    ],
)
def test_a_tensor_is_known_by_its_name(name: str, kind: str) -> None:
    assert kind_of(name) == kind


def test_linear_layers_are_shared_and_norms_are_not() -> None:
    linear = of("model.layers.*.mlp.up_proj.weight", 1024, 512)
    norm = of("model.layers.*.input_layernorm.weight", 512)
    assert on(4, linear) == linear.bytes_all / 4
    assert on(4, norm) == norm.bytes_all


def test_keys_are_repeated_where_ranks_outnumber_their_heads() -> None:
    keys = of("model.layers.*.self_attn.k_proj.weight", 1024, 4096)
    assert on(8, keys) == on(16, keys) == keys.bytes_all / 8


def test_the_vocabulary_is_padded_to_a_multiple_of_64() -> None:
    assert on(1, of("model.embed_tokens.weight", 100, 8)) == 128 * 8 * 2


def test_a_tied_head_counts_once_though_the_file_holds_it_twice() -> None:
    both = (of("model.embed_tokens.weight", 64, 8), of("lm_head.weight", 64, 8))
    assert weigh(both, Sharing(ranks=1, heads=1, kv_heads=1, tied=True)).high == 64 * 8 * 2
    assert weigh(both, ONE).high == 2 * 64 * 8 * 2


def test_full_precision_is_served_in_half() -> None:
    assert on(1, of("model.layers.*.mlp.up_proj.weight", 8, 8, dtype="F32")) == 128


def test_an_eight_bit_weight_keeps_its_size_and_its_scale() -> None:
    scale = of("model.layers.*.mlp.up_proj.weight_scale_inv", 8, 8, dtype="F32")
    assert on(1, scale) == scale.bytes_all


def test_online_quantization_halves_linear_layers_only() -> None:
    sharing = Sharing(ranks=1, heads=32, kv_heads=8, online=True)
    assert weigh((of("model.layers.*.mlp.up_proj.weight", 8, 8),), sharing).high == 64
    assert weigh((of("lm_head.weight", 64, 8),), sharing).high == 1024


def test_layers_of_a_draft_are_not_served() -> None:
    found = locks()["deepseek-ai/DeepSeek-V3"].model.tensors
    sharing = Sharing(ranks=1, heads=128, kv_heads=128, layers=61, draft_layers=1, dense_layers=3)
    without = weigh(found, sharing).low
    assert without < 0.985 * sum(one.bytes_all for one in found)
    experts = tuple(one for one in found if kind_of(one.name) == kinds.EXPERTS)
    # A single tensor of a draft is enough to know that the last layer is one.
    head = of("model.layers.*.eh_proj.weight", 1, 1)
    assert weigh((*experts, head), sharing).high == pytest.approx(
        sum(one.bytes_all for one in experts) * 58 / 59
    )


def test_a_token_reads_only_the_experts_that_work_on_it() -> None:
    experts = of("model.layers.*.mlp.experts.*.up_proj.weight", 8, 8, count=128)
    sharing = Sharing(ranks=1, heads=32, kv_heads=8, active_share=8 / 128)
    assert weigh((experts,), sharing).active == experts.bytes_all / 16


def test_adapters_take_places_of_the_next_larger_rank() -> None:
    assert lora_rank((5, 9)) == 16
    assert lora_rank((4096,)) is None
    low, high = adapters_bytes((of("model.layers.*.mlp.up_proj.weight", 64, 32),), ONE, 2, 16)
    assert low == high == 2 * 16 * (64 + 32) * 2


@pytest.mark.parametrize("model", ["Qwen/Qwen3-8B", "microsoft/phi-4", "Qwen/Qwen3-32B"])
def test_what_is_derived_from_a_config_is_close_to_the_file(model: str) -> None:
    facts = locks()[model].model
    own = sum(one.bytes_all for one in facts.tensors)
    derived = sum(one.bytes_all for one in derive(facts.config, "none"))
    assert derived == pytest.approx(own, rel=0.005)
