"""What a twin's engines say: the same words for the same request, and an honest count of them."""

from __future__ import annotations

import hashlib
import math
import struct
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

_SENTENCE: Final = ("I", "am", "a", "twin", "and", "all", "that", "I", "do", "is", "count:")
_COUNTS_TO: Final = 20
_MOST: Final = 4096
_DIMENSIONS: Final = 32


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """Tokens, one word each, and what they cost."""

    tokens: Sequence[str]
    prompt_tokens: int
    finish_reason: str

    @property
    def text(self) -> str:
        """All of it."""
        return "".join(self.tokens)

    @property
    def usage(self) -> dict[str, int]:
        """As OpenAI counts."""
        return {
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": len(self.tokens),
            "total_tokens": self.prompt_tokens + len(self.tokens),
        }


def answer(
    prompt: str, *, most: int | None = None, stops: Sequence[str] = (), endless: bool = False
) -> Answer:
    """Count; `endless` goes on until the limit, as `ignore_eos` has an engine do."""
    limit = _MOST if most is None else most
    words = _words(limit + 1 if endless else 0)
    every = [word if at == 0 else f" {word}" for at, word in enumerate(words)]
    kept = list(_until(every, stops))
    return Answer(
        tokens=kept[:limit],
        prompt_tokens=count(prompt),
        finish_reason="length" if len(kept) > limit else "stop",
    )


def count(text: str) -> int:
    """The tokens of a text: its words, and one that begins every prompt."""
    return len(text.split()) + 1


def of_messages(messages: Sequence[Mapping[str, Any]]) -> str:
    """The text of a chat; parts that are no text count as one word."""
    return "\n".join(f"{message['role']}: {_content(message)}" for message in messages)


def vector(text: str) -> list[float]:
    """A unit vector that is the same for the same text."""
    digest = hashlib.sha256(_bytes(text)).digest()
    values = [byte - 127.5 for byte in digest[:_DIMENSIONS]]
    length = math.sqrt(sum(value * value for value in values))
    return [value / length for value in values]


def closeness(query: str, text: str) -> float:
    """The share of the query's words that a text has."""
    wanted, found = set(query.lower().split()), set(text.lower().split())
    return len(wanted & found) / max(len(wanted), 1)


def picture(prompt: str, *, side: int = 8) -> bytes:
    """A small PNG in a colour of its prompt."""
    colour = hashlib.sha256(_bytes(prompt)).digest()[:3]
    rows = (b"\0" + colour * side) * side
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*part) for part in parts)


def _bytes(text: str) -> bytes:
    """JSON can hold half of a surrogate pair, which UTF-8 cannot."""
    return text.encode("utf-8", "surrogatepass")


def _words(at_least: int) -> list[str]:
    last = max(_COUNTS_TO, at_least - len(_SENTENCE))
    return [*_SENTENCE, *(str(number) for number in range(1, last + 1))]


def _until(tokens: Sequence[str], stops: Sequence[str]) -> Iterator[str]:
    said = ""
    for token in tokens:
        said += token
        if any(stop in said for stop in stops):
            return
        yield token


def _content(message: Mapping[str, Any]) -> str:
    content = message.get("content")
    if isinstance(content, list):
        return " ".join(str(part.get("text", "[part]")) for part in content)
    return str(content or "")


def _chunk(kind: bytes, data: bytes) -> bytes:
    checksum = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)
