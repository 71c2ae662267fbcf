"""Labs whose cloud is the twin of Hugging Face: it kills, at its requests, who shall die.

A twin stays at its addresses while one lab after another uses it, as states tell of addresses;
each lab begins with the endpoints that it was left with. Its time goes on with every request and
not by itself, so that an operation makes the same requests however slow the machine is.
"""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Self

from aiohttp import web

from crash.endpoint_programs import SECRETS
from crash.live import Live, LiveLab
from moorage.twin import face
from moorage.twin.endpoint import Endpoint
from moorage.twin.scenario import Timings
from moorage.twin.serving import open_doors
from moorage.twin.world import World

_API: Final = "/v2/endpoint/"
_LATER: Final = 100.0  # until everything has come to its end
_CONFLICT: Final = 409
# In requests: the first look finds it running, the first question to it that it still loads, and
# the first look after a DELETE that it is still there.
_TIMINGS: Final = Timings(
    pending_s=0.4,
    initializing_s=0.4,
    stale_s=0.2,
    updating_s=0.5,
    loading_s=1.5,
    delete_s=1.5,
)


@dataclass(frozen=True, kw_only=True)
class Kept:
    """The endpoints that a lab was left with, and what was called until then."""

    endpoints: tuple[Endpoint, ...] = ()
    calls: tuple[str, ...] = ()


@dataclass(kw_only=True)
class LiveTwin(Live):
    """A twin that listens, and counts the points at which somebody may die."""

    world: World

    def kept(self) -> Kept:
        """How it is once nothing is under way in it."""
        self.world.clock.advance(_LATER)
        endpoints = tuple(map(_copy, self.world.endpoints.values()))
        return Kept(endpoints=endpoints, calls=tuple(self.calls))

    def restore(self, kept: Kept) -> None:
        """Be as it was left, with no point passed."""
        for endpoint in self.world.endpoints.values():
            endpoint.gone_at_s = self.world.clock.now_s()
        for endpoint in kept.endpoints:
            self.world.endpoints.add(_copy(endpoint))
        self.begin(kept.calls)

    @web.middleware
    async def watch(self, request: web.Request, handler: Any) -> web.StreamResponse:
        """Answer a request, with points before and after; a write has one within."""
        self.world.clock.advance(1.0)
        name, write = f"{request.method} {request.path}", await _write(request)
        if self.is_asker_dead(f"before {name}"):
            return _unanswered(request)
        answer: web.StreamResponse = await handler(request)
        if write and (answer.status < 400 or answer.status == _CONFLICT):
            self.calls.append(write)
        if write and self.is_asker_dead(f"within {name}"):
            return _unanswered(request)
        with suppress(ConnectionError):
            await answer.prepare(request)
            await answer.write_eof()
        self.is_asker_dead(f"after {name}")
        return answer


@dataclass(frozen=True, kw_only=True)
class EndpointLab(LiveLab):
    """A lab on a twin that is lent to it."""

    live: LiveTwin
    kept: Kept = Kept()

    @classmethod
    def empty(cls, *, folder: Path, environ: dict[str, str], twin: LiveTwin) -> Self:
        """One without endpoints."""
        twin.restore(Kept())
        return cls(folder=folder, environ=environ, live=twin)

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every token, and what is secret in a container."""
        return (*SECRETS, *self.live.world.people.texts())

    @property
    def changing(self) -> tuple[str, ...]:
        """When it was made, on a clock that goes on by requests."""
        return ("createdAt",)

    def things(self) -> dict[str, Any]:
        """Every endpoint, as it is once nothing is under way in it."""
        found = self.live.kept().endpoints
        return {one.id: (one.body, one.secrets, one.state) for one in found}

    def copied(self, folder: Path) -> Self:
        """The twin is lent to the copy."""
        self.live.restore(self.kept)
        return super().copied(folder)


@contextmanager
def live_twin() -> Iterator[LiveTwin]:
    """A twin that listens while the block runs."""
    twin = LiveTwin(world=face.make(face.Scenario(clock="driven", timings=_TIMINGS)))
    doors = face.doors(twin.world, host="127.0.0.1")
    for door in doors:
        door.app.middlewares.insert(0, twin.watch)
    with open_doors(doors) as urls:
        face.listens_at(twin.world, urls)
        yield twin


def _copy(endpoint: Endpoint) -> Endpoint:
    return replace(
        endpoint,
        body=deepcopy(endpoint.body),
        history=list(endpoint.history),
        log=list(endpoint.log),
        steps=deque(endpoint.steps),
        failures=dict(endpoint.failures),
        lock=threading.RLock(),
    )


async def _write(request: web.Request) -> str:
    """What it changes of the fleet, such as `POST acme/chat`; empty where it only asks."""
    key = request.path.removeprefix(_API)
    if request.method == "GET" or key == request.path:
        return ""
    if request.method == "POST" and "/" not in key:
        key = f"{key}/{json.loads(await request.read())['name']}"
    return f"{request.method} {key}"


def _unanswered(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()
