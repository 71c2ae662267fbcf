"""Events as JSON, one object per line, for machines; docs/events.md says what each one holds."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final, TextIO

from moorage.deploy.events import (
    Began,
    Ended,
    Event,
    Failed,
    Finished,
    Note,
    Registered,
    Said,
    Started,
)
from moorage.deploy.show import diffs, money, values
from moorage.deploy.show.diffs import Change
from moorage.deploy.show.run import Clock, Row, Run, follow, found_drift
from moorage.deploy.show.words import UNCHANGED_STEPS
from moorage.deploy.urns import is_internal, name_of, type_of

VERSION: Final = 1

Now = Callable[[], datetime]


def _utc_now() -> datetime:
    return datetime.now(UTC)


class JsonLines:
    """Every event as a line, and the result as the last one."""

    def __init__(self, out: TextIO, *, clock: Clock = time.monotonic, now: Now = _utc_now) -> None:
        self._out = out
        self._run = Run(clock)
        self._now = now
        self._first = True

    def __call__(self, event: Event) -> None:
        """Write what the event holds."""
        self._run = follow(self._run, event)
        row = self._run.take(event)
        if not _is_book_keeping(event):
            self._write(*self._told(event, row))

    def tick(self) -> None:
        """Nothing: machines need no sign of life."""

    def _told(self, event: Event, row: Row | None) -> tuple[str, dict[str, Any]]:
        match event:
            case Began():
                return "began", {"operation": event.operation, "stack": event.stack}
            case Started():
                return "started", _step(event, row)
            case Finished():
                return "finished", {**_step(event, row), **_took(row, self._run.clock())}
            case Failed():
                return "failed", {**_step(event, row), **_took(row, self._run.clock())}
            case Said():
                about = _resource(event.urn) if event.urn else {}
                brief = {"newest_only": True} if event.newest_only else {}
                return "said", {"severity": event.severity, "text": event.text, **about, **brief}
            case Note():
                return "note", {"text": event.text}
            case Ended():
                return "result", _result(event, self._run)
            case _:
                raise AssertionError(event)

    def _write(self, name: str, told: dict[str, Any]) -> None:
        version = {"version": VERSION} if self._first else {}
        self._first = False
        at = self._now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
        line = {"event": name, "time": at, **version, **told}
        self._out.write(json.dumps(line, separators=(", ", ": "), allow_nan=False) + "\n")
        self._out.flush()


def _is_book_keeping(event: Event) -> bool:
    """Whether an event is of no use to a machine; what Pulumi's own resources say still is."""
    match event:
        case Registered():
            return True
        case Started() | Finished() | Failed():
            return is_internal(event.urn)
        case _:
            return False


def _resource(urn: str) -> dict[str, Any]:
    return {"urn": urn, "type": type_of(urn), "name": name_of(urn)}


def _step(event: Started | Finished | Failed, row: Row | None) -> dict[str, Any]:
    """What is done to which resource, at which price, and what it changes."""
    told = {**_resource(event.urn), "step": event.step}
    detail = event.detail
    if detail is None:
        return told
    state = detail.new or detail.old
    if state is not None and state.parent and not is_internal(state.parent):
        told["parent"] = state.parent
    cost = money.hourly_usd(state)
    if cost is not None:
        told["hourly_usd"] = money.write(cost)
    if isinstance(event, Started):
        return told
    drifted = isinstance(event, Finished) and found_drift(row, event)
    found = diffs.drift(detail) if drifted and detail.new else diffs.changes(detail)
    why = "" if drifted else diffs.reason(detail, found)
    return {
        **told,
        **({"drift": True} if drifted else {}),
        **({"reason": why} if why else {}),
        **({"changes": [_change(one) for one in found]} if found else {}),
    }


def _change(one: Change) -> dict[str, Any]:
    told: dict[str, Any] = {"property": values.write_path(one.path), "kind": one.kind}
    if one.replaces:
        told["replaces"] = True
    if one.secret:
        return {**told, "secret": True}
    if one.kind != "add":
        told["old"] = one.old
    if one.kind != "delete":
        told |= {"unknown": True} if one.new is values.UNKNOWN else {"new": one.new}
    return told


def _took(row: Row | None, now_s: float) -> dict[str, Any]:
    return {"duration_s": round(now_s - row.began_s, 3)} if row is not None else {}


def _result(event: Ended, run: Run) -> dict[str, Any]:
    """What the whole operation did."""
    sums, planned = run.money, event.operation == "preview"
    costs = {
        "before_hourly_usd": money.write(sums.before_usd),
        "after_hourly_usd": money.write(sums.after_usd if planned else sums.now_usd),
    }
    return {
        "operation": event.operation,
        "stack": event.stack,
        "fine": event.fine,
        "changed": any(n for step, n in event.changes.items() if step not in UNCHANGED_STEPS),
        "changes": dict(event.changes),
        "duration_s": round(event.duration_s, 3),
        **({"money": costs} if sums.known else {}),
        "outputs": dict(run.outputs),
    }
