"""The record of one operation: what the engine's events told, counted and kept for the end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pulumi.automation import EngineEvent

from moorage.deploy.events import Event, Failed, Finished, Said, Started, is_component, translate
from moorage.deploy.stored.pending import failed_create
from moorage.deploy.urns import is_stack, label

UNCHANGED_STEPS = frozenset({"same", "read", "refresh"})


@dataclass
class Record:
    """What the events of one operation have told so far; passes each of them on."""

    display: Callable[[Event], None]
    counted: dict[str, int] = field(default_factory=dict)
    stack_step: str = ""
    under_way: dict[str, str] = field(default_factory=dict)
    errors: list[Said] = field(default_factory=list)
    failed_creates: list[dict[str, Any]] = field(default_factory=list)
    broken: Exception | None = None

    def on_event(self, event: EngineEvent) -> None:
        """Take one engine event, in the event stream's thread, which would swallow our mistakes."""
        try:
            self._take(event)
        except Exception as error:
            self.broken = self.broken or error
            raise

    def _take(self, event: EngineEvent) -> None:
        if event.summary_event is not None:
            counted = event.summary_event.resource_changes.items()
            self.counted = {str(getattr(k, "value", k)): int(v) for k, v in counted}
        if event.res_op_failed_event is not None:
            metadata = event.res_op_failed_event.metadata
            if "create" in str(getattr(metadata.op, "value", metadata.op)) and metadata.new:
                self.failed_creates.append(failed_create(metadata.new))
        told = translate(event)
        match told:
            case None:
                return
            case Started():
                if not is_component(told):
                    self.under_way[told.urn] = told.step
            case Finished() | Failed():
                self._over(told)
            case Said(severity="error"):
                self.errors.append(told)
            case _:
                pass
        self.display(told)

    @property
    def changes(self) -> dict[str, int]:
        """Resources per step as the engine counts them, less the stack that it counts too."""
        rest = {step: n - (step == self.stack_step) for step, n in self.counted.items()}
        return {step: count for step, count in rest.items() if count > 0}

    def _over(self, told: Finished | Failed) -> None:
        self.under_way.pop(told.urn, None)
        if is_stack(told.urn) and isinstance(told, Finished):
            self.stack_step = told.step

    def left(self) -> list[str]:
        """What was being worked on when the events stopped."""
        return [
            f"{step} of {label(urn)}"
            for urn, step in self.under_way.items()
            if step not in UNCHANGED_STEPS and not is_stack(urn)
        ]
