"""A verdict as people and machines read it: JSON, Markdown and text, without prompts and keys."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from loadtests.measures import Measure
from loadtests.verdict import Verdict, shown

SCHEMA_VERSION: Final = 1

_HEADINGS = ("measure", "value", "limit", "n", "")


def write(verdict: Verdict, folder: Path, context: Mapping[str, Any] | None = None) -> Path:
    """Write report.json and report.md; gives back the path of report.md."""
    folder.mkdir(parents=True, exist_ok=True)
    document = json.dumps(to_document(verdict, context or {}), indent=2) + "\n"
    (folder / "report.json").write_text(document, encoding="utf-8")
    markdown = folder / "report.md"
    markdown.write_text(to_markdown(verdict), encoding="utf-8")
    return markdown


def to_document(verdict: Verdict, context: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "schema_version": SCHEMA_VERSION,
        "ruling": verdict.ruling.value,
        "exit_code": int(verdict.exit_code),
        "profile": verdict.profile,
        "service": verdict.service,
        "reasons": list(verdict.reasons),
        "measures": [asdict(measure) for measure in verdict.measures],
        "outcomes": dict(verdict.outcomes),
        "backends": _shares(verdict.backends),
        "health": asdict(verdict.health),
        "run": dict(context),
    }


def to_markdown(verdict: Verdict) -> str:
    lines = [f"### {_title(verdict)}"]
    if verdict.reasons:
        lines += ["", *(f"- {reason}" for reason in verdict.reasons)]
    if verdict.measures:
        lines += ["", f"| {' | '.join(_HEADINGS)} |", "|---|---:|---:|---:|---|"]
        lines += [f"| {' | '.join(_cells(measure))} |" for measure in verdict.measures]
    lines += ["", *_footer(verdict)]
    return "\n".join(lines).rstrip() + "\n"


def to_text(verdict: Verdict) -> str:
    """A compact table for the terminal."""
    lines = [_title(verdict), *(f"  {reason}" for reason in verdict.reasons)]
    rows = [_HEADINGS, *map(_cells, verdict.measures)] if verdict.measures else []
    widths = [max(len(row[column]) for row in rows) for column in range(4)] if rows else []
    for name, value, limit, count, mark in rows:
        cells = f"  {name:<{widths[0]}}  {value:>{widths[1]}}  {limit:>{widths[2]}}"
        lines.append(f"{cells}  {count:>{widths[3]}}  {mark}".rstrip())
    return "\n".join([*lines, *(f"  {line}" for line in _footer(verdict))])


def _title(verdict: Verdict) -> str:
    service = f" of {verdict.service}" if verdict.service else ""
    return f"{verdict.ruling}: {verdict.profile}{service}"


def _cells(measure: Measure) -> tuple[str, str, str, str, str]:
    value = "-" if measure.value is None else shown(measure.value, measure.unit)
    limit = "" if measure.limit is None else f"<= {shown(measure.limit, measure.unit)}"
    mark = "" if measure.ok is None else "ok" if measure.ok else "missed"
    return measure.name, value, limit, str(measure.n), mark


def _footer(verdict: Verdict) -> Sequence[str]:
    lines = []
    if verdict.outcomes:
        counts = ", ".join(f"{name} {count}" for name, count in verdict.outcomes.items())
        lines.append(f"outcomes: {counts}")
    if verdict.backends:
        shares = _shares(verdict.backends)
        lines.append("backends: " + ", ".join(f"{b} {s['share']:.0%}" for b, s in shares.items()))
    return lines


def _shares(backends: Mapping[str, int]) -> dict[str, dict[str, float]]:
    total = sum(backends.values())
    return {name: {"answers": n, "share": n / total} for name, n in backends.items()}
