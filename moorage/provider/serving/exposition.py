"""Prometheus' text format, as far as counters and gauges go: lines to names, labels and values."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

_LINE: Final = re.compile(
    r"(?P<name>[A-Za-z_:][A-Za-z0-9_:]*)"
    r"(?:\{(?P<labels>(?:[^\"}]|\"(?:[^\"\\]|\\.)*\")*)\})?"
    r"[ \t]+(?P<value>[^ \t]+)(?:[ \t]+-?\d+)?"
)
_LABEL: Final = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)[ \t]*=[ \t]*\"((?:[^\"\\]|\\.)*)\"")
_ESCAPE: Final = re.compile(r"\\(.)")


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """One line."""

    name: str
    labels: Mapping[str, str] = field(default_factory=dict)
    value: float


def samples(text: str) -> Iterator[Sample]:
    """Every line that tells a value; one that cannot be read is none."""
    for line in text.splitlines():
        found = _LINE.fullmatch(line.strip())
        if found is None:  # a comment among them
            continue
        try:
            value = float(found["value"])
        except ValueError:
            continue
        yield Sample(name=found["name"], labels=_labels(found["labels"] or ""), value=value)


def _labels(text: str) -> dict[str, str]:
    return {name: _ESCAPE.sub(_unescaped, value) for name, value in _LABEL.findall(text)}


def _unescaped(found: re.Match[str]) -> str:
    return "\n" if found[1] == "n" else found[1]
