"""One reader per kind of model: config -> the layers that keep something for a request.

Each says what the engine's own model class does, not what a paper says; a field that is not
there counts as that class's default only where the class is known to have one.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from moorage.plan.fit import states
from moorage.plan.fit.fields import (
    LAYERS_MOST,
    Config,
    UnreadableError,
    layer_count,
    maybe,
    whole,
    word,
    words,
)
from moorage.plan.fit.layers import CHUNK, CROSS, FULL, STATE, WINDOW, Layers, State

Reader = Callable[[Config], list[Layers]]

QUERY_HEADS = ("num_attention_heads", "n_head", "num_heads", "decoder_attention_heads")
KV_HEADS = ("n_head_kv", "num_kv_heads", "num_key_value_heads", "multi_query_group_num")
HIDDEN = ("hidden_size", "n_embd", "n_embed", "d_model", "word_embed_proj_dim")
NEMOTRON_WORDS = {"mamba": "M", "attention": "*", "mlp": "-", "moe": "E"}
INDEX_SCALE_EVERY = 128  # elements of a quantised index vector that share a 4-byte scale


def query_heads(config: Config) -> int:
    return whole(config, *QUERY_HEADS)


def kv_heads(config: Config) -> int:
    return whole(config, *KV_HEADS, default=query_heads(config))


def head_dim(config: Config) -> int:
    """Elements of a head; many configs leave it to a division."""
    given = maybe(config, "head_dim") or maybe(config, "hidden_size_per_head")
    if given:
        return given
    size = whole(config, *HIDDEN) // query_heads(config)
    if not size:
        raise UnreadableError("its config has more heads than elements")
    return size


def attention(config: Config, kind: str, count: int, *, reach: int = 0) -> Layers:
    return Layers(
        kind=kind,
        count=count,
        kv_heads=kv_heads(config),
        head_dim=head_dim(config),
        reach=reach,
    )


def mixed(
    config: Config, sliding: int, *, plus: int = 0, default: int | None = None
) -> list[Layers]:
    """So many layers with a window, the rest without."""
    count = layer_count(config)
    full = attention(config, FULL, count - sliding)
    if not sliding:
        return [full]
    window = maybe(config, "sliding_window") or default
    if window is None:
        raise UnreadableError("its config names sliding layers and no sliding_window")
    found = [full, attention(config, WINDOW, sliding, reach=window + plus)]
    return [one for one in found if one.count]


def plain(config: Config) -> list[Layers]:
    """Layers alike, or as `layer_types` names them; a window without names is every layer's."""
    count = layer_count(config)
    kinds = words(config, "layer_types", count)
    if kinds is None:
        return mixed(config, count if maybe(config, "sliding_window") else 0)
    return mixed(config, sliding_of(kinds))


def sliding_of(kinds: tuple[str, ...]) -> int:
    """How many layers slide, if all others are plain ones."""
    sliding = kinds.count("sliding_attention")
    if sliding + kinds.count("full_attention") + kinds.count("attention") < len(kinds):
        raise UnreadableError("its config's layer_types names a kind of layer not known here")
    return sliding


def qwen(config: Config) -> list[Layers]:
    """A window counts only where `use_sliding_window` switches it on, and then for all."""
    count = layer_count(config)
    if not config.get("use_sliding_window"):
        return mixed(config, 0)
    before = whole(config, "max_window_layers", default=count, least=0)
    if 0 < before < count:
        raise UnreadableError("vLLM refuses windows for some layers of this kind of model only")
    return mixed(config, 0 if before else count)


def patterned(every: int, *, plus: int = 0, default: int | None = None) -> Reader:
    """Every n-th layer looks at everything, those between through a window."""

    def read(config: Config) -> list[Layers]:
        count = layer_count(config)
        kinds = words(config, "layer_types", count)
        if kinds is not None:
            return mixed(config, sliding_of(kinds), plus=plus, default=default)
        step = whole(config, "sliding_window_pattern", default=every)
        return mixed(config, count - count // step, plus=plus, default=default)

    return read


def gpt_oss(config: Config) -> list[Layers]:
    """Every other layer slides, the first one first, whatever `layer_types` says."""
    return mixed(config, (layer_count(config) + 1) // 2)


def gemma3(config: Config) -> list[Layers]:
    if config.get("use_bidirectional_attention") is True:
        return []  # an embedding model: it reads once and keeps nothing
    filled = {"num_attention_heads": 8, "num_key_value_heads": 4, "head_dim": 256, **config}
    return patterned(6, default=4096)(filled)


def gemma3n(config: Config) -> list[Layers]:
    """The last layers share the cache of earlier ones."""
    count = layer_count(config)
    kinds = words(config, "layer_types", count)
    shared = whole(config, "num_kv_shared_layers", default=15, least=0)
    if kinds is None or shared >= count:
        raise UnreadableError("its config does not say layer_types")
    own = {**config, "num_hidden_layers": count - shared, "layer_types": kinds[: count - shared]}
    return plain({"head_dim": 256, **own})


def gemma4(config: Config) -> list[Layers]:
    """Layers that look at everything have their own number and size of heads."""
    count = layer_count(config)
    kinds = words(config, "layer_types", count)
    shared = whole(config, "num_kv_shared_layers", default=0, least=0)
    if kinds is None or shared >= count:
        raise UnreadableError("its config does not say layer_types")
    own = kinds[: count - shared]
    found = mixed({**config, "num_hidden_layers": len(own)}, sliding_of(own))
    return [_wide(config, one) if one.kind == FULL else one for one in found]


def _wide(config: Config, one: Layers) -> Layers:
    heads = one.kv_heads
    if config.get("attention_k_eq_v") is True:
        heads = whole(config, "num_global_key_value_heads", default=heads)
    return replace(one, kv_heads=heads, head_dim=whole(config, "global_head_dim", default=512))


def llama4(config: Config) -> list[Layers]:
    """Every fourth layer looks at everything, the others at their chunk."""
    count = layer_count(config)
    listed = config.get("no_rope_layers")
    if isinstance(listed, (list, tuple)) and len(listed) == count:
        full = sum(1 for one in listed if one == 0)
    elif listed in (None, [], ()):
        full = count // 4
    else:
        raise UnreadableError("its config's no_rope_layers does not speak of every layer")
    chunk = maybe({"attention_chunk_size": 8192, **config}, "attention_chunk_size")
    if chunk is None:
        return [attention(config, FULL, count)]
    found = [attention(config, FULL, full), attention(config, CHUNK, count - full, reach=chunk)]
    return [one for one in found if one.count]


def latent(config: Config) -> list[Layers]:
    """Multi-head latent attention: one vector per token and layer; sparse ones keep an index."""
    size = whole(config, "kv_lora_rank") + whole(config, "qk_rope_head_dim")
    if config.get("indexer_types") or config.get("index_topk_freq") not in (None, 1):
        raise UnreadableError("how its layers share an index of their latents is not known here")
    index = maybe(config, "index_head_dim") if "index_topk" in config else None
    extra = index + index // INDEX_SCALE_EVERY * 4 if index else 0
    count = layer_count(config)
    layer = Layers(kind=FULL, count=count, kv_heads=1, head_dim=size, latent=True)
    return [replace(layer, extra_bytes=extra)]


def falcon(config: Config) -> list[Layers]:
    """Old ones share one key and value head, whatever `num_kv_heads` says."""
    count = layer_count(config)
    single = not config.get("new_decoder_architecture") and config.get("multi_query", True)
    heads = 1 if single else kv_heads(config)
    return [replace(attention(config, FULL, count), kv_heads=heads)]


def big_code(config: Config) -> list[Layers]:
    heads = 1 if config.get("multi_query", True) else query_heads(config)
    return [replace(attention(config, FULL, layer_count(config)), kv_heads=heads)]


def chat_glm(config: Config) -> list[Layers]:
    many = not config.get("multi_query_attention")
    heads = query_heads(config) if many else whole(config, "multi_query_group_num")
    size = whole(config, "kv_channels")
    layer = Layers(kind=FULL, count=layer_count(config), kv_heads=heads, head_dim=size)
    return [layer]


def whisper(config: Config) -> list[Layers]:
    """The decoder keeps its own tokens and, a second time, those of the encoder."""
    count = layer_count(config, "decoder_layers")
    heads = whole(config, "decoder_attention_heads")
    size = whole(config, "d_model") // heads
    own = Layers(kind=FULL, count=count, kv_heads=heads, head_dim=size)
    return [own, replace(own, kind=CROSS)]


def nothing(_config: Config) -> list[Layers]:
    """An encoder reads once and keeps nothing."""
    return []


def linear(config: Config) -> list[Layers]:
    """Gated delta nets with an attention layer now and then."""
    count = layer_count(config)
    kinds = words(config, "layer_types", count)
    if kinds is None:
        full = count // whole(config, "full_attention_interval", default=4)
    else:
        full = kinds.count("full_attention")
    return hybrid(config, full, count - full, states.delta_net(config))


def nemotron_h(config: Config) -> list[Layers]:
    """M is a state, * an attention; - and E keep nothing. Newer configs say it in words."""
    named = config.get("layers_block_type")
    if isinstance(named, (list, tuple)) and 0 < len(named) <= LAYERS_MOST:
        pattern = "".join(NEMOTRON_WORDS.get(str(one), "?") for one in named)
    else:
        pattern = word(config, "hybrid_override_pattern")
    if not 0 < len(pattern) <= LAYERS_MOST or set(pattern) - set("M*-E"):
        raise UnreadableError("its config's hybrid_override_pattern is missing or strange")
    return hybrid(config, pattern.count("*"), pattern.count("M"), states.nemotron(config))


def granite_hybrid(config: Config) -> list[Layers]:
    kinds = words(config, "layer_types", layer_count(config))
    if kinds is None or set(kinds) - {"mamba", "attention"}:
        raise UnreadableError("its config's layer_types is missing or strange")
    held = kinds.count("mamba")
    return hybrid(config, len(kinds) - held, held, states.mamba2(config) if held else ())


def falcon_h1(config: Config) -> list[Layers]:
    """Every layer has both."""
    count = layer_count(config)
    return hybrid(config, count, count, states.mamba2(config))


def jamba(config: Config) -> list[Layers]:
    count = layer_count(config)
    period = whole(config, "attn_layer_period", default=8)
    offset = whole(config, "attn_layer_offset", default=4, least=0)
    full = sum(1 for index in range(count) if index % period == offset)
    return hybrid(config, full, count - full, states.jamba(config))


def lfm2(config: Config) -> list[Layers]:
    kinds = words(config, "layer_types", layer_count(config))
    if kinds is None or set(kinds) - {"conv", "full_attention"}:
        raise UnreadableError("its config's layer_types is missing or strange")
    held = kinds.count("conv")
    return hybrid(config, len(kinds) - held, held, states.short_conv(config))


def mamba(config: Config) -> list[Layers]:
    return [Layers(kind=STATE, count=layer_count(config), states=states.mamba1(config))]


def mamba2(config: Config) -> list[Layers]:
    return [Layers(kind=STATE, count=layer_count(config), states=states.mamba2_only(config))]


def hybrid(config: Config, full: int, held: int, kept: tuple[State, ...]) -> list[Layers]:
    """Attention layers and layers with a state."""
    found = [Layers(kind=STATE, count=held, states=kept)]
    if full:
        found.insert(0, attention(config, FULL, full))
    return [one for one in found if one.count > 0]
