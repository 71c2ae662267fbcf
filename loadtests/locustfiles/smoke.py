"""The smoke test: steady arrivals for a few seconds, judged by the service levels."""

from __future__ import annotations

from loadtests.locustfiles.open_loop import OpenLoopUser


class SmokeUser(OpenLoopUser):
    """Arrivals end when the profile's duration is over."""
