"""Labs whose cloud is the twin of Hugging Face: it kills, at its requests, who shall die.

A twin stays at its addresses while one lab after another uses it, as states tell of addresses;
each lab begins with the endpoints that it was left with. Its time goes on with every request and
not by itself, so that an operation makes the same requests however slow the machine is.
"""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from copy import deepcopy
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Final, Self

from aiohttp import web

from crash.endpoint_programs import SECRETS
from crash.lab import Driver, Lab
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


@dataclass(frozen=True, kw_only=True)
class _Doom:
    number: int
    victims: str
    kill: Callable[[], None]


@dataclass(kw_only=True)
class LiveTwin:
    """A twin that listens, and counts the points at which somebody may die."""

    world: World
    calls: list[str] = field(default_factory=list)
    points: list[str] = field(default_factory=list)
    doom: _Doom | None = None
    was_struck: bool = False

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
        self.calls[:], self.points[:] = kept.calls, ()
        self.doom, self.was_struck = None, False

    @web.middleware
    async def watch(self, request: web.Request, handler: Any) -> web.StreamResponse:
        """Answer a request, with points before and after; a write has one within."""
        self.world.clock.advance(1.0)
        name, write = f"{request.method} {request.path}", await _write(request)
        if self._is_asker_dead(f"before {name}"):
            return _unanswered(request)
        answer: web.StreamResponse = await handler(request)
        if write and (answer.status < 400 or answer.status == _CONFLICT):
            self.calls.append(write)
        if write and self._is_asker_dead(f"within {name}"):
            return _unanswered(request)
        with suppress(ConnectionError):
            await answer.prepare(request)
            await answer.write_eof()
        self._is_asker_dead(f"after {name}")
        return answer

    def _is_asker_dead(self, point: str) -> bool:
        """Pass a point, and kill where that is due."""
        self.points.append(point)
        if self.doom is None or len(self.points) != self.doom.number:
            return False
        self.was_struck = True
        self.doom.kill()
        return "provider" in self.doom.victims


@dataclass(frozen=True, kw_only=True)
class EndpointLab(Lab):
    """A lab on a twin that is lent to it."""

    twin: LiveTwin
    kept: Kept = Kept()

    @classmethod
    def empty(cls, *, folder: Path, environ: dict[str, str], twin: LiveTwin) -> Self:
        """One without endpoints."""
        twin.restore(Kept())
        return cls(folder=folder, environ=environ, twin=twin)

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every token, and what is secret in a container."""
        return (*SECRETS, *self.twin.world.people.texts())

    def things(self) -> dict[str, Any]:
        """Every endpoint, as it is once nothing is under way in it."""
        found = self.twin.kept().endpoints
        return {one.id: (one.body, one.secrets, one.state) for one in found}

    def calls(self) -> list[str]:
        """The writes to the API that it has not refused."""
        return list(self.twin.calls)

    def points(self) -> list[str]:
        """Before and after every request, and within every write."""
        return list(self.twin.points)

    def doomed(self, number: int, victims: str) -> Driver:
        """The twin is told whom to kill."""
        driver = self.driver()
        kill = partial(self.kill, driver, victims)
        self.twin.doom = _Doom(number=number, victims=victims, kill=kill)
        return driver

    def was_struck(self) -> bool:
        """The twin notes it before it strikes."""
        return self.twin.was_struck

    def begun_anew(self) -> Self:
        """Whoever copies this lab finds the endpoints of now."""
        return replace(self, kept=self.twin.kept())

    def copied(self, folder: Path) -> Self:
        """The twin is lent to the copy."""
        self.twin.restore(self.kept)
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
