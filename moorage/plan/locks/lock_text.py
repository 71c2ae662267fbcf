"""The text of a lock: sorted JSON, one fact a line, read back in a fraction of a millisecond.

What is unknown or empty is left out. In a list of things each stands on a line of its own, so that
a review shows what has changed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from msgspec.structs import asdict

from moorage.plan.facts import Lock, ModelFacts
from moorage.spec.secrets import redact

VERSION = "moorage/lock/v2"

_ALWAYS = ("files", "shape")  # known even where they are empty: a scalar has the shape []
_COMPACT = json.JSONEncoder(sort_keys=True, ensure_ascii=False, allow_nan=False)


def render(lock: Lock) -> str:
    """The text of a lock file."""
    content = {
        "lock": VERSION,
        "asked": {"of": redact(lock.model.asked_of), "on": lock.model.asked_on},
        "model": _known(_model(lock.model)) | {"quantization": lock.quantization},
        "offers": _rows(lock.offers, "key"),
    }
    return "\n".join(_lines(_known(content))) + "\n"


def _model(model: ModelFacts) -> dict[str, Any]:
    plain = dict(_fields(model))
    del plain["asked_of"], plain["asked_on"]
    return plain | {
        "config": dict(model.config),
        "files": _rows(model.files, "name"),
        "tensors": _rows(model.tensors, "name", "dtype"),
        "routes": _rows(model.routes, "provider", "task"),
        "references": _rows(model.references, "role", "id"),
    }


def _rows(values: Sequence[Any], *order: str) -> list[dict[str, Any]]:
    rows = [_known({key: _plain(own) for key, own in _fields(value)}) for value in values]
    return sorted(rows, key=lambda row: ([row[key] for key in order], str(sorted(row.items()))))


def _fields(value: Any) -> Iterator[tuple[str, Any]]:
    return iter(asdict(value).items())


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, tuple):
        return list(value)
    return dict(value) if isinstance(value, Mapping) else value


def _known(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key in _ALWAYS or not _is_empty(value)}


def _is_empty(value: object) -> bool:
    return value is None or value == [] or value == {}


def _lines(value: Any, pad: str = "", before: str = "", after: str = "") -> Iterator[str]:
    if isinstance(value, dict) and value:
        yield f"{pad}{before}{{"
        last = max(value)
        for key in sorted(value):
            name = f"{_COMPACT.encode(key)}: "
            yield from _lines(value[key], f"{pad}  ", name, "" if key == last else ",")
        yield f"{pad}}}{after}"
    elif isinstance(value, list) and any(isinstance(own, dict) for own in value):
        yield f"{pad}{before}["
        yield ",\n".join(f"{pad}  {_COMPACT.encode(own)}" for own in value)
        yield f"{pad}]{after}"
    else:
        yield f"{pad}{before}{_COMPACT.encode(value)}{after}"
