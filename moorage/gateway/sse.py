"""Server-sent events as far as a relay must know them: where one ends and which carries content."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from enum import Enum, auto

_ENDS = (b"\n\n", b"\r\n\r\n", b"\r\r")
_BETWEEN = re.compile(rb"\n\n|\r\n\r\n|\r\r")
_LINE = re.compile(rb"\r\n|\n|\r")


class Kind(Enum):
    PRELUDE = auto()  # a comment, a role, usage: nothing a reader waits for
    CONTENT = auto()
    DONE = auto()
    ERROR = auto()
    BROKEN = auto()  # data that is not JSON


class Splitter:
    """Hands on whole events only, so that a cut never leaves half of one with the client."""

    def __init__(self) -> None:
        self.rest = b""

    def feed(self, chunk: bytes) -> bytes:
        data = self.rest + chunk
        cut = max(at + len(end) if (at := data.rfind(end)) >= 0 else 0 for end in _ENDS)
        self.rest = data[cut:]
        return data[:cut]

    def end(self) -> bytes:
        """Return a [DONE] that came without its blank line; half an event is nothing."""
        return self.rest + b"\n\n" if ends_done(self.rest) else b""


def first_of_weight(events: bytes) -> Kind:
    """Return the kind of the first event that is more than a prelude."""
    kinds = (_kind(event) for event in _BETWEEN.split(events))
    return next((kind for kind in kinds if kind is not Kind.PRELUDE), Kind.PRELUDE)


def ends_done(events: bytes) -> bool:
    """Tell whether the last event is `[DONE]`; a JSON event that quotes it ends in a brace."""
    return events.rstrip().endswith((b"data: [DONE]", b"data:[DONE]"))


def error_event(error: dict[str, object]) -> bytes:
    return b"data: " + json.dumps({"error": error}).encode() + b"\n\n"


def _kind(event: bytes) -> Kind:
    lines = _LINE.split(event)
    data = b"\n".join(_values(lines, b"data"))
    if not data:
        return Kind.PRELUDE
    if data.strip() == b"[DONE]":
        return Kind.DONE
    if b"error" in _values(lines, b"event"):
        return Kind.ERROR
    return _kind_of_json(data)


def _values(lines: list[bytes], field: bytes) -> Iterator[bytes]:
    prefix = field + b":"
    return (line[len(prefix) :].removeprefix(b" ") for line in lines if line.startswith(prefix))


def _kind_of_json(data: bytes) -> Kind:
    try:
        body = json.loads(data)
    except (ValueError, RecursionError):
        return Kind.BROKEN
    if not isinstance(body, dict):
        return Kind.BROKEN
    if body.get("error"):
        return Kind.ERROR
    return Kind.CONTENT if _carries_content(body) else Kind.PRELUDE


def _carries_content(body: dict[str, object]) -> bool:
    choices = body.get("choices")
    if not isinstance(choices, list):
        return False
    return any(_speaks(choice) for choice in choices if isinstance(choice, dict))


def _speaks(choice: dict[str, object]) -> bool:
    """A text, or any part of a delta but the role: content, reasoning, tool calls, what comes."""
    delta = choice.get("delta")
    said = (
        [value for name, value in delta.items() if name != "role"]
        if isinstance(delta, dict)
        else []
    )
    return any([choice.get("text"), *said])
