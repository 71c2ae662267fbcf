"""The gateway as a process: start, reload and end, and what the death of a backend costs."""

from __future__ import annotations

import argparse
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from moorage.cli import gateway as command
from tests.gateway import backends
from tests.gateway.backends import DONE, in_turn, says, tells
from tests.gateway.conftest import StartBackend
from tests.gateway.running import (
    Gateway,
    ask,
    eventually,
    routes,
    run_to_end,
    running,
    said,
    service,
    write_routes,
)

NOWHERE = service("http://127.0.0.1:9/v1")


@pytest.fixture
def own_gateway(tmp_path: Path) -> Iterator[Gateway]:
    with running(tmp_path, routes(NOWHERE)) as gateway:
        yield gateway


def test_a_missing_routes_file_is_one_line_and_exit_2(tmp_path: Path) -> None:
    ended = run_to_end("--routes", str(tmp_path / "none.json"))
    assert ended.returncode == 2
    assert ended.stderr == f"{tmp_path}/none.json: No such file or directory\n"


def test_an_invalid_routes_file_is_one_line_and_exit_2(tmp_path: Path) -> None:
    path = write_routes(tmp_path / "routes.json", routes())
    ended = run_to_end("--routes", str(path))
    assert ended.returncode == 2
    assert ended.stderr == f"{path}: services: must be a list that is not empty\n"


def test_a_port_in_use_is_one_line_and_exit_2(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        path = write_routes(tmp_path / "routes.json", routes(NOWHERE, port=port))
        ended = run_to_end("--routes", str(path))
    assert ended.returncode == 2
    assert ended.stderr == (
        f"{path}: listen: cannot bind 127.0.0.1:{port}: address already in use\n"
    )


def test_a_host_that_is_not_ours_is_one_line_and_exit_2(tmp_path: Path) -> None:
    text = routes(NOWHERE).replace('"host": "127.0.0.1"', '"host": "192.0.2.7"')
    ended = run_to_end("--routes", str(write_routes(tmp_path / "routes.json", text)))
    assert ended.returncode == 2
    assert ended.stderr.endswith("cannot bind 192.0.2.7:0: cannot assign requested address\n")


def test_an_ipv6_address_is_served_and_named_as_a_url(tmp_path: Path) -> None:
    text = routes(NOWHERE).replace('"host": "127.0.0.1"', '"host": "::1"')
    with running(tmp_path, text) as gateway:
        assert gateway.url.startswith("http://[::1]:")
        assert gateway.health()


def test_the_command_gives_the_same_exit_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    parser = argparse.ArgumentParser()
    command.configure(parser)
    assert command.run(parser.parse_args(["--routes", str(tmp_path / "none.json")])) == 2
    assert capsys.readouterr().err == f"{tmp_path}/none.json: No such file or directory\n"


def test_a_file_open_to_others_is_warned_of(tmp_path: Path) -> None:
    (tmp_path / "routes.json").touch(mode=0o644)
    with running(tmp_path, routes(NOWHERE)) as gateway:
        assert "is open to others: chmod 600" in gateway.log()


def test_a_reload_puts_the_new_routes_in_force(own_gateway: Gateway, start: StartBackend) -> None:
    with own_gateway.client() as client:
        assert ask(client).status_code == 503
        own_gateway.reload(routes(service(start(says("new")).url)))
        assert said(ask(client)) == "new"


def test_an_invalid_reload_is_logged_in_one_line_and_the_old_stays(own_gateway: Gateway) -> None:
    before = own_gateway.health()
    lines = len(own_gateway.log().splitlines())
    own_gateway.routes_path.write_text('{"version": 7}')
    own_gateway.process.send_signal(signal.SIGHUP)
    eventually(lambda: "reload refused" in own_gateway.log())
    refused, *rest = own_gateway.log().splitlines()[lines:]
    assert refused.endswith("routes.json: 'listen' is missing")
    assert not rest
    assert own_gateway.health() == before


def test_another_address_is_ignored_by_a_reload(own_gateway: Gateway) -> None:
    own_gateway.reload(routes(NOWHERE, port=1))
    assert "listen is read at start only" in own_gateway.log()
    assert own_gateway.health()


def test_a_request_in_flight_finishes_on_the_old_routes(
    own_gateway: Gateway, start: StartBackend
) -> None:
    old = start(tells("one", "two", "three", pause_s=0.15))
    own_gateway.reload(routes(service(old.url)))
    with ThreadPoolExecutor() as pool, own_gateway.client() as client:
        stream = pool.submit(ask, client, stream=True)
        eventually(lambda: old.seen)
        own_gateway.reload(routes(NOWHERE, service(old.url, name="other", api_key="sk-other")))
        assert stream.result().content.endswith(DONE)
        assert ask(client).status_code == 503


def test_the_end_waits_for_requests_in_flight(own_gateway: Gateway, start: StartBackend) -> None:
    backend = start(tells("one", "two", "three", pause_s=0.2))
    own_gateway.reload(routes(service(backend.url)))
    with ThreadPoolExecutor() as pool, own_gateway.client() as client:
        stream = pool.submit(ask, client, stream=True)
        eventually(lambda: backend.seen)
        own_gateway.process.terminate()
        assert stream.result().content.endswith(DONE)
    assert own_gateway.process.wait(2) == 0


@pytest.mark.slow
def test_the_end_waits_five_seconds_at_most(own_gateway: Gateway, start: StartBackend) -> None:
    backend = start(backends.hangs)
    patient = service(backend.url)
    patient["backends"][0]["timeouts"] = {}  # type: ignore[index]
    own_gateway.reload(routes(patient))
    with ThreadPoolExecutor() as pool, own_gateway.client() as client:
        request = pool.submit(ask, client)
        eventually(lambda: backend.seen)
        started = time.monotonic()
        own_gateway.process.terminate()
        assert own_gateway.process.wait(7) == 0
        assert 4 < time.monotonic() - started < 6.5
        assert isinstance(request.exception(), httpx.RemoteProtocolError)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_an_idle_gateway_ends_at_once(
    number: signal.Signals, code: int, own_gateway: Gateway
) -> None:
    with own_gateway.client() as client:
        client.get("/v1/models")
        own_gateway.process.send_signal(number)
        assert own_gateway.process.wait(3) == code
    assert "Traceback" not in own_gateway.log()


@contextmanager
def killable(port: int, word: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    arguments = [sys.executable, "-m", "tests.gateway.backends", str(port), word]
    pipe = subprocess.PIPE
    with subprocess.Popen(arguments, stdin=pipe, stdout=pipe, text=True) as process:
        try:
            assert process.stdout
            yield process, int(process.stdout.readline())
        finally:
            process.kill()


@pytest.mark.slow
def test_kill_9_of_a_backend_costs_no_request(own_gateway: Gateway, start: StartBackend) -> None:
    """Eight clients ask without a pause while the first backend dies in the middle of answers."""
    second = start(says("second"))
    words: list[str] = []
    over = threading.Event()

    def keep_asking() -> None:
        with own_gateway.client() as client:
            while not over.is_set():
                words.append(said(ask(client)))

    with killable(0, "first") as (first, port), ThreadPoolExecutor(8) as pool:
        own_gateway.reload(routes(service(f"http://127.0.0.1:{port}/v1", second.url)))
        clients = [pool.submit(keep_asking) for _ in range(8)]
        try:
            eventually(lambda: words.count("first") > 50)
            first.kill()
            first.wait()
            died = len(words)
            eventually(lambda: len(words) > died + 200)
            assert words[-1] == "second"
            with killable(port, "first again"):
                eventually(lambda: words[-1] == "first again", within_s=5)
        finally:
            over.set()
        for each in clients:
            each.result()
    assert 'failed="b1 answer cut short"' in own_gateway.log()


def test_no_failure_is_remembered_across_a_repair_of_the_route(
    own_gateway: Gateway, start: StartBackend
) -> None:
    """A backend whose entry changed starts anew: its mark belonged to the old entry."""
    flaky = start(in_turn(backends.closes, says("first")))
    spare = start(says("second"))
    own_gateway.reload(routes(service(flaky.url, spare.url)))
    with own_gateway.client() as client:
        assert said(ask(client)) == "second"
        repaired = service(flaky.url, spare.url)
        repaired["backends"][0]["model"] = "repaired"  # type: ignore[index]
        own_gateway.reload(routes(repaired))
        assert said(ask(client)) == "first"
