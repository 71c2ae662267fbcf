"""What a rank needs besides its KV cache: weights, activations, graphs and the rest."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from moorage.plan.facts import ModelFacts, Tensors
from moorage.plan.fit import derived
from moorage.plan.fit.calibration import Bound, Row
from moorage.plan.fit.fields import Config, UnreadableError, maybe, text_of, whole
from moorage.plan.fit.layers import STATE, Attention
from moorage.plan.fit.methods import quantization_of
from moorage.plan.fit.tensors import TOWER, kind_of
from moorage.plan.fit.weights import Sharing, Weights, adapters_bytes, lora_rank, weigh

GIB = 1 << 30
GRAPHS_MOST = 512  # the largest batch that a graph is captured for
EXPERTS = ("num_experts", "num_local_experts", "n_routed_experts", "moe_num_experts")
CHOSEN = ("num_experts_per_tok", "num_experts_per_token", "experts_per_token", "top_k_experts")
INNER = ("intermediate_size", "n_inner", "ffn_dim", "decoder_ffn_dim")
HIDDEN = ("hidden_size", "n_embd", "n_embed", "d_model")


class Model(Struct, frozen=True, kw_only=True):
    """What of a model the parts depend on, read once."""

    sharing: Sharing
    weights: Weights
    vocabulary: int
    widest: int  # elements of a token in the widest layer of a rank
    layers: int
    towers: bool
    states: bool
    rough: bool  # nobody read its tensors


def understand(
    facts: ModelFacts, attention: Attention, ranks: int, *, online: bool, row: Row
) -> Model:
    """Read what the parts depend on; UnreadableError where the facts do not say."""
    text = text_of(facts.config)
    sharing = share(facts.config, text, attention, ranks, online=online, pads=row.expert_pads)
    tensors = facts.tensors
    if not tensors:
        tensors = _derive(facts, text)
    weights = weigh(tensors, sharing)
    return Model(
        sharing=sharing,
        weights=weights if facts.tensors else _roughly(weights),
        vocabulary=maybe(text, "vocab_size") or _rows(facts),
        widest=_widest(text, ranks),
        layers=max(sharing.layers, 1),
        towers="vision_config" in facts.config or any(map(_is_tower, facts.tensors)),
        states=any(one.kind == STATE for one in attention.layers),
        rough=not facts.tensors,
    )


def share(
    config: Config,
    text: Config,
    attention: Attention,
    ranks: int,
    *,
    online: bool,
    pads: tuple[int, int],
) -> Sharing:
    """How the tensors of a model are laid out on so many ranks."""
    tied = text.get("tie_word_embeddings", config.get("tie_word_embeddings"))
    return Sharing(
        ranks=ranks,
        heads=attention.heads,
        kv_heads=attention.kv_heads,
        tied=tied is True,
        layers=_layers(text),
        draft_layers=whole(text, "num_nextn_predict_layers", default=0, least=0),
        dense_layers=whole(text, "first_k_dense_replace", default=0, least=0),
        online=online,
        pads_hidden=pads[0],
        pads_inner=pads[1],
        active_share=active_share(text),
    )


def active_share(text: Config) -> float:
    """The part of the experts that works on a token."""
    experts = next((found for name in EXPERTS if (found := maybe(text, name))), None)
    if experts is None:
        return 1.0
    chosen = next((found for name in CHOSEN if (found := maybe(text, name))), experts)
    return min(chosen / experts, 1.0)


def parts(model: Model, row: Row, *, seqs: int, batch_tokens: int) -> Mapping[str, Bound]:
    """Everything besides the KV cache, in GiB."""
    weights, ranks = model.weights, model.sharing.ranks
    middle = (weights.low + weights.high) / 2
    found = _times(Bound(low=weights.low, likely=middle, high=weights.high), 1 / GIB)
    graphs = row.graph_mib if ranks == 1 else row.graph_parallel_mib
    return {
        "weights": found,
        "activations": activations(model, row, seqs=seqs, batch_tokens=batch_tokens),
        "graphs": _times(graphs, model.layers * captured(seqs) / 1024),
        "other": row.other_gib if ranks == 1 else row.other_parallel_gib,
    }


def activations(model: Model, row: Row, *, seqs: int, batch_tokens: int) -> Bound:
    """The larger of drawing tokens for all requests and of computing a full batch."""
    sampler = row.sampler_of_towers if model.towers else row.sampler
    draw = _times(sampler, seqs * model.vocabulary * 4 / GIB)
    batch = _times(row.tokens, batch_tokens * model.widest * 2 / GIB)
    tower = row.tower_gib if model.towers else Bound(low=0.0, likely=0.0, high=0.0)
    return Bound(
        low=max(draw.low, batch.low),
        likely=max(draw.likely, batch.likely) + tower.likely,
        high=max(draw.high, batch.high) + tower.high,
    )


def captured(seqs: int) -> int:
    """How many sizes of batches get a CUDA graph: 1, 2, 4, then by 8, from 256 by 16."""
    most = min(2 * seqs, GRAPHS_MOST)
    small = sum(1 for size in (1, 2, 4) if size <= most)
    return small + min(most, 248) // 8 + max(0, (most - 240) // 16)


def adapters(
    facts: ModelFacts, model: Model, ranks: tuple[int | None, ...]
) -> tuple[Bound, int | None]:
    """What the places of LoRA adapters take, in GiB, and the rank they are made for."""
    known = tuple(rank for rank in ranks if rank is not None)
    if len(known) < len(ranks):
        raise UnreadableError("the rank of an adapter is not known")
    if not known:
        return Bound(low=0.0, likely=0.0, high=0.0), None
    rank = lora_rank(known)
    if rank is None:
        raise UnreadableError("vLLM has no place for an adapter of that rank")
    low, high = adapters_bytes(facts.tensors, model.sharing, len(known), rank)
    bound = Bound(low=low / GIB, likely=(low + high) / 2 / GIB, high=high / GIB)
    return bound, rank


def _derive(facts: ModelFacts, text: Config) -> tuple[Tensors, ...]:
    quantization = quantization_of(facts.config)
    if facts.architecture not in derived.PLAIN or quantization not in ("none", "fp8"):
        raise UnreadableError("nobody has read its tensors, and its config does not say their size")
    return derived.derive(text, quantization)


def _roughly(weights: Weights) -> Weights:
    return Weights(
        low=weights.low * (1 - derived.OFF_BY),
        high=weights.high * (1 + derived.OFF_BY),
        active=weights.active * (1 - derived.OFF_BY),
        active_elements=weights.active_elements * (1 - derived.OFF_BY),
    )


def _layers(text: Config) -> int:
    names = ("num_hidden_layers", "n_layer", "num_layers", "decoder_layers", "n_layers")
    return whole(text, *names, default=1)


def _rows(facts: ModelFacts) -> int:
    """The vocabulary by the rows of the embedding."""
    found = [one.shape[0] for one in facts.tensors if kind_of(one.name) == "embed" and one.shape]
    if not found:
        raise UnreadableError("its config does not say vocab_size")
    return max(found)


def _widest(text: Config, ranks: int) -> int:
    """Both halves of a gated layer and what goes in; of experts all that work on a token."""
    hidden = whole(text, *HIDDEN)
    inner = next((found for name in INNER if (found := _number(text.get(name)))), 4 * hidden)
    chosen = next((found for name in CHOSEN if (found := maybe(text, name))), 0)
    of_experts = maybe(text, "moe_intermediate_size") or inner
    dense = 2 * inner // ranks + hidden
    return max(dense, chosen * (2 * of_experts // ranks + hidden))


def _number(value: object) -> int | None:
    """A width, or the largest where layers differ."""
    if isinstance(value, (list, tuple)) and value and all(type(one) is int for one in value):
        value = max(value)
    return value if type(value) is int and 0 < value < 1 << 24 else None


def _is_tower(one: Tensors) -> bool:
    return kind_of(one.name) == TOWER


def _times(bound: Bound, factor: float) -> Bound:
    return Bound(low=bound.low * factor, likely=bound.likely * factor, high=bound.high * factor)
