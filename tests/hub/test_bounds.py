"""Answers that are late, slow, endless or about something else end soon, with one line."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from aiohttp import web

from moorage import hub
from moorage.errors import Exit, MoorageError
from moorage.twin.hub import Hub, Repo, serve
from moorage.twin.serving import in_thread

COMMIT = "a" * 40
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@pytest.fixture
def twin() -> Iterator[Hub]:
    with serve({"acme/tiny": Repo(files={"config.json": b"{}"})}) as running:
        yield running


@pytest.mark.parametrize("statuses", [[503], [429], [500, 502], [504, 429]])
def test_a_passing_trouble_is_waited_for(twin: Hub, statuses: list[int]) -> None:
    twin.failing += statuses
    assert hub.facts("acme/tiny", endpoint=twin.url).id == "acme/tiny"
    assert twin.failing == []


def test_a_lasting_trouble_is_told_after_a_few_attempts(twin: Hub) -> None:
    twin.status = 503
    with pytest.raises(MoorageError, match="answered 503"):
        hub.facts("acme/tiny", endpoint=twin.url)
    assert len(twin.requests) == 3


@pytest.mark.parametrize(("pause", "attempts"), [("1", 2), ("3600", 1), ("soon", 2)])
def test_the_pause_that_the_hub_asks_for_is_kept_or_too_long(pause: str, attempts: int) -> None:
    asked: list[float] = []

    async def busy_once(_request: web.Request) -> web.Response:
        asked.append(time.monotonic())
        if len(asked) == 1:
            return web.Response(status=429, headers={"Retry-After": pause})
        return web.Response(status=404, headers={"X-Error-Code": "RepoNotFound"})

    app = web.Application()
    app.router.add_get("/{path:.*}", busy_once)
    with in_thread(app, host="127.0.0.1", ports=(0,)) as urls:
        fault(urls[0])
    assert len(asked) == attempts
    if pause == "1":
        assert asked[1] - asked[0] >= 1


def test_a_refusal_is_not_asked_again(twin: Hub) -> None:
    with pytest.raises(MoorageError, match="no such repository"):
        hub.facts("acme/none", endpoint=twin.url)
    assert len(twin.requests) == 1


@contextmanager
def a_hub(answer: Handler, *, size: int = 1 << 40) -> Iterator[str]:
    """A server whose listing is right and whose files are not."""

    async def listing(_request: web.Request) -> web.Response:
        lfs = {"sha256": "b" * 64, "size": size, "pointerSize": 1}
        files = [{"rfilename": "model.safetensors", "size": size, "lfs": lfs}]
        return web.json_response({"id": "acme/bad", "sha": COMMIT, "siblings": files})

    app = web.Application()
    app.router.add_get("/api/models/acme/bad", listing)
    app.router.add_get("/{path:.*}", answer)
    with in_thread(app, host="127.0.0.1", ports=(0,)) as urls:
        yield urls[0]


def fault(url: str, **more: Any) -> MoorageError:
    started = time.monotonic()
    with pytest.raises(MoorageError) as raised:
        hub.facts("acme/bad", endpoint=url, **more)
    assert time.monotonic() - started < 10
    assert "\n" not in str(raised.value)
    return raised.value


def test_a_header_of_two_gigabytes_is_refused_unread() -> None:
    async def huge(_request: web.Request) -> web.StreamResponse:
        return web.Response(body=(2 << 30).to_bytes(8, "little") + bytes(99_992))

    with a_hub(huge) as url:
        error = fault(url)
    assert error.exit_code == Exit.PROBLEMS
    assert "does not begin as a safetensors file" in str(error)


def test_a_server_that_knows_no_ranges_is_not_read_to_the_end() -> None:
    sent = 0

    async def whole(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write((50).to_bytes(8, "little") + b'{"a": {}}')
        while sent < 1 << 30:
            await response.write(bytes(1 << 16))
            sent += 1 << 16
        return response

    with a_hub(whole) as url:
        assert fault(url).exit_code == Exit.PROBLEMS
    assert sent < 1 << 26


def test_a_byte_a_moment_is_too_slow() -> None:
    async def drip(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(1000):
            await response.write(b" ")
            await asyncio.sleep(0.05)
        return response

    with a_hub(drip) as url:
        error = fault(url, deadline_s=0.2)
    assert error.exit_code == Exit.UNANSWERED
    assert "too slow" in str(error)


def test_everything_together_has_an_end() -> None:
    async def late(_request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(0.4)
        return web.Response(status=503)

    with a_hub(late) as url:
        error = fault(url, total_s=0.8)
    assert error.exit_code == Exit.UNANSWERED


def test_another_part_than_the_one_asked_for_is_not_taken() -> None:
    async def other(_request: web.Request) -> web.StreamResponse:
        headers = {"Content-Range": "bytes 7-106/1000"}
        return web.Response(status=206, body=bytes(100), headers=headers)

    with a_hub(other) as url:
        assert "is not the Hub" in str(fault(url))


def test_a_long_refusal_is_not_read_to_the_end() -> None:
    async def long(_request: web.Request) -> web.StreamResponse:
        return web.Response(status=404, body=b"x" * (1 << 24))

    with a_hub(long) as url:
        assert fault(url).exit_code == Exit.UNANSWERED


@pytest.mark.parametrize(
    "listing",
    [
        {"sha": "main"},
        {"siblings": [{"rfilename": 7}]},
        {"siblings": [{"rfilename": "a", "size": -1}]},
        {"siblings": [{"rfilename": "a", "lfs": {"sha256": "x", "size": 1, "pointerSize": 1}}]},
        {"siblings": "many"},
        {"pipeline_tag": "\ud800"},
        {"tags": 7},
        {"cardData": [1]},
    ],
)
def test_a_listing_that_makes_no_sense_is_not_the_hubs(listing: dict[str, Any]) -> None:
    async def answer(_request: web.Request) -> web.Response:
        return web.Response(text=json.dumps({"id": "acme/bad", "sha": COMMIT, **listing}))

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    with in_thread(app, host="127.0.0.1", ports=(0,)) as urls:
        assert fault(urls[0]).exit_code == Exit.UNANSWERED
