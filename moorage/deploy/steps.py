"""Steps are what the engine says that it would do, or did, to each resource; collected in order."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from pulumi.automation import EngineEvent

from moorage.deploy.events import is_internal, label

UNCHANGED: Final = frozenset({"same", "read", "refresh", "read-replacement", "read-discard"})
_WORDS: Final = {
    "create": "created",
    "update": "updated",
    "delete": "deleted",
    "replace": "replaced",
    "import": "imported",
}
_HALVES: Final = frozenset(
    {"create-replacement", "delete-replaced", "discard-replaced", "remove-pending-replace"}
)
_NAMED: Final = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One step on one resource: what kind, which properties, and what they would be."""

    urn: str
    kind: str  # Pulumi's word
    paths: tuple[str, ...] = ()  # of the properties that differ
    inputs: dict[str, Any] = field(default_factory=dict)  # secrets are masked in them

    @property
    def changes(self) -> bool:
        """Whether anything of a person's is touched."""
        return self.kind not in UNCHANGED and not is_internal(self.urn)


@dataclass
class Steps:
    """Collects the steps of one operation from the engine's events."""

    found: dict[tuple[str, str], Step] = field(default_factory=dict)

    def watch(self, event: EngineEvent) -> None:
        """Take one event; the last word on a step counts."""
        told = event.resource_pre_event or event.res_outputs_event
        if told is None:
            return
        step = _step(told.metadata)
        # A refresh announces a look, and only its end says what it found.
        self.found.pop((step.urn, "refresh"), None)
        self.found[step.urn, step.kind] = step

    @property
    def changes(self) -> list[Step]:
        """The steps that change something."""
        return [step for step in self.found.values() if step.changes]


def told(steps: Iterable[Step]) -> str:
    """What would change, in one line: `Marker one would be created and 3 more`."""
    whole = [step for step in steps if step.kind not in _HALVES]
    lines = [f"{label(s.urn)} would be {_WORDS.get(s.kind, s.kind)}" for s in whole[:_NAMED]]
    more = len(whole) - len(lines)
    return ", ".join(lines) + (f" and {more} more" if more else "")


def _step(metadata: Any) -> Step:
    new = metadata.new
    paths = metadata.detailed_diff or metadata.diffs or ()
    return Step(
        urn=metadata.urn,
        kind=str(getattr(metadata.op, "value", metadata.op)),
        paths=tuple(sorted(paths)),
        inputs=dict(new.inputs or {}) if new else {},
    )
