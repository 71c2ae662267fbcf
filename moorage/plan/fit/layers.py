"""What the layers of a model keep for a request, before any engine lays it out."""

from __future__ import annotations

from msgspec import Struct

FULL = "full"  # every token
WINDOW = "window"  # the last tokens only
CHUNK = "chunk"  # the tokens of the current chunk
CROSS = "cross"  # the tokens of the encoder
STATE = "state"  # a state of fixed size, whatever the length


class State(Struct, frozen=True, kw_only=True):
    """One tensor of a state: `units` are divided among ranks, each with `rest` elements."""

    units: int
    rest: int
    wide: bool = False  # kept in 32 bits whatever the model's precision
    groups: int = 0  # further units that come in groups, which ranks may have to repeat
    group_units: int = 0


class Layers(Struct, frozen=True, kw_only=True):
    """Layers that keep the same."""

    kind: str
    count: int
    kv_heads: int = 0
    head_dim: int = 0  # elements of a key and, by default, of a value
    latent: bool = False  # one vector for keys and values of all heads, the same on every rank
    extra_bytes: int = 0  # per token, whatever the precision: an index of a latent
    reach: int = 0  # tokens: the window, the chunk or the encoder's length
    states: tuple[State, ...] = ()


class Attention(Struct, frozen=True, kw_only=True):
    """What a whole model keeps, and what tensor parallelism and length are bound by."""

    layers: tuple[Layers, ...]
    heads: int  # query heads: every rank needs the same number
    kv_heads: int
    longest: int | None  # tokens: the model's own limit
