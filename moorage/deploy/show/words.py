"""Words for what the engine does: while it lasts, when it is done, and when it is only planned."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from moorage.deploy.events import Ended, Said
from moorage.deploy.show import money
from moorage.deploy.show.money import Money
from moorage.deploy.urns import is_internal, label

# Pulumi's step -> (while it lasts, when it is done); steps that are not here change nothing.
WORDS: Final = {
    "create": ("creating", "created"),
    "update": ("updating", "updated"),
    "delete": ("deleting", "deleted"),
    "replace": ("replacing", "replaced"),
    "create-replacement": ("creating anew", "created anew"),
    "delete-replaced": ("deleting the old", "deleted the old"),
    "discard-replaced": ("dropping the old", "dropped the old"),
    "import": ("importing", "imported"),
    "import-replacement": ("importing anew", "imported anew"),
    "remove-pending-replace": ("forgetting the old", "forgot the old"),
}
# A preview finishes every step at once, and nothing is done by then.
PLANNED: Final = {step: f"would be {done}" for step, (_, done) in WORDS.items()}
# What looking at a thing found; a step that began as `refresh` changes the state only.
FOUND: Final = {"update": "differs from the state", "delete": "is gone"}
UNCHANGED_STEPS: Final = frozenset({"same", "read", "refresh", "read-replacement", "read-discard"})
# A replacement is told once: by the whole where it is planned, by its parts where they take time.
_PARTS: Final = frozenset(
    {"create-replacement", "delete-replaced", "discard-replaced", "import-replacement"}
)
_WHOLE: Final = "replace"


def doing(step: str) -> str:
    """What is being done."""
    return WORDS.get(step, ("looking at", ""))[0]


def is_told(step: str, urn: str, *, preview: bool) -> bool:
    """Whether a step is worth a line of its own."""
    told_elsewhere = step in _PARTS if preview else step == _WHOLE
    return step in WORDS and not told_elsewhere and not is_internal(urn)


def done_line(urn: str, step: str, took_s: float) -> str:
    """A step that is done."""
    return f"{WORDS[step][1]} {label(urn)} ({took_s:.1f} s)"


def failed_line(urn: str, step: str, took_s: float) -> str:
    """A step that failed."""
    return f"FAILED {doing(step)} {label(urn)} ({took_s:.1f} s)"


def with_reason(line: str, reason: str) -> str:
    """A line and why it is so, where that is known."""
    return f"{line}: {reason}" if reason else line


def said_line(event: Said) -> str:
    """What somebody said, with who it is about."""
    about = "" if not event.urn or is_internal(event.urn) else f"{label(event.urn)}: "
    warning = "warning: " if event.severity == "warning" else ""
    return f"{warning}{about}{event.text}"


def summary(event: Ended, sums: Money | None = None) -> str:
    """The one line at the end of an operation."""
    words = PLANNED if event.operation == "preview" else {s: w[1] for s, w in WORDS.items()}
    changes = [
        f"{count} {words.get(step, step)}"
        for step, count in sorted(event.changes.items())
        if count and step not in UNCHANGED_STEPS
    ]
    same = event.changes.get("same", 0)
    told = ", ".join(changes) or ("nothing changed" if event.fine else "nothing finished")
    verdict = "" if event.fine else " (failed)"
    unchanged = f", {same} unchanged" if same else ""
    costs = costs_of(event, sums)
    return (
        f"{event.operation} {event.stack}{verdict}: {told}{unchanged}, {event.duration_s:.1f} s"
        f"{f', {costs}' if costs else ''}"
    )


def costs_of(event: Ended, sums: Money | None) -> str:
    """What the stack costs per hour, before and after; empty where nobody knows."""
    if sums is None or not sums.known:
        return ""
    after = sums.after_usd if event.operation == "preview" else sums.now_usd
    if after == sums.before_usd:
        return f"{money.write(after)} USD/h"
    return f"{money.write(sums.before_usd)} -> {money.write(after)} USD/h"


def outputs_line(names: Sequence[str]) -> str:
    """Which outputs of the stack changed; empty where none did."""
    return f"outputs changed: {', '.join(names)}" if names else ""
