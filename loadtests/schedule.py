"""When requests arrive: a seeded schedule that no answer can delay."""

from __future__ import annotations

import random
from collections.abc import Iterator


def arrivals(rate_per_s: float, seed: int) -> Iterator[float]:
    """Seconds after the start, without end: one arrival at a random point of each slot of 1/rate.

    Slots keep the number of arrivals exact, which short runs need; the random point keeps
    requests from falling into step with anything periodic in the service.
    """
    chance = random.Random(seed)  # noqa: S311 - a schedule must repeat, not surprise
    slot = 0
    while True:
        yield (slot + chance.random()) / rate_per_s
        slot += 1
