"""The failover test: the same arrivals before, during and after a fault of the first backend."""

from __future__ import annotations

from loadtests.locustfiles.open_loop import OpenLoopUser


class FailoverUser(OpenLoopUser):
    """Arrivals end when standard input says so, after the recovery."""
