"""vLLM's arithmetic of the KV cache: pages, groups of layers, blocks per request.

Follows vllm/v1/core/kv_cache_planning.py and kv_cache_interface.py of 0.33, to the byte.
"""

from __future__ import annotations

from msgspec import Struct

from moorage.plan.fit.layers import CROSS, FULL, STATE, WINDOW, Attention, Layers, State

BLOCK_TOKENS = 16
LATENT_ALIGNMENT = 128  # tokens, where latent attention stands beside layers with a state
STATE_PAGES = 2  # of a request: the last two, as prefix caching keeps them
ELEMENT_BYTES = {  # of what `--kv-cache-dtype` may say
    "auto": 2,
    "bfloat16": 2,
    "float16": 2,
    "half": 2,
    "fp8": 1,
    "fp8_e4m3": 1,
    "fp8_e5m2": 1,
}
PACKED_LATENT_BYTES = {"fp8_ds_mla": 656, "nvfp4_ds_mla": 352}  # of a token


class Setting(Struct, frozen=True, kw_only=True):
    """What the engine is told that the cache depends on."""

    tensor_parallel: int = 1
    dtype: str = "auto"
    batch_tokens: int = 2048
    batches: int = 2  # in flight at a time: asynchronous scheduling overlaps two
    block_tokens: int = BLOCK_TOKENS


class Group(Struct, frozen=True, kw_only=True):
    """Layers that share a table of blocks, so many times over."""

    kind: str
    times: int
    block_tokens: int
    reach: int


class Cache(Struct, frozen=True, kw_only=True):
    """The cache of a rank: every block is as large as its widest group needs."""

    block_bytes: int
    groups: tuple[Group, ...]
    token_bytes: int  # that one more token of a long request costs, without the rounding
    in_flight: int
    batch_tokens: int


class _Page(Struct, frozen=True, kw_only=True):
    layers: Layers
    tokens: int
    size: int  # bytes


def knows(dtype: str, attention: Attention) -> bool:
    """Whether the size of a cache kept so is understood."""
    latent = any(one.latent for one in attention.layers)
    return dtype in ELEMENT_BYTES or (dtype in PACKED_LATENT_BYTES and latent)


def cache(attention: Attention, setting: Setting) -> Cache | None:
    """How the engine lays the cache out; None for a model that keeps nothing."""
    if not attention.layers:
        return None
    pages = _paged(attention.layers, setting)
    growing = [page for page in pages if page.layers.kind == FULL] or pages
    grouped = _uniform(pages) or _unified(pages)
    return Cache(
        block_bytes=grouped[0],
        groups=grouped[1],
        token_bytes=sum(_growth(page) for page in growing),
        in_flight=setting.batches * setting.batch_tokens,
        batch_tokens=setting.batch_tokens,
    )


def blocks(plan: Cache, length: int) -> int:
    """The blocks that one request of this length holds at most."""
    return sum(group.times * _held(group, plan, length) for group in plan.groups)


def need_bytes(plan: Cache, length: int) -> int:
    """What one request of this length takes, beside the block that is never used."""
    return (blocks(plan, length) + 1) * plan.block_bytes


def usable_blocks(plan: Cache, available_bytes: float) -> int:
    """The blocks that requests can have: the pool keeps one back."""
    return max(int(available_bytes // plan.block_bytes) - 1, 0)


def longest(plan: Cache, available_bytes: float, limit: int) -> int:
    """The longest request up to the limit that fits; 0 when none does."""
    have = usable_blocks(plan, available_bytes)
    if blocks(plan, limit) <= have:
        return limit
    low, high = 0, limit  # low fits, high does not
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if blocks(plan, middle) <= have else (low, middle)
    return low


def token_bytes(layers: Layers, setting: Setting) -> int:
    """What a token takes in one layer of one rank."""
    if layers.latent and setting.dtype in PACKED_LATENT_BYTES:
        return PACKED_LATENT_BYTES[setting.dtype] + layers.extra_bytes
    element = ELEMENT_BYTES[setting.dtype]
    if layers.latent:
        return layers.head_dim * element + layers.extra_bytes
    heads = max(1, layers.kv_heads // setting.tensor_parallel)
    return heads * 2 * layers.head_dim * element


def state_bytes(layers: Layers, ranks: int) -> int:
    """What a request takes in one layer with a state of one rank."""
    return sum(_state(one, ranks) for one in layers.states)


def _state(one: State, ranks: int) -> int:
    repeated = 0 if one.groups % ranks == 0 else max(ranks - one.groups, 0)
    units = one.units + (one.groups + repeated) * one.group_units
    return -(-units // ranks) * one.rest * (4 if one.wide else 2)


def _paged(layers: tuple[Layers, ...], setting: Setting) -> list[_Page]:
    """The page of every kind of layer, those with a state padded to the others'."""
    states = [one for one in layers if one.kind == STATE]
    others = [one for one in layers if one.kind != STATE]
    largest = max((state_bytes(one, setting.tensor_parallel) for one in states), default=0)
    tokens = _aligned(others, largest, setting)
    pages = [
        _Page(layers=one, tokens=tokens, size=token_bytes(one, setting) * tokens) for one in others
    ]
    padded = max((page.size for page in pages), default=largest)
    return pages + [_Page(layers=one, tokens=tokens, size=padded) for one in states]


def _aligned(others: list[Layers], state: int, setting: Setting) -> int:
    """Blocks grow until a page of attention is no smaller than one of a state."""
    if not state or not others:
        return setting.block_tokens
    latent = any(one.latent for one in others)
    step = max(setting.block_tokens, LATENT_ALIGNMENT) if latent else setting.block_tokens
    each = max(token_bytes(one, setting) for one in others)
    return max(step * -(-state // (step * each)), setting.block_tokens)


def _uniform(pages: list[_Page]) -> tuple[int, tuple[Group, ...]] | None:
    """Layers that need the same number of slots are one group, whatever their pages' size."""
    if len({_likeness(page) for page in pages}) > 1:
        return None
    size = sum(page.size * page.layers.count for page in pages)
    return size, (_group(pages[0], 1, pages[0].tokens),)


def _unified(pages: list[_Page]) -> tuple[int, tuple[Group, ...]]:
    """Pages become equal; each kind of layer is split into groups of about the same size."""
    largest = max(page.size for page in pages)
    counts = [page.layers.count for page in pages]
    size = max(counts) if max(counts) < min(counts) * 1.5 else min(counts)
    times = [-(-count // size) for count in counts]
    widest = max(-(-count // many) for count, many in zip(counts, times, strict=True))
    groups = [
        _group(page, many, page.tokens * (largest // page.size if largest % page.size == 0 else 1))
        for page, many in zip(pages, times, strict=True)
    ]
    return widest * largest, tuple(groups)


def _group(page: _Page, times: int, tokens: int) -> Group:
    kind, reach = page.layers.kind, page.layers.reach
    return Group(kind=kind, times=times, block_tokens=tokens, reach=reach)


def _likeness(page: _Page) -> tuple[str, int]:
    return page.layers.kind, page.layers.reach


def _growth(page: _Page) -> int:
    if page.layers.kind == STATE:
        return 0
    return page.size // page.tokens * page.layers.count


def _held(group: Group, plan: Cache, length: int) -> int:
    if group.kind == STATE:
        return STATE_PAGES
    if group.kind == CROSS:
        return -(-plan.batch_tokens // group.block_tokens)
    if group.kind == FULL:
        return -(-length // group.block_tokens)
    return _kept(group, plan, length)


def _kept(group: Group, plan: Cache, length: int) -> int:
    """Of a window or a chunk: what is in flight is kept until it is settled."""
    reach = group.reach - 1 if group.kind == WINDOW else group.reach
    held = -(-min(reach + plan.in_flight, length) // group.block_tokens)
    return held + 1 if group.kind == WINDOW else held
