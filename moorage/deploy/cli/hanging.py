"""A run that can never end is ended: Pulumi leaves the program waiting in one kind of failure.

A replacement that deletes first is a chain of steps, and with `--continue-on-error` only the step
that failed is answered for (pkg/resource/deploy/step_executor.go, v3.259). Where that is the
delete, the program waits for ever for what it registered, and the engine for the program.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from pulumi.automation import EngineEvent
from pulumi.automation.events import StepEventMetadata

from moorage.deploy.record import Record

IDLE_S: Final = 3.0  # what else the program can still deploy begins sooner than that


@dataclass(kw_only=True)
class Ending:
    """Ends the run once nothing is under way any more, if such a delete has failed."""

    end: Callable[[], None]
    run: Record
    idle_s: float = IDLE_S
    _hangs: bool = False
    _is_over: bool = False
    _making_room: set[str] = field(default_factory=set)
    _timer: threading.Timer | None = None

    def on_event(self, event: EngineEvent) -> None:
        """Take one engine event, after the record."""
        self.run.on_event(event)
        self._hangs = self._has_failed(event) or self._hangs
        if not self._hangs or self._is_over:
            return
        self._wait_no_more()
        if not self.run.left():
            self._timer = threading.Timer(self.idle_s, self.end)
            self._timer.daemon = True
            self._timer.start()

    def _has_failed(self, event: EngineEvent) -> bool:
        begun, failed = event.resource_pre_event, event.res_op_failed_event
        if begun is not None and _keeps_waiting(begun.metadata):
            self._making_room.add(begun.metadata.urn)
        if failed is not None:
            return _keeps_waiting(failed.metadata)
        # Where the state could not be saved before the step, there is only a message.
        said = event.diagnostic_event
        if said is None or said.severity != "error" or said.urn not in self._making_room:
            return False
        return self.run.under_way.pop(str(said.urn), "") == "delete-replaced"

    def close(self) -> None:
        """The run is over; a late event must not end what comes after it."""
        self._is_over = True
        self._wait_no_more()

    def _wait_no_more(self) -> None:
        if self._timer is not None:
            self._timer.cancel()


def _keeps_waiting(step: StepEventMetadata) -> bool:
    """Whether the failed step was to make room; what an earlier run left is marked as deleted."""
    is_delete = str(getattr(step.op, "value", step.op)) == "delete-replaced"
    return is_delete and step.old is not None and not step.old.delete
