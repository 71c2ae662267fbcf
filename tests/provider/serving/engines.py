"""The twin's engine in a thread of a test."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from moorage.twin import serving
from moorage.twin.engine import app, conduct, orders
from moorage.twin.engine.seats import Seats

KEY = "sk-engine"


@contextmanager
def engine(*words: str, **environment: str) -> Iterator[str]:
    """The address of an engine that serves acme/m, or what its command line says."""
    order = orders.read(words if "--alias" in words else ("acme/m", *words), {"VLLM_API_KEY": KEY})
    ways = conduct.read(environment, order)
    made = app.Engine(order=order, conduct=ways, seats=Seats(seats=order.seqs, queued=order.queued))
    with serving.in_thread(app.make(made), host="127.0.0.1", ports=[0], drops=True) as (url,):
        yield url
