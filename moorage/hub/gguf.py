"""The header of a GGUF file, read piece by piece from far away: what it says, and its tensors."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from math import isfinite, prod
from typing import Any, Final

Span = Callable[[int, int], bytes]  # the bytes of a file from a place up to another

_MAGIC = b"GGUF"
_VERSIONS = (2, 3)
_HEADER_BYTES = 64 << 20  # a vocabulary of 262,144 words with its merges takes about 16 MB
_FIRST_BYTES = 1 << 19
_MOST_BYTES = 8 << 20  # of one request
_MOST_KEYS = 4096
_MOST_TENSORS = 1 << 17
_MOST_ITEMS = 1 << 21  # of an array
_KEY_BYTES = 1024
_STRING_BYTES = 4 << 20  # the longest chat template known has about 30 kB
_KEPT_ITEMS = 1024  # a number a layer
_KEPT_LETTERS = 200
_ALIGNMENT = 32
_LARGEST = 1 << 63
_MOST_DIMENSIONS = 8

_UINT32, _STRING, _ARRAY, _UINT64 = 4, 8, 9, 10
_SCALARS: Final[dict[int, struct.Struct]] = {
    0: struct.Struct("<B"),
    1: struct.Struct("<b"),
    2: struct.Struct("<H"),
    3: struct.Struct("<h"),
    4: struct.Struct("<I"),
    5: struct.Struct("<i"),
    6: struct.Struct("<f"),
    7: struct.Struct("<?"),
    10: struct.Struct("<Q"),
    11: struct.Struct("<q"),
    12: struct.Struct("<d"),
}
# A kind of ggml: its name, the weights of a block, the bytes of a block.
KINDS: Final[dict[int, tuple[str, int, int]]] = {
    0: ("F32", 1, 4),
    1: ("F16", 1, 2),
    2: ("Q4_0", 32, 18),
    3: ("Q4_1", 32, 20),
    6: ("Q5_0", 32, 22),
    7: ("Q5_1", 32, 24),
    8: ("Q8_0", 32, 34),
    9: ("Q8_1", 32, 40),
    10: ("Q2_K", 256, 84),
    11: ("Q3_K", 256, 110),
    12: ("Q4_K", 256, 144),
    13: ("Q5_K", 256, 176),
    14: ("Q6_K", 256, 210),
    15: ("Q8_K", 256, 292),
    16: ("IQ2_XXS", 256, 66),
    17: ("IQ2_XS", 256, 74),
    18: ("IQ3_XXS", 256, 98),
    19: ("IQ1_S", 256, 50),
    20: ("IQ4_NL", 32, 18),
    21: ("IQ3_S", 256, 110),
    22: ("IQ2_S", 256, 82),
    23: ("IQ4_XS", 256, 136),
    24: ("I8", 1, 1),
    25: ("I16", 1, 2),
    26: ("I32", 1, 4),
    27: ("I64", 1, 8),
    28: ("F64", 1, 8),
    29: ("IQ1_M", 256, 56),
    30: ("BF16", 1, 2),
    34: ("TQ1_0", 256, 54),
    35: ("TQ2_0", 256, 66),
    39: ("MXFP4", 32, 17),
    40: ("NVFP4", 64, 36),
    41: ("Q1_0", 128, 18),
}


class NotGgufError(ValueError):
    """The file is not what its name says."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Header:
    """What a GGUF file says of itself, without its vocabulary."""

    values: dict[str, Any]  # numbers, short texts, and short lists of numbers
    lengths: dict[str, int]  # of every array
    template: str | None  # the chat template
    tensors: tuple[tuple[str, str, tuple[int, ...], int], ...]  # name, kind, shape, bytes


@dataclass(slots=True)
class _Cursor:
    span: Span
    got: bytearray = field(default_factory=bytearray)
    at: int = 0

    def take(self, count: int) -> bytes:
        """The next bytes; more of the file is asked for when they are not here yet."""
        end = self.at + count
        while len(self.got) < end:
            self._more()
        start, self.at = self.at, end
        return bytes(self.got[start:end])

    def _more(self) -> None:
        here = len(self.got)
        if here >= _HEADER_BYTES:
            message = "its header is too long"
            raise NotGgufError(message)
        wanted = min(max(here, _FIRST_BYTES), _MOST_BYTES, _HEADER_BYTES - here)
        piece = self.span(here, here + wanted)
        if not piece:
            message = "it ends within its header"
            raise NotGgufError(message)
        self.got += piece

    def number(self, kind: int) -> Any:
        """A number, or true or false."""
        layout = _SCALARS.get(kind)
        if layout is None:
            message = f"it has a value of an unknown type ({kind})"
            raise NotGgufError(message)
        return layout.unpack(self.take(layout.size))[0]

    def count(self, most: int, what: str) -> int:
        """How many of something follow."""
        number = int.from_bytes(self.take(8), "little")
        if number > most:
            message = f"it says that it has {number} {what}"
            raise NotGgufError(message)
        return number

    def text(self, most: int = _STRING_BYTES) -> str:
        """A text, whatever its bytes are."""
        return self.take(self.count(most, "bytes in a text")).decode("utf-8", "replace")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Array:
    length: int
    items: tuple[Any, ...] = ()  # only of a short one that holds numbers


_Row = tuple[str, int, tuple[int, ...], int]  # name, kind, shape, offset


def header(span: Span, size_bytes: int) -> Header:
    """Read the header of a file of which `span` gives any part."""
    cursor = _Cursor(span)
    if cursor.take(4) != _MAGIC or cursor.number(4) not in _VERSIONS:
        message = "it does not begin as a GGUF file does"
        raise NotGgufError(message)
    tensors = cursor.count(_MOST_TENSORS, "tensors")
    keys = cursor.count(_MOST_KEYS, "keys")
    values = {cursor.text(_KEY_BYTES): _value(cursor) for _ in range(keys)}
    rows = [_row(cursor) for _ in range(tensors)]
    begin = _aligned(cursor.at, values.get("general.alignment"))
    template = values.get("tokenizer.chat_template")
    return Header(
        values={key: own for key, value in values.items() for own in _kept(value)},
        lengths={key: own.length for key, own in values.items() if isinstance(own, _Array)},
        template=template if isinstance(template, str) else None,
        tensors=tuple(_sized(rows, size_bytes - begin)),
    )


def _value(cursor: _Cursor) -> Any:
    kind = cursor.number(_UINT32)
    if kind == _STRING:
        return cursor.text()
    return _array(cursor) if kind == _ARRAY else cursor.number(kind)


def _array(cursor: _Cursor) -> _Array:
    kind = cursor.number(_UINT32)
    length = cursor.count(_MOST_ITEMS, "items in a list")
    if kind == _STRING:
        for _ in range(length):
            cursor.take(cursor.count(_STRING_BYTES, "bytes in a text"))
        return _Array(length=length)
    if kind in _SCALARS and length > _KEPT_ITEMS:
        cursor.take(length * _SCALARS[kind].size)
        return _Array(length=length)
    return _Array(length=length, items=tuple(cursor.number(kind) for _ in range(length)))


def _kept(value: Any) -> Iterator[Any]:
    """The value where it is short; none, where it is not worth keeping."""
    if isinstance(value, _Array):
        if value.items and all(_is_known(item) for item in value.items):
            yield list(value.items)
    elif isinstance(value, str):
        if len(value) <= _KEPT_LETTERS:
            yield value
    elif _is_known(value):
        yield value


def _is_known(number: float) -> bool:
    return isfinite(number)


def _row(cursor: _Cursor) -> _Row:
    name = cursor.text(_KEY_BYTES)
    dimensions = cursor.number(_UINT32)
    if dimensions > _MOST_DIMENSIONS:
        message = f"it has a tensor of {dimensions} dimensions"
        raise NotGgufError(message)
    shape = tuple(cursor.number(_UINT64) for _ in range(dimensions))
    return name, cursor.number(_UINT32), shape, cursor.number(_UINT64)


def _aligned(at: int, alignment: Any) -> int:
    step = alignment if type(alignment) is int and 0 < alignment < 1 << 20 else _ALIGNMENT
    return -(-at // step) * step


def _sized(rows: list[_Row], room: int) -> Iterator[tuple[str, str, tuple[int, ...], int]]:
    """The bytes of each tensor; of an unknown kind they reach up to the next one."""
    starts = sorted({offset for *_, offset in rows} | {room})
    after = dict(pairwise(starts))
    for name, kind, shape, offset in rows:
        title, block, size = KINDS.get(kind, (f"type-{kind}", 1, 0))
        count, rest = divmod(prod(shape), block)
        length = count * size if size else after.get(offset, 0)
        if rest or offset + length > room or max(shape, default=0) >= _LARGEST:
            message = f"its tensor {name[:60]!r} does not fit into it"
            raise NotGgufError(message)
        yield name, title, shape, length
