"""What a secret looks like, so that it is found in a spec and never repeated in a message."""

from __future__ import annotations

import re
from collections.abc import Iterator

_SHAPES = {
    "a Hugging Face token (hf_…)": r"\bhf_[A-Za-z0-9]{16,}",
    "an API key (sk-…)": r"\bsk-[A-Za-z0-9_-]{16,}",
    "an AWS access key (AKIA…)": r"\bA(?:KIA|SIA)[0-9A-Z]{16}\b",
    "a GitHub token": r"\b(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,})",
    "a private key": r"-----BEGIN [A-Z ]*PRIVATE KEY-----",
    "a password in a URL": r"(?<=://)[^/\s:@]+:[^/\s@]+(?=@)",
}
_NAMES = tuple(_SHAPES)
_ANY = re.compile("|".join(f"({shape})" for shape in _SHAPES.values()))


def find(text: str) -> Iterator[tuple[int, int, str]]:
    """Every secret-looking place of a text: line and column from 1, and what it looks like."""
    for found in _ANY.finditer(text):
        start = found.start()
        line = text.count("\n", 0, start) + 1
        column = start - (text.rfind("\n", 0, start) + 1) + 1
        yield line, column, _NAMES[(found.lastindex or 1) - 1]


def redact(text: str) -> str:
    """The text with every secret-looking part replaced."""
    return _ANY.sub("(looks like a secret)", text)
