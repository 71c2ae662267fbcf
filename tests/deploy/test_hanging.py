"""A replacement whose delete fails leaves Pulumi waiting for ever; then the run is ended."""

from __future__ import annotations

import threading
from typing import Any

from pulumi.automation import EngineEvent

from moorage.deploy.cli.hanging import Ending
from moorage.deploy.record import Record

BERTH = "urn:pulumi:local::demo::moorage:index:Berth::b"
OTHER = "urn:pulumi:local::demo::moorage:index:Thing::a"


class Run:
    """Events of one run, and whether it was ended."""

    def __init__(self) -> None:
        self.ended = threading.Event()
        run = Record(lambda _event: None)
        self.ending = Ending(end=self.ended.set, run=run, idle_s=0.01)

    def tell(self, kind: str, step: str, urn: str, *, is_left: bool = False) -> None:
        named = {"urn": urn, "type": urn.split("::")[2], "provider": ""}
        state = {**named, "id": "b", "parent": "", "custom": True, "delete": is_left}
        metadata: dict[str, Any] = {**named, "op": step, "old": state, "new": state}
        told = {"metadata": metadata, "status": 0, "steps": 0}
        self.ending.on_event(EngineEvent.from_json({"sequence": 1, "timestamp": 1, kind: told}))

    @property
    def is_being_ended(self) -> bool:
        return self.ending._timer is not None


def test_a_delete_that_was_to_make_room_ends_the_run_when_it_fails() -> None:
    run = Run()
    run.tell("resourcePreEvent", "delete-replaced", BERTH)
    run.tell("resOpFailedEvent", "delete-replaced", BERTH)
    assert run.ended.wait(10)


def test_a_state_that_could_not_be_saved_before_that_delete_is_only_said() -> None:
    run = Run()
    run.tell("resourcePreEvent", "delete-replaced", BERTH)
    said = {"message": "no space left", "color": "never", "severity": "error", "urn": BERTH}
    event = {"sequence": 2, "timestamp": 1, "diagnosticEvent": said}
    run.ending.on_event(EngineEvent.from_json(event))
    assert run.ended.wait(10)


def test_what_is_under_way_is_waited_for() -> None:
    run = Run()
    run.tell("resourcePreEvent", "create", OTHER)
    run.tell("resOpFailedEvent", "delete-replaced", BERTH)
    assert not run.is_being_ended
    run.tell("resOutputsEvent", "create", OTHER)
    assert run.ended.wait(10)


def test_other_failures_end_nothing() -> None:
    run = Run()
    run.tell("resOpFailedEvent", "create", OTHER)
    run.tell("resOpFailedEvent", "delete-replaced", BERTH, is_left=True)
    assert not run.is_being_ended


def test_a_run_that_is_over_is_not_ended_any_more() -> None:
    run = Run()
    run.ending.close()
    run.tell("resOpFailedEvent", "delete-replaced", BERTH)
    assert not run.is_being_ended
