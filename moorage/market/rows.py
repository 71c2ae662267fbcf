"""Files of price rows: one row a line, sources named once, a comment at the top that stays."""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from moorage.errors import MoorageError
from moorage.plan.catalogue import catalog
from moorage.plan.catalogue.offers import Offer
from moorage.plan.money.cost import dollars
from moorage.spec import document

_Said = tuple[str, str, str]  # source, date, confidence
_PLAIN = re.compile(r"[A-Za-z][\w./+-]*", re.ASCII)
_BLOCK = re.compile(r"[A-Za-z](?:[\w./+,()'-]| (?! ))*[\w)]", re.ASCII)  # the rest of a line


def render(kind: str, rows: Iterable[Offer], before: str = "") -> str:
    """The text of a file of prices; what stood before gives its comment and its sources' names."""
    rows = list(rows)
    names = _names(rows, _known(before))
    return "\n".join(
        [
            *_comment(before),
            f"prices: {kind}",
            *(["sources:", *_sources(names)] if names else ["sources: {}"]),
            *(["rows:", *(_line(row, names) for row in rows)] if rows else ["rows: []"]),
            "",
        ]
    )


def write(path: Path, text: str) -> None:
    """Replace a file in one step: nobody ever reads half of it."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        mode = path.stat().st_mode & 0o777 if path.exists() else 0o644
        Path(name).chmod(mode)
        Path(name).replace(path)
    except OSError as error:
        message = f"{path}: cannot be written: {error.strerror}"
        raise MoorageError(message) from error


def _comment(before: str) -> list[str]:
    lines = before.splitlines()
    end = next((at for at, line in enumerate(lines) if not line.startswith("#")), len(lines))
    return lines[:end]


def _known(before: str) -> dict[_Said, str]:
    known = (catalog.values(before) or {}).get("sources", {})
    return {(own["source"], own["date"], own["confidence"]): name for name, own in known.items()}


def _names(rows: list[Offer], known: Mapping[_Said, str]) -> dict[_Said, str]:
    """A name for every source that a row has, the old one where it has one."""
    used = dict.fromkeys(_said(row) for row in rows)
    names = {said: name for said, name in known.items() if said in used}
    for said in used:
        if said not in names:
            names[said] = _free(f"asked-{said[1]}", set(names.values()))
    return names


def _free(name: str, taken: set[str]) -> str:
    numbered = (f"{name}-{number}" for number in range(2, len(taken) + 3))
    return next(word for word in (name, *numbered) if word not in taken)


def _said(row: Offer) -> _Said:
    return (row.source, row.date, row.confidence)


def _sources(names: Mapping[_Said, str]) -> Iterable[str]:
    for (source, date, confidence), name in names.items():
        yield f"  {name}:"
        yield f"    source: {_scalar(source, block=True)}"
        yield f"    date: {date}"
        yield f"    confidence: {confidence}"


def _line(row: Offer, names: Mapping[_Said, str]) -> str:
    said: dict[str, Any] = {
        "offer": _scalar(row.name),
        "vendor": _scalar(row.vendor) if row.vendor else None,
        "region": _scalar(row.region) if row.region else None,
        "gpu": row.gpu,
        "count": row.count or None,
        "memory_gib": row.memory_gib,
        "market": row.market if row.market != "on-demand" else None,
        "usd": f'"{dollars(row.usd)}"',
        "free": "true" if row.free else None,
        "per": row.per,
        "status": _scalar(row.status) if row.status != "available" else None,
        "quota": row.quota,
        "from": names[_said(row)],
    }
    return (
        "  - {" + ", ".join(f"{key}: {own}" for key, own in said.items() if own is not None) + "}"
    )


def _scalar(text: str, *, block: bool = False) -> str:
    """A text as YAML: bare where it cannot be misread; a seller may say anything."""
    plain = _BLOCK if block else _PLAIN
    bare = plain.fullmatch(text) is not None and isinstance(document.resolve(text), str)
    return text if bare else json.dumps(text, ensure_ascii=not text.isprintable())
