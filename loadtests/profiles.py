"""The profiles: how long a run lasts, how much it must see, and how patient it is."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Final

from moorage.spec.types import Failover, Load, Slo


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """One service as a load test sees it."""

    service: str
    url: str  # with its version path: http://127.0.0.1:8700/v1
    api_key: str | None = field(default=None, repr=False)
    model: str
    task: str = "text-generation"
    slo: Slo = field(default_factory=Slo)
    failover: Failover = field(default_factory=Failover)
    load: Load = field(default_factory=Load)
    primary: str | None = None  # the backend that a fault takes away, as x-moorage-backend names it


@dataclass(frozen=True, kw_only=True, slots=True)
class Profile:
    name: str
    duration_s: float = 12.0  # of arrivals, where there is no fault
    baseline_s: float = 5.0
    hold_s: float = 6.0  # after the fault returned
    recovery_s: float = 8.0  # after the restore returned
    restore_limit_s: float = 120.0  # a restore that takes longer proves nothing
    min_requests: int = 20
    min_requests_per_phase: int = 10
    window_s: float = 2.0  # of the sliding windows that decide whether the service recovered
    longest_s: float = 60.0  # a phase is not stretched beyond this to reach its requests
    ready_limit_s: float = 60.0
    connect_timeout_s: float = 3.0
    first_token_timeout_s: float = 15.0
    stall_timeout_s: float = 5.0
    total_timeout_s: float = 30.0
    max_in_flight: int | None = None  # None: enough that only a client in trouble drops
    seed: int = 1

    @property
    def has_fault(self) -> bool:
        return self.name == "failover"

    @property
    def arrivals_limit_s(self) -> float:
        """Arrivals end here whatever happens; a failover run is told earlier to stop."""
        if not self.has_fault:
            return self.duration_s
        return self.baseline_s + self.hold_s + self.recovery_s + 2 * self.restore_limit_s


READY: Final = Profile(name="ready")
SMOKE: Final = Profile(name="smoke")
FAILOVER: Final = Profile(name="failover", min_requests=40)
PROFILES: Final[dict[str, Profile]] = {p.name: p for p in (READY, SMOKE, FAILOVER)}


def fitted(profile: Profile, load: Load) -> Profile:
    """The profile with its phases long enough for the requests it must see at this load."""
    least_s = _seconds_for(profile.min_requests, load)
    phase_s = _seconds_for(profile.min_requests_per_phase, load)

    def stretch(seconds: float, least: float) -> float:
        return max(seconds, min(least, profile.longest_s))

    return replace(
        profile,
        duration_s=stretch(profile.duration_s, least_s),
        baseline_s=stretch(profile.baseline_s, phase_s),
        hold_s=stretch(profile.hold_s, phase_s),
        recovery_s=stretch(profile.recovery_s, phase_s),
    )


def max_in_flight(profile: Profile, load: Load) -> int:
    """So many that only a client in trouble drops, even when every answer takes all its time."""
    if profile.max_in_flight is not None:
        return profile.max_in_flight
    return min(2000, max(64, math.ceil(load.rps * profile.total_timeout_s * 1.25)))


def _seconds_for(requests: int, load: Load) -> float:
    return (requests + 2) / max(load.rps, 1e-3)
