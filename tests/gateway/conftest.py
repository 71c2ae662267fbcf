"""One gateway for the whole run, given other routes by SIGHUP from test to test."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import httpx
import pytest

from tests.gateway.backends import Script, ScriptedBackend
from tests.gateway.running import Gateway, Service, routes, running, service

StartBackend = Callable[[Script], ScriptedBackend]
Serve = Callable[..., httpx.Client]

_turns = itertools.count()


@pytest.fixture(scope="session")
def shared_gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    nothing_yet = routes(service("http://127.0.0.1:9/v1"))
    with running(tmp_path_factory.mktemp("gateway"), nothing_yet) as gateway:
        yield gateway


@pytest.fixture
def start() -> Iterator[StartBackend]:
    """Start scripted backends that stop with the test."""
    with ExitStack() as stack:
        yield lambda script: stack.enter_context(ScriptedBackend(script=script))


@pytest.fixture
def serve(shared_gateway: Gateway) -> Iterator[Serve]:
    """Put services in force: whole ones, or the backends of one; returns a client with its key.

    `patience_s` is how long the first backend is waited for, where its time is to run out.
    """
    with ExitStack() as stack:

        def put(
            *what: Service | ScriptedBackend | str, patience_s: float | None = None
        ) -> httpx.Client:
            services = [each for each in what if isinstance(each, dict)]
            urls = [
                each if isinstance(each, str) else each.url
                for each in what
                if not isinstance(each, dict)
            ]
            # A changed digest tells that the reload is through, also where the routes are the same.
            mark = service(
                "http://127.0.0.1:9/v1", name=f"turn-{next(_turns)}", api_key="sk-unused"
            )
            services = services or [service(*urls)]
            if patience_s is not None:
                first = services[0]["backends"][0]  # type: ignore[index]
                first["timeouts"] |= {"first_byte_s": patience_s, "stall_s": patience_s}
            text = routes(*services, mark)
            shared_gateway.reload(text)
            return stack.enter_context(shared_gateway.client())

        yield put
