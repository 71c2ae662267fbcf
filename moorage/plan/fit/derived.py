"""The tensors of a plain model, worked out from its config where nobody read its files."""

from __future__ import annotations

from collections.abc import Iterator

from moorage.plan.facts import Tensors
from moorage.plan.fit.fields import Config, layer_count, whole
from moorage.plan.fit.readers import head_dim, kv_heads, query_heads

PLAIN = frozenset(
    (
        "LlamaForCausalLM",
        "MistralForCausalLM",
        "Phi3ForCausalLM",
        "Qwen2ForCausalLM",
        "Qwen3ForCausalLM",
    )
)
WIDTHS = {"BF16": 2, "F8_E4M3": 1}
OFF_BY = 0.03  # what such a model may have besides: biases, norms of heads, scales


def derive(config: Config, quantization: str) -> tuple[Tensors, ...]:
    """The tensors of a model of a plain family in 16 bits or 8-bit floats."""
    dtype = "F8_E4M3" if quantization == "fp8" else "BF16"
    return tuple(_outside(config)) + tuple(_layers(config, dtype))


def _outside(config: Config) -> Iterator[Tensors]:
    shape = (whole(config, "vocab_size"), whole(config, "hidden_size"))
    yield _tensor("model.embed_tokens.weight", "BF16", shape, 1)
    if config.get("tie_word_embeddings") is not True:
        yield _tensor("lm_head.weight", "BF16", shape, 1)


def _layers(config: Config, dtype: str) -> Iterator[Tensors]:
    count, hidden = layer_count(config), whole(config, "hidden_size")
    inner, size = whole(config, "intermediate_size"), head_dim(config)
    queries, keys = query_heads(config) * size, kv_heads(config) * size
    shapes = {
        "self_attn.q_proj": (queries, hidden),
        "self_attn.k_proj": (keys, hidden),
        "self_attn.v_proj": (keys, hidden),
        "self_attn.o_proj": (hidden, queries),
        "mlp.gate_proj": (inner, hidden),
        "mlp.up_proj": (inner, hidden),
        "mlp.down_proj": (hidden, inner),
    }
    for name, shape in shapes.items():
        yield _tensor(f"model.layers.*.{name}.weight", dtype, shape, count)


def _tensor(name: str, dtype: str, shape: tuple[int, int], count: int) -> Tensors:
    size = shape[0] * shape[1] * WIDTHS[dtype]
    return Tensors(name=name, dtype=dtype, shape=shape, count=count, bytes_each=size)
