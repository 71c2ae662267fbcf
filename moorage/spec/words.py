"""How values, choices and near misses are put into a message."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from moorage.spec.document import Node
from moorage.spec.secrets import redact

_SHOWN_CHARACTERS = 60


def show(node: Node) -> str:
    """A value as a message quotes it: short, and never a secret."""
    if isinstance(node.value, dict):
        return "a mapping"
    if isinstance(node.value, tuple):
        return "a list"
    if node.value is None:
        return "nothing"
    if not isinstance(node.value, str):
        return node.text
    text = redact(node.text)
    short = text if len(text) <= _SHOWN_CHARACTERS else text[: _SHOWN_CHARACTERS - 1] + "…"
    return repr(short)


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that a misspelt one probably means."""
    by_lower = {str(name).lower(): str(name) for name in known}
    found = get_close_matches(word[:100].lower(), by_lower, n=1, cutoff=0.6)
    return by_lower[found[0]] if found else None


def label_like(text: str) -> str:
    """The label that a text could be written as; empty where nothing is left of it."""
    return re.sub(r"[^a-z0-9]+", "-", redact(text).lower()).lstrip("-0123456789")[:24].rstrip("-")


def listing(words: Iterable[object]) -> str:
    """`a`, `a or b`, `a, b or c`."""
    *first, last = [str(word) for word in words]
    return f"{', '.join(first)} or {last}" if first else last


def expected(schema: Mapping[str, Any]) -> str:
    """What a schema wants, as the end of "must be …"."""
    kind = schema.get("type")
    if isinstance(kind, list):
        return listing(expected({"type": one}) for one in kind)
    if kind == "boolean":
        return "true or false"
    if kind in ("integer", "number"):
        return ("a whole number" if kind == "integer" else "a number") + _bounds(schema)
    if kind == "string":
        return "text" + _length(schema)
    if kind == "array":
        return "a list"
    return "a mapping (key: value)"


def _bounds(schema: Mapping[str, Any]) -> str:
    low, high = schema.get("minimum"), schema.get("maximum")
    if "exclusiveMinimum" in schema:
        above = f" above {schema['exclusiveMinimum']}"
        return above if high is None else f"{above} and at most {high}"
    if low is not None and high is not None:
        return f" from {low} to {high}"
    return f" of at least {low}" if low is not None else ""


def _length(schema: Mapping[str, Any]) -> str:
    longest = schema.get("maxLength")
    return f" of at most {longest} characters" if longest else ""
