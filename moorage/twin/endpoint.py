"""One endpoint of the twin: what it was asked to be, and what time and requests make of it."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Final

from moorage.twin.clock import Clock
from moorage.twin.people import identity
from moorage.twin.scenario import Start, Timings

_REPLICAS: Final = ("running", "updating", "updateFailed")
_WITH_URL: Final = ("initializing", "running", "updating", "updateFailed", "scaledToZero")
_NEVER_S: Final = float("inf")


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """A state to come."""

    at_s: float
    state: str
    message: str
    error: str = ""
    log: Sequence[str] = ()  # what the container says before


@dataclass(kw_only=True, slots=True, eq=False)
class Endpoint:
    """A record of the service; `settle` brings it up to the present before anybody looks."""

    account: str
    name: str
    body: dict[str, Any]  # as accepted: every field but status, without secrets' values
    clock: Clock
    timings: Timings
    starts: Sequence[Start]  # the scenario's own
    doom: Sequence[Start] = ()  # what its body makes of every start
    created_by: str
    url: str
    secrets: dict[str, str] = field(default_factory=dict)
    credentials: dict[str, str] = field(default_factory=dict)
    state: str = "pending"
    message: str = ""
    error: str = ""
    history: list[str] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    steps: deque[Step] = field(default_factory=deque)
    created_at: str = ""
    updated_at: str = ""
    updated_by: str = ""
    loaded_at_s: float = _NEVER_S
    last_used_s: float = 0.0
    last_used_at: str | None = None
    drained_at_s: float = 0.0
    gone_at_s: float = _NEVER_S
    serving: int = 0  # requests that the engine is busy with
    failures: dict[str, int] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)

    @property
    def id(self) -> str:
        """As everybody calls it: account/name."""
        return f"{self.account}/{self.name}"

    @property
    def scaling(self) -> dict[str, Any]:
        """Its scaling as told."""
        scaling: dict[str, Any] = self.body["compute"]["scaling"]
        return scaling

    @property
    def raw(self) -> dict[str, Any]:
        """The JSON that the API tells now."""
        with self.lock:
            self.settle()
            return {**self.body, "status": self._status()}

    def settle(self) -> None:
        """Let happen what is due."""
        with self.lock:
            now_s = self.clock.now_s()
            while self.steps and self.steps[0].at_s <= now_s:
                step = self._step()
                if step.state == "running":
                    self.last_used_s = max(self.last_used_s, step.at_s)
            self._fall_asleep(now_s)

    @property
    def is_gone(self) -> bool:
        """Whether a GET does not find it any more."""
        return self.clock.now_s() >= self.gone_at_s

    @property
    def is_going(self) -> bool:
        """Whether somebody deleted it."""
        return self.gone_at_s < _NEVER_S

    @property
    def is_loaded(self) -> bool:
        """Whether the engine behind it has its weights."""
        self.settle()
        return self.state in _REPLICAS and self.clock.now_s() >= self.loaded_at_s

    def start(self, by: str) -> None:
        """From nothing, from a pause or after a failure: pending, initializing, running."""
        with self.lock:
            self.steps.clear()
            self._enter("pending", "Endpoint waiting to be scheduled", by=by)
            at_s = self.clock.now_s() + self.timings.pending_s
            self._boot(at_s, self.timings.initializing_s)

    def wake(self) -> None:
        """A request came while it was scaled to zero."""
        with self.lock:
            self.settle()
            if self.state == "scaledToZero" and not self.steps:
                self._boot(self.clock.now_s(), self.timings.wake_s)
                self.settle()

    def update(self, by: str) -> None:
        """Something of it was changed; a paused one stays paused, a sleeping one asleep."""
        with self.lock:
            self.settle()
            self.updated_at, self.updated_by = self.clock.stamp(), by
            if self.state in ("pending", "initializing", "failed"):
                self.start(by)
            elif self.state != "paused":
                self._roll_out(asleep=self.state == "scaledToZero" and self._may_sleep())

    def pause(self, by: str) -> None:
        """Stop every replica; the last one needs a moment."""
        with self.lock:
            self.settle()
            if self.state in _REPLICAS:
                self.drained_at_s = self.clock.now_s() + self.timings.drain_s
            self.steps.clear()
            self._enter("paused", "Endpoint is paused", by=by)

    def sleep(self, by: str) -> None:
        """Scale to zero."""
        with self.lock:
            self.steps.clear()
            self._enter("scaledToZero", "Endpoint scaled to zero", by=by)

    def delete(self) -> None:
        """It goes, but not at once."""
        with self.lock:
            self.gone_at_s = min(self.gone_at_s, self.clock.now_s() + self.timings.delete_s)

    def hurry(self) -> None:
        """Be now what time would have made of it."""
        with self.lock:
            while self.steps:
                self._step()
            self.loaded_at_s = self.last_used_s = self.clock.now_s()

    def used(self) -> None:
        """A request reached its engine: that keeps it awake."""
        self.last_used_s, self.last_used_at = self.clock.now_s(), self.clock.stamp()

    def replicas(self) -> int:
        """How many of its replicas are ready."""
        running = self.state in _REPLICAS
        draining = self.state == "paused" and self.clock.now_s() < self.drained_at_s
        return max(int(self.scaling["minReplica"]), 1) if running or draining else 0

    def _step(self) -> Step:
        step = self.steps.popleft()
        self.log += step.log
        self._enter(step.state, step.message, step.error)
        return step

    def _boot(self, at_s: float, boot_s: float) -> None:
        bad = self._next_failure("start")
        if bad is not None and bad.ends == "unscheduled":
            self.message = bad.message
            return
        said = bad.log if bad is not None and bad.ends == "stuck" else ()
        says = "Endpoint is initializing"
        self.steps.append(Step(at_s=at_s, state="initializing", message=says, log=said))
        if bad is None:
            self._run_at(at_s + boot_s)
        elif bad.ends == "failed":
            self._fail_at(at_s + boot_s, "failed", bad)

    def _roll_out(self, *, asleep: bool) -> None:
        """The old state is still told for a moment, then `updating`, then how it ended."""
        self.steps.clear()
        at_s = self.clock.now_s() + self.timings.stale_s
        self.steps.append(Step(at_s=at_s, state="updating", message="Endpoint is updating"))
        bad = self._next_failure("update")
        if bad is not None and bad.ends == "failed":
            self._fail_at(at_s + self.timings.updating_s, "updateFailed", bad)
        elif asleep:
            end_s = at_s + self.timings.updating_s
            self.steps.append(_asleep(end_s))
        elif bad is None:
            self._run_at(at_s + self.timings.updating_s)

    def _run_at(self, at_s: float) -> None:
        self.steps.append(Step(at_s=at_s, state="running", message="Endpoint is ready"))
        self.loaded_at_s = at_s + self.timings.loading_s

    def _fail_at(self, at_s: float, state: str, bad: Start) -> None:
        self.steps.append(
            Step(at_s=at_s, state=state, message=bad.message, error=bad.message, log=bad.log)
        )

    def _next_failure(self, when: str) -> Start | None:
        for bad in (*self.doom, *self.starts):
            key = f"{bad.when} {bad.name} {bad.message}"
            seen = self.failures.get(key, 0)
            if bad.when == when and fnmatchcase(self.name, bad.name) and seen != bad.times:
                self.failures[key] = seen + 1
                return bad
        return None

    def _fall_asleep(self, now_s: float) -> None:
        if self.state != "running" or self.steps or self.serving or not self._may_sleep():
            return
        minutes = self.scaling.get("scaleToZeroTimeout")
        if not minutes:
            return
        idle_s = float(minutes) * self.timings.minute_s + self.timings.late_s
        if now_s - self.last_used_s >= idle_s:
            self._enter("scaledToZero", "Endpoint scaled to zero")

    def _may_sleep(self) -> bool:
        return int(self.scaling["minReplica"]) == 0

    def _enter(self, state: str, message: str, error: str = "", *, by: str = "") -> None:
        self.state, self.message, self.error = state, message, error
        self.history.append(state)
        self.updated_at = self.clock.stamp()
        self.updated_by = by or self.updated_by
        self.log.append(f"{self.updated_at} {message}")

    def _status(self) -> dict[str, Any]:
        told: dict[str, Any] = {
            "createdAt": self.created_at,
            "createdBy": _person(self.created_by),
            "updatedAt": self.updated_at,
            "updatedBy": _person(self.updated_by),
            "private": None,
            "state": self.state,
            "message": self.message,
            "readyReplica": self.replicas(),
            # Not zero while paused or asleep: it is what the scaling asks for.
            "targetReplica": max(int(self.scaling["minReplica"]), 1),
        }
        optional = {
            "errorMessage": self.error or None,
            "lastUsedAt": self.last_used_at,
            "url": self.url if self.state in _WITH_URL else None,
        }
        return told | {key: value for key, value in optional.items() if value is not None}


def born(endpoint: Endpoint, by: str) -> Endpoint:
    """Begin its life."""
    endpoint.created_at = endpoint.clock.stamp()
    endpoint.start(by)
    return endpoint


def _asleep(at_s: float) -> Step:
    return Step(at_s=at_s, state="scaledToZero", message="Endpoint scaled to zero")


def _person(name: str) -> dict[str, str]:
    return {"id": identity(name), "name": name}
