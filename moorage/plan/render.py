"""Plans as text for a terminal, as stable JSON with a digest, and as a pull-request comment."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from decimal import Decimal
from pathlib import PurePath
from typing import Any, Final

from moorage.plan.load import Loaded
from moorage.plan.types import Placement, Plan

_MIB = 1 << 20


def plan_json(plan: Plan) -> dict[str, Any]:
    """A plan as plain values: money as text, nothing that differs from run to run."""
    value = _plain(plan)
    assert isinstance(value, dict)
    return value


def digest(plan: Plan) -> str:
    """What identifies a plan: the SHA-256 of its canonical JSON."""
    canonical = json.dumps(plan_json(plan), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def _json(loaded: Loaded) -> str:
    content = {
        "version": 1,
        "plans": [{**plan_json(plan), "digest": digest(plan)} for plan in loaded.plans],
        "problems": [_plain(problem) for problem in loaded.problems],
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _text(loaded: Loaded) -> str:
    blocks = ["\n".join(_lines(plan)) + "\n" for plan in loaded.plans]
    problems = "".join(f"{problem}\n" for problem in loaded.problems)
    return "\n".join([*blocks, problems] if problems else blocks)


def _lines(plan: Plan) -> Iterator[str]:
    yield f"{plan.service} ({plan.team}): {plan.model_id}, {plan.task}"
    rows = [_row(placement) for placement in plan.placements]
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    for row, placement in zip(rows, plan.placements, strict=True):
        cells = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield f"  {cells}".rstrip()
        yield from (f"      {reason}" for reason in placement.reasons)
    yield f"  at most {_usd(plan.cost.most_usd)} a month; privacy tier {plan.privacy_tier}"


def _row(placement: Placement) -> tuple[str, ...]:
    return (placement.name, _what(placement), _settings(placement))


def _what(placement: Placement) -> str:
    weights = placement.weights
    if weights is None:
        return str(placement.options.get("url", ""))
    if weights.path is not None:
        return str(weights.path)
    size = f" ({weights.size_bytes / _MIB:,.0f} MiB)" if weights.size_bytes else ""
    return f"{weights.file}{size}"


def _settings(placement: Placement) -> str:
    shown = {key: value for key, value in placement.options.items() if key != "url"}
    return ", ".join(f"{key} {value}" for key, value in sorted(shown.items()))


def _markdown(loaded: Loaded) -> str:
    verdict = "refused" if _refused(loaded) else "good to go"
    lines = [f"### moorage plan: {verdict}", ""]
    if loaded.plans:
        lines += ["| service | model | where | most per month | tier |", "|---|---|---|---|---|"]
        lines += [_markdown_row(plan) for plan in loaded.plans]
        lines.append("")
    lines += [f"- {_cell(str(problem))}" for problem in loaded.problems]
    return "\n".join(lines).rstrip("\n") + "\n"


def _markdown_row(plan: Plan) -> str:
    where = ", then ".join(placement.name for placement in plan.placements)
    cells = [plan.service, plan.model_id, where, _usd(plan.cost.most_usd), plan.privacy_tier]
    return f"| {' | '.join(_cell(cell) for cell in cells)} |"


def _cell(text: str) -> str:
    """Text that can break neither the table nor the page."""
    for character, harmless in {"|": "\\|", "<": "&lt;", ">": "&gt;", "\n": " "}.items():
        text = text.replace(character, harmless)
    return text


def _refused(loaded: Loaded) -> bool:
    return any(problem.severity == "error" for problem in loaded.problems)


def _usd(amount: Decimal) -> str:
    return f"${amount:,.2f}"


def _plain(value: object) -> object:
    if is_dataclass(value):
        return {row.name: _plain(getattr(value, row.name)) for row in fields(value)}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in sorted(value.items())}
    if isinstance(value, Decimal):
        return str(value)
    return value.as_posix() if isinstance(value, PurePath) else value


FORMATS: Final[dict[str, Callable[[Loaded], str]]] = {
    "text": _text,
    "json": _json,
    "markdown": _markdown,
}
