"""What the header of a GGUF file says of the model's task, read without its vocabulary."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Final

from moorage.errors import MoorageError

_SCALARS: Final = dict(zip((*range(8), 10, 11, 12), "BbHhIif?Qqd", strict=True))
_TEXT: Final = 8
_ARRAY: Final = 9
_LONGEST_TEXT: Final = 1 << 24
_GENERATION: Final = "text-generation"
_EMBEDDING: Final = "feature-extraction"


def task(path: Path) -> str:
    """An embedding model says how it pools; whatever does not generates text."""
    try:
        with path.open("rb") as file:
            fields = dict(_fields(file))
    except (OSError, struct.error, ValueError, KeyError):
        message = f"{path}: not a GGUF file; llama.cpp needs the model in GGUF form"
        raise MoorageError(message) from None
    pools = any(key.endswith(".pooling_type") and value for key, value in fields.items())
    encodes = "bert" in str(fields.get("general.architecture", ""))
    return _EMBEDDING if pools or encodes else _GENERATION


def _fields(file: IO[bytes]) -> Iterator[tuple[str, Any]]:
    """Up to the tokenizer, which is long, last, and says nothing of the task."""
    if file.read(4) != b"GGUF":
        raise ValueError
    _version, _tensors, count = struct.unpack("<IQQ", file.read(20))
    for _ in range(count):
        key = _text(file)
        if key.startswith("tokenizer."):
            return
        yield key, _value(file, _number(file, "<I"))


def _value(file: IO[bytes], kind: int) -> Any:
    if kind == _TEXT:
        return _text(file)
    if kind == _ARRAY:
        inner = _number(file, "<I")
        return [_value(file, inner) for _ in range(_number(file, "<Q"))]
    return _number(file, f"<{_SCALARS[kind]}")


def _text(file: IO[bytes]) -> str:
    length = _number(file, "<Q")
    if length > _LONGEST_TEXT:
        raise ValueError
    return file.read(length).decode(errors="replace")


def _number(file: IO[bytes], form: str) -> Any:
    return struct.unpack(form, file.read(struct.calcsize(form)))[0]
