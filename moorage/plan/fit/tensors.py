"""What a tensor of a checkpoint is, by its name, and so how ranks share it."""

from __future__ import annotations

from functools import lru_cache

SKIPPED = "skipped"  # the engine does not load it
TOWER = "tower"  # an encoder of images or sound: shared among ranks or repeated, as it can
EMBED = "embed"
HEAD = "head"
WHOLE = "whole"  # every rank has all of it
KEYS = "keys"  # keys or values: shared as far as there are heads
FUSED = "fused"  # queries, keys and values in one
LATENT_UP = "latent-up"  # from a latent to the heads
EXPERTS = "experts"
LINEAR = "linear"  # shared evenly
ROW = "row"  # shared evenly by its inputs: its bias is every rank's

_TOWERS = (
    "visual vision_tower vision_model vision_encoder audio_tower audio_encoder vit mlp1 "
    "multi_modal_projector mm_projector vision_language_adapter connector embed_vision "
    "embed_audio image_newline"
)
_SKIPPED = "mtp eh_proj enorm hnorm shared_head inv_freq masked_bias position_ids"
_WHOLE = (
    "router gate shared_expert_gate e_score_correction_bias wpe embed_positions "
    "position_embeddings token_type_embeddings kv_a_proj_with_mqa q_a_proj indexer"
)
_NAMES: dict[str, frozenset[str]] = {
    TOWER: frozenset(_TOWERS.split()),
    SKIPPED: frozenset(_SKIPPED.split()),
    WHOLE: frozenset(_WHOLE.split()),
    EXPERTS: frozenset(("experts",)),
    EMBED: frozenset(("embed_tokens", "wte", "word_embeddings", "tok_embeddings", "embed_in")),
    HEAD: frozenset(("lm_head", "embed_out")),
    KEYS: frozenset(("k_proj", "v_proj", "wk", "wv")),
    FUSED: frozenset(("qkv_proj", "query_key_value", "c_attn", "Wqkv", "wqkv")),
    LATENT_UP: frozenset(("kv_b_proj",)),
    ROW: frozenset(("o_proj", "out_proj", "down_proj", "c_proj", "dense", "dense_4h_to_h"))
    | {"fc2", "w2", "wo", "fc_out"},
}
_ORDER = (TOWER, SKIPPED, EXPERTS, HEAD, KEYS, FUSED, LATENT_UP, ROW, WHOLE, EMBED)


@lru_cache(maxsize=16_384)
def kind_of(name: str) -> str:
    """The kind of a tensor; what no name tells is shared evenly."""
    parts = name.split(".")
    if _is_left_out(parts):
        return SKIPPED
    found = next((kind for kind in _ORDER if not _NAMES[kind].isdisjoint(parts)), None)
    if found == EXPERTS and {"gate", "router"} & set(parts):
        return WHOLE
    if found is None or found == EMBED:
        return WHOLE if any(map(_is_norm, parts)) else found or LINEAR
    return found


def _is_left_out(parts: list[str]) -> bool:
    """Buffers that old checkpoints hold, and the embedding of a draft layer."""
    if parts[-2:] == ["attn", "bias"]:
        return True
    return "layers" in parts and "embed_tokens" in parts


def _is_norm(part: str) -> bool:
    return "norm" in part.lower() or part.startswith("ln_")


@lru_cache(maxsize=16_384)
def is_plain(name: str) -> bool:
    """Whether it is a weight or a bias, not a scale or a state that has its own precision."""
    return name.endswith((".weight", ".bias", "_proj", "_bias"))
