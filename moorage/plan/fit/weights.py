"""What the weights of a model take on one rank, tensor by tensor."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from math import prod

from msgspec import Struct

from moorage.plan.facts import Tensors
from moorage.plan.fit.tensors import (
    EMBED,
    EXPERTS,
    FUSED,
    HEAD,
    KEYS,
    LATENT_UP,
    LINEAR,
    ROW,
    SKIPPED,
    TOWER,
    WHOLE,
    is_plain,
    kind_of,
)

VOCABULARY_STEP = 64
SERVED_BYTES = 2  # of an element that is stored in 32 bits or more: the engine serves 16
WIDE = ("F32", "F64")
UNQUANTIZED = ("BF16", "F16", "F32", "F64")
LORA_RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)  # what `--max-lora-rank` takes
LEAST_BYTES: Mapping[str, float] = {"BF16": 2, "F16": 2, "F32": 4, "F64": 8}  # per parameter


class Sharing(Struct, frozen=True, kw_only=True):
    """What of a model and its engine says how its tensors are laid out on ranks."""

    ranks: int
    heads: int
    kv_heads: int
    tied: bool = False  # the head is the embedding, though the file may hold both
    layers: int = 0
    draft_layers: int = 0  # at the end of the checkpoint, which are not served
    dense_layers: int = 0  # at its start, without experts
    online: bool = False  # linear layers become 8-bit floats while they are loaded
    pads_hidden: int = 1  # 4-bit experts: tokens' width is rounded up to a multiple of this
    pads_inner: int = 1
    active_share: float = 1.0  # of the experts, for one token


class Weights(Struct, frozen=True, kw_only=True):
    """Bytes on one rank; elements are those of the whole model that work on a token."""

    low: float
    high: float
    active: float  # read for every token, at least
    active_elements: float


@lru_cache(maxsize=4096)
def weigh(tensors: tuple[Tensors, ...], sharing: Sharing) -> Weights:
    """What these tensors take on a rank, and what of it one token reads."""
    drafts = any("eh_proj" in one.name for one in tensors) and sharing.draft_layers > 0
    low = high = active = elements = 0.0
    for one in tensors:
        kind = kind_of(one.name)
        if kind == SKIPPED or (kind == HEAD and sharing.tied):
            continue
        count = served(one, sharing) if drafts else float(one.count)
        least, most = bounds(one, kind, sharing)
        low, high = low + least * count, high + most * count
        share = active_share(kind, sharing)
        active += least * count * share
        elements += one.bytes_each * count * share / LEAST_BYTES.get(one.dtype, 1.0)
    return Weights(low=low, high=high, active=active, active_elements=elements)


def served(one: Tensors, sharing: Sharing) -> float:
    """How many of them are served: draft layers at the end of a checkpoint are not."""
    experts = sharing.layers - sharing.dense_layers
    for layers in (sharing.layers, experts):
        whole = layers + sharing.draft_layers
        if "layers" in one.name and layers > 0 and one.count % whole == 0:
            return one.count * layers / whole
    return float(one.count)


def active_share(kind: str, sharing: Sharing) -> float:
    """What of it a token reads: a row of the embedding, some experts, no picture."""
    if kind == EXPERTS:
        return sharing.active_share
    if kind == EMBED:
        return 1.0 if sharing.tied else 0.0
    return 0.0 if kind == TOWER else 1.0


def bounds(one: Tensors, kind: str, sharing: Sharing) -> tuple[float, float]:
    """The bytes of one of them on a rank, at least and at most."""
    size = loaded(one, kind, sharing)
    if kind == TOWER:
        kept = _kept(one)
        return size / sharing.ranks, kept
    if kind == LATENT_UP:
        return _latent(one, size, sharing)
    if kind == EXPERTS and len(one.shape) > 1 and "_proj_" in one.name:
        size = _padded_experts(one, sharing)
        return size, size
    if kind in (EMBED, HEAD) and one.shape:
        padded = -(-one.shape[0] // VOCABULARY_STEP) * VOCABULARY_STEP
        size = size * padded / max(one.shape[0], 1)
    each = size * share(kind, one, sharing)
    return each, each


def share(kind: str, one: Tensors, sharing: Sharing) -> float:
    """The part of it that a rank has."""
    ranks, heads = sharing.ranks, max(min(sharing.ranks, sharing.kv_heads), 1)
    if kind == WHOLE or (kind == ROW and len(one.shape) < 2):
        return 1.0
    if kind == KEYS:
        return 1 / heads
    if kind == FUSED:
        queries = sharing.heads / (sharing.heads + 2 * max(sharing.kv_heads, 1))
        return queries / ranks + (1 - queries) / heads
    return 1 / ranks


def loaded(one: Tensors, kind: str, sharing: Sharing) -> float:
    """Its bytes once it is loaded, before it is shared."""
    if sharing.online and one.dtype in UNQUANTIZED and len(one.shape) > 1 and _is_linear(kind):
        return float(prod(one.shape))
    return _kept(one)


def _kept(one: Tensors) -> float:
    if one.dtype in WIDE and is_plain(one.name):
        return float(prod(one.shape) * SERVED_BYTES)
    return float(one.bytes_each)


def _is_linear(kind: str) -> bool:
    return kind in (LINEAR, ROW, KEYS, FUSED, EXPERTS, LATENT_UP, TOWER)


def _latent(one: Tensors, size: float, sharing: Sharing) -> tuple[float, float]:
    """The engine keeps it a second time, split and in 16 bits, if it was quantized."""
    again = prod(one.shape) * SERVED_BYTES / sharing.ranks if len(one.shape) > 1 else 0.0
    shared = size / sharing.ranks
    quantized = one.dtype not in UNQUANTIZED or sharing.online
    return shared + (again if quantized else 0.0), shared + again


def _padded_experts(one: Tensors, sharing: Sharing) -> float:
    """Experts in one tensor of 4-bit blocks of 32: both widths are rounded up on every rank."""
    experts, rows, *rest = one.shape
    columns = rest[0] * 32 if rest else 0
    if "gate_up" in one.name:
        rows = 2 * _step(rows / 2 / sharing.ranks, sharing.pads_inner)
        columns = _step(columns, sharing.pads_hidden)
    else:
        rows = _step(rows, sharing.pads_hidden)
        columns = _step(columns / sharing.ranks, sharing.pads_inner)
    if one.name.endswith("_bias"):
        return float(experts * rows * SERVED_BYTES)
    return experts * rows * columns / (2 if one.name.endswith("_blocks") else 32)


def _step(value: float, step: int) -> int:
    return -int(-value // step) * step


def adapters_bytes(
    tensors: tuple[Tensors, ...], sharing: Sharing, slots: int, rank: int
) -> tuple[float, float]:
    """The places that LoRA adapters get beforehand, at least and at most."""
    low = high = 0.0
    for one in tensors:
        kind = kind_of(one.name)
        if kind in (LINEAR, ROW, KEYS, FUSED, EXPERTS) and len(one.shape) > 1:
            size = slots * rank * sum(one.shape[-2:]) * SERVED_BYTES * one.count
            size *= prod(one.shape[:-2])
            low += 0.0 if kind == EXPERTS else size / sharing.ranks
            high += size
    return low, high


def lora_rank(ranks: tuple[int, ...]) -> int | None:
    """The value of `--max-lora-rank` that takes them all; None where the engine has none."""
    return next((rank for rank in LORA_RANKS if rank >= max(ranks)), None)
