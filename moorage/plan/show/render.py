"""Plans as text for a terminal, as stable JSON with a digest, and as a pull-request comment."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import PurePath
from typing import Any, Final, Protocol

from msgspec import Struct
from msgspec.structs import asdict

from moorage.plan.load import Loaded
from moorage.plan.money.prices import APP_HARDWARE
from moorage.plan.show import published
from moorage.plan.show.comment import comment, usd
from moorage.plan.show.compare import Against, markdown_changes
from moorage.plan.show.plan_schema import VERSION
from moorage.plan.types import Cost, Placement, Plan
from moorage.spec.compose import flow

_MIB = 1 << 20
_PASSED_SHOWN = 4


def plan_json(plan: Plan) -> dict[str, Any]:
    """A plan as plain values: money as text, nothing that differs from run to run."""
    value = _plain(plan)
    assert isinstance(value, dict)
    return value


def digest(plan: Plan) -> str:
    """What identifies a plan: the SHA-256 of its canonical JSON."""
    canonical = json.dumps(plan_json(plan), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def _json(loaded: Loaded, _against: Against | None = None) -> str:
    content = {
        "version": VERSION,
        "plans": [{**plan_json(plan), "digest": digest(plan)} for plan in loaded.plans],
        "problems": [_plain(problem) for problem in loaded.problems],
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _text(loaded: Loaded, against: Against | None = None) -> str:
    blocks = ["\n".join(_lines(plan)) + "\n" for plan in loaded.plans]
    blocks.append("".join(f"{problem}\n" for problem in loaded.problems))
    if against is not None:
        told = [f"Against {against.ref}:", "", *markdown_changes(against.changes)]
        blocks.append("\n".join(told) + "\n")
    return "\n".join(block for block in blocks if block)


def _lines(plan: Plan) -> Iterator[str]:
    yield f"{plan.service} ({plan.team}): {plan.model_id}, {plan.task}"
    rows = [_row(placement) for placement in plan.placements]
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    for row, placement in zip(rows, plan.placements, strict=True):
        cells = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield f"  {cells}".rstrip()
        yield from (f"      {reason}" for reason in _told(placement))
    yield from (f"  left out: {row.name}: {row.why}" for row in plan.passed_over)
    yield from _app(plan)
    yield from (f"  publishes {published.line(row)}" for row in plan.publish)
    where = f" in {', '.join(plan.regions)}" if plan.regions else ""
    yield f"  {_month(plan.cost)}; privacy tier {plan.privacy_tier}{where}"


def _app(plan: Plan) -> Iterator[str]:
    if plan.app is not None and plan.app_cost is not None:
        hardware = plan.app.options.get("hardware", APP_HARDWARE)
        yield f"  app: a Space on {hardware}, {_month(plan.app_cost)}"


def _told(placement: Placement) -> Iterator[str]:
    yield from placement.reasons
    if placement.engine and placement.machine:
        flags = " ".join(_option(key, value) for key, value in placement.flags.items())
        engine = f"{placement.engine} {placement.version or ''}".rstrip()
        yield f"{engine}: {flags}".rstrip(": ")
    if placement.env:
        yield "with " + " ".join(f"{key}={_shown(value)}" for key, value in placement.env.items())
    if placement.device_ids:
        yield f"on GPU {', '.join(placement.device_ids)} of {placement.options['host']}"
    for row in placement.passed_over[:_PASSED_SHOWN]:
        yield f"not {row.name}: {row.why}"
    if (more := len(placement.passed_over) - _PASSED_SHOWN) > 0:
        yield f"and {more} more passed over; `--format json` has them"


def _option(key: str, value: object) -> str:
    if isinstance(value, bool):
        return f"--{key}" if value else f"--no-{key}"
    return f"--{key} {_shown(value)}"


def _shown(value: object) -> str:
    """As it is, or as a spec would write it where a terminal would obey it."""
    text = str(value)
    return text if text.isprintable() else flow(text)


def _flag(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _month(cost: Cost) -> str:
    if cost.least_usd == cost.expected_usd == cost.most_usd:
        return f"{usd(cost.most_usd)} a month"
    return (
        f"{usd(cost.expected_usd)} a month expected, at least {usd(cost.least_usd)}, "
        f"at most {usd(cost.most_usd)}"
    )


def _row(placement: Placement) -> tuple[str, ...]:
    return (placement.name, _what(placement), _settings(placement))


def _what(placement: Placement) -> str:
    weights, machine = placement.weights, placement.machine
    if placement.routes:
        return ", then ".join(placement.routes)
    if machine is not None:
        gpus = f"{machine.gpu} x{machine.count}" if machine.gpu else machine.instance or ""
        place = " ".join(part for part in (machine.vendor, machine.region) if part)
        return f"{gpus} in {place}" if place else gpus
    if weights is None:
        return str(placement.options.get("url", ""))
    if weights.path is not None:
        return str(weights.path)
    size = f" ({weights.size_bytes / _MIB:,.0f} MiB)" if weights.size_bytes else ""
    return f"{weights.file}{size}"


_SHOWN_ELSEWHERE: Final = ("url", "gpu", "count", "vendor", "region", "provider", "replicas")


def _settings(placement: Placement) -> str:
    shown = {key: _short(value) for key, value in placement.options.items()}
    words = [
        f"{key} {value}" for key, value in sorted(shown.items()) if key not in _SHOWN_ELSEWHERE
    ]
    machine = placement.machine
    if machine is not None:
        low, high = machine.replicas_min, machine.replicas_max
        words.insert(0, f"replicas {low}" if low == high else f"replicas {low} to {high}")
    return ", ".join(words)


def _short(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_short(own)}" for key, own in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_short, value)) + "]"
    return _flag(value)


def _plain(value: object) -> object:
    if isinstance(value, Struct):
        return {name: _plain(own) for name, own in asdict(value).items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in sorted(value.items())}
    if isinstance(value, Decimal):
        return format(value, "f")
    return value.as_posix() if isinstance(value, PurePath) else value


class Render(Protocol):
    """Plans as text; `against` is what they change, where that was asked."""

    def __call__(self, loaded: Loaded, against: Against | None = None, /) -> str: ...


FORMATS: Final[dict[str, Render]] = {
    "text": _text,
    "json": _json,
    "markdown": comment,
}
