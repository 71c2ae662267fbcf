"""Steps are what the engine says that it would do, or did, to each resource; collected in order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from moorage.deploy.events import Event, Failed, Finished, Registered, Started
from moorage.deploy.urns import is_internal, is_stack, label, name_of, type_of

UNCHANGED: Final = frozenset({"same", "read", "refresh", "read-replacement", "read-discard"})
_WORDS: Final = {
    "create": "created",
    "update": "updated",
    "delete": "deleted",
    "replace": "replaced",
    "import": "imported",
    "delete-replaced": "rid of its old one",
}
_HALVES: Final = frozenset(
    {"create-replacement", "delete-replaced", "discard-replaced", "remove-pending-replace"}
)
# Steps that come before the one which the program asks for.
_BEFORE: Final = frozenset({"refresh", "delete-replaced", "remove-pending-replace"})
_NAMED: Final = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One step on one resource: what kind, which properties, and what they would be."""

    urn: str
    kind: str  # Pulumi's word
    paths: tuple[str, ...] = ()  # of the properties that differ
    # Secrets are masked in them, but what is secret after the step may still be plain before it.
    inputs: Mapping[str, Any] = field(default_factory=dict, repr=False)
    unfinished: bool = False  # it failed, and what it made or changed is in the state all the same

    @property
    def changes(self) -> bool:
        """Whether anything of a person's is touched."""
        return self.kind not in UNCHANGED and not is_internal(self.urn)


@dataclass
class Steps:
    """Collects the steps of one operation from its events."""

    goes_on: bool = False  # after a failure, with what does not depend on it
    found: dict[tuple[str, str], Step] = field(default_factory=dict)
    failed: list[Step] = field(default_factory=list)
    declared: list[tuple[str, str]] = field(default_factory=list)
    outputs: Mapping[str, Any] = field(default_factory=dict, repr=False)  # of the stack

    def watch(self, event: Event) -> None:
        """Take one event; the last word on a step counts."""
        match event:
            case Registered():
                self.declared.append((event.kind, event.name))
            case Started() | Finished():
                # A refresh announces a look, and only its end says what it found.
                self.found.pop((event.urn, "refresh"), None)
                self.found[event.urn, event.step] = _step(event)
                if is_stack(event.urn) and event.detail and event.detail.new:
                    self.outputs = dict(event.detail.new.outputs or {})
            case Failed():
                self.failed.append(_step(event))
            case _:
                pass

    @property
    def changes(self) -> list[Step]:
        """The steps that change something."""
        return [step for step in self.found.values() if step.changes]

    def replaced(self, urn: str) -> bool:
        """Whether the resource was replaced in this operation."""
        return (urn, "create-replacement") in self.found or (urn, "replace") in self.found

    def has_made_room(self, urn: str) -> bool:
        """Whether the resource was deleted in this operation, before there is a new one."""
        return (urn, "delete-replaced") in self.found

    @property
    def left_out(self) -> list[str]:
        """What the program declares and the engine never came to, as people call it."""
        reached = {(type_of(urn), name_of(urn)) for urn, kind in self.found if kind not in _BEFORE}
        reached |= {(type_of(step.urn), name_of(step.urn)) for step in self.failed}
        rest = [one for one in dict.fromkeys(self.declared) if one not in reached]
        return [f"{kind.rsplit(':', 1)[-1]} {name}" for kind, name in rest]


def told(steps: Iterable[Step]) -> str:
    """What would change, in one line: `Marker one would be created and 3 more`."""
    steps = list(steps)
    # What an earlier run left of a replacement stands alone; else it goes without saying.
    whole = [step for step in steps if step.kind not in _HALVES] or steps
    lines = [f"{label(s.urn)} would be {_WORDS.get(s.kind, s.kind)}" for s in whole[:_NAMED]]
    more = len(whole) - len(lines)
    return ", ".join(lines) + (f" and {more} more" if more else "")


def _step(event: Started | Finished | Failed) -> Step:
    detail = event.detail
    new = detail.new if detail else None
    paths = (detail.detailed_diff or detail.diffs or ()) if detail else ()
    inputs = dict(new.inputs or {}) if new else {}
    return Step(
        urn=event.urn,
        kind=event.step,
        paths=tuple(sorted(paths)),
        inputs=inputs,
        unfinished=bool(new and new.init_errors),
    )
