"""The open loop inside Locust: one user, one schedule in absolute time, a greenlet per arrival."""

from __future__ import annotations

import functools
import json
import math
import os
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import gevent
import gevent.event
import gevent.pool
import gevent.socket
from locust import FastHttpUser, task
from locust.exception import StopUser

from loadtests.answer import Outcome
from loadtests.ask import CHAT, Ask, ask
from loadtests.locustfiles.exchange import Draft, exchange
from loadtests.rows import Row
from loadtests.schedule import arrivals
from loadtests.settings import KEY_ENV, SETTINGS_ENV, Settings

_NAP_S = 0.02

if SETTINGS_ENV not in os.environ:
    sys.exit("these Locust files are started by `moorage test`, which hands them their settings")
SETTINGS = Settings.read(Path(os.environ[SETTINGS_ENV]))
_API_KEY = os.environ.pop(KEY_ENV, "")

# One look-up for the whole run: gevent's resolver starves under load and would be measured.
gevent.socket.getaddrinfo = functools.cache(gevent.socket.getaddrinfo)


class RequestFailedError(Exception):
    """What Locust's own statistics show for an arrival that did not end well."""


class OpenLoopUser(FastHttpUser):  # type: ignore[misc] # locust is not typed
    abstract = True
    fixed_count = 1
    host = SETTINGS.url
    insecure = False
    max_retries = 0
    max_redirects = 0
    concurrency = SETTINGS.max_in_flight + 8  # the pool must never be what queues
    connection_timeout = SETTINGS.connect_timeout_s
    network_timeout = SETTINGS.total_timeout_s + 5  # a backstop; exchange() has the real limits

    @task  # type: ignore[untyped-decorator]
    def measure(self) -> None:
        client = self.client.client.clientpool.get_client(SETTINGS.url)
        try:
            OpenLoop(SETTINGS, client, self.environment.events.request).run()
        finally:
            self.environment.process_exit_code = 0  # the verdict is made from the rows
            gevent.spawn(self.environment.runner.quit)
        raise StopUser


class OpenLoop:
    def __init__(self, settings: Settings, client: Any, request_event: Any) -> None:
        self._settings = settings
        self._client = client
        self._event = request_event
        self._path = urlsplit(settings.url).path.rstrip("/")
        self._headers = _headers(_API_KEY)
        self._stopping = gevent.event.Event()
        self._in_flight = gevent.pool.Group()
        self._unrecorded: dict[int, tuple[Ask, Draft]] = {}  # arrivals that have no row yet
        self._arrivals = 0
        self._events = 0
        self._rows = Path(settings.rows).open("a", buffering=1, encoding="utf-8")  # noqa: SIM115
        self._health = Path(settings.health).open("a", buffering=1, encoding="utf-8")  # noqa: SIM115
        self._lags_ms: list[float] = []

    def run(self) -> None:
        gevent.spawn(self._obey)
        self._warm_up()
        gevent.spawn(self._watch_hub)
        self._dispatch()
        self._in_flight.join()
        for asked, draft in list(self._unrecorded.values()):  # killed before they could begin
            self._record(asked, draft, Outcome.CANCELLED)
        self._say("end", arrivals=self._arrivals, events=self._events, **_lags(self._lags_ms))
        self._rows.close()
        self._health.close()

    def _dispatch(self) -> None:
        settings = self._settings
        start_s = time.monotonic() + 0.1
        self._say("start", start_s=start_s)
        for index, offset_s in enumerate(arrivals(settings.rps, settings.seed)):
            intended_s = start_s + offset_s
            if offset_s >= settings.arrivals_limit_s or self._stops_before(intended_s):
                return
            self._arrivals += 1
            asked = self._ask(index)
            draft = Draft(intended_s=intended_s, streamed=asked.streamed)
            self._unrecorded[id(draft)] = asked, draft
            if len(self._in_flight) >= settings.max_in_flight:
                self._record(asked, draft, Outcome.DROPPED)
            else:
                self._in_flight.spawn(self._arrive, asked, draft)

    def _arrive(self, asked: Ask, draft: Draft) -> None:
        outcome = Outcome.CANCELLED  # stays when the greenlet is killed
        try:
            path = self._path + asked.path
            outcome = exchange(self._client, path, asked, self._headers, self._settings, draft)
        finally:
            self._record(asked, draft, outcome)

    def _record(self, asked: Ask, draft: Draft, outcome: Outcome) -> None:
        """The one place that writes a row and fires Locust's event, so neither can miss."""
        del self._unrecorded[id(draft)]
        row = Row(**asdict(draft), outcome=outcome.value, profile=self._settings.profile)
        self._rows.write(row.to_line())
        self._events += 1
        took_s = (draft.end_s or time.monotonic()) - draft.intended_s
        self._event.fire(
            request_type="POST",
            name=asked.scenario,
            response_time=took_s * 1000,
            response_length=draft.completion_tokens or 0,
            exception=None if outcome is Outcome.OK else RequestFailedError(outcome.value),
            response=None,
            context={},
            start_time=time.time() - took_s,
            url=self._path + asked.path,
        )

    def _warm_up(self) -> None:
        """The first request of each kind pays for connections and caches; it is not measured."""
        for index in (-2, -1):
            asked = self._ask(index)
            draft = Draft(intended_s=time.monotonic(), streamed=asked.streamed)
            path = self._path + asked.path
            outcome = exchange(self._client, path, asked, self._headers, self._settings, draft)
            took_s = time.monotonic() - draft.intended_s
            self._say("warm-up", kind=asked.scenario, outcome=outcome.value, took_s=took_s)
            if asked.kind != CHAT or self._stopping.is_set():
                return

    def _ask(self, index: int) -> Ask:
        settings = self._settings
        return ask(
            index,
            model=settings.model,
            task=settings.task,
            input_tokens=settings.input_tokens,
            output_tokens=settings.output_tokens,
            seed=settings.seed,
        )

    def _stops_before(self, at_s: float) -> bool:
        wait_s = at_s - time.monotonic()
        return bool(self._stopping.wait(wait_s) if wait_s > 0 else self._stopping.is_set())

    def _obey(self) -> None:
        """Standard input says when to stop; its end means that nobody waits for us any more."""
        while True:
            gevent.socket.wait_read(sys.stdin.fileno())
            told = os.read(sys.stdin.fileno(), 4096)
            self._stopping.set()
            if not told:
                self._in_flight.kill()
                return

    def _watch_hub(self) -> None:
        while True:
            before_s = time.monotonic()
            gevent.sleep(_NAP_S)
            self._lags_ms.append(max(0.0, time.monotonic() - before_s - _NAP_S) * 1000)

    def _say(self, event: str, **values: object) -> None:
        line = {"event": event, "at_s": time.monotonic(), **values}
        self._health.write(json.dumps(line) + "\n")


def _headers(api_key: str) -> dict[str, str]:
    headers = {
        "Content-Type": "application/json",
        "Accept": "application/json, text/event-stream",
        "Accept-Encoding": "identity",  # a compressed stream is a buffered one
    }
    return headers | ({"Authorization": f"Bearer {api_key}"} if api_key else {})


def _lags(lags_ms: list[float]) -> dict[str, float]:
    ranked = sorted(lags_ms) or [0.0]
    shares = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "max": 1.0}
    return {
        f"hub_lag_{name}_ms": ranked[math.ceil(share * len(ranked)) - 1]
        for name, share in shares.items()
    }
