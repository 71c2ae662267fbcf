"""Streams: nothing is sent before the first content; after it a cut is told honestly."""

from __future__ import annotations

import json
import time

import httpx
import pytest

from tests.gateway import backends
from tests.gateway.backends import DONE, ROLE, Script, event, streams, tells, token
from tests.gateway.conftest import Serve, StartBackend
from tests.gateway.running import Gateway, ask, eventually, service

ERROR = event({"error": {"message": "out of memory", "code": 500}})

BEFORE_THE_FIRST_TOKEN: dict[str, Script] = {
    "closes before its head": backends.closes,
    "answers 500": backends.fails(500),
    "closes after its head": streams(then=backends.closes),
    "closes after the role": streams(event(ROLE), then=backends.closes),
    "resets after the role": streams(event(ROLE), then=backends.resets),
    "stalls after the role": streams(event(ROLE), then=backends.hangs),
    "only pings": streams(*[b": ping\n\n"] * 3, then=backends.hangs),
    "sends an error event first": streams(ERROR, DONE),
    "sends an error after the role": streams(event(ROLE), ERROR, DONE),
    "names its event an error": streams(b'event: error\ndata: {"message": "x"}\n\n'),
    "sends broken JSON": streams(event(ROLE), b"data: {nonsense\n\n", DONE),
    "ends without a word": streams(event(ROLE)),
    "ends inside an event": streams(event(ROLE), token("lost")[:-7], then=backends.closes),
    "answers a page": backends.replies(b"<html>", Content_Type="text/html"),
}
PATIENCE_S = {"stalls after the role": 0.8, "only pings": 0.8}  # the others have all their time


def stream(client: httpx.Client, **more: object) -> bytes:
    response = ask(client, stream=True, **more)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"].startswith("text/event-stream")
    return response.content


def events(body: bytes) -> list[str]:
    return [each.removeprefix("data: ") for each in body.decode().split("\n\n") if each]


def texts(body: bytes) -> list[str]:
    found = [json.loads(each) for each in events(body) if each != "[DONE]"]
    deltas = [each["choices"][0]["delta"] for each in found if "choices" in each]
    return [delta["content"] for delta in deltas if delta.get("content")]


@pytest.mark.parametrize("name", BEFORE_THE_FIRST_TOKEN)
def test_a_stream_that_fails_before_its_first_token_costs_nothing(
    name: str, start: StartBackend, serve: Serve
) -> None:
    first, second = start(BEFORE_THE_FIRST_TOKEN[name]), start(tells("one ", "two"))
    client = serve(first, second, patience_s=PATIENCE_S.get(name))
    body = stream(client)
    assert texts(body) == ["one ", "two"]
    assert body.endswith(DONE)


@pytest.mark.parametrize("name", BEFORE_THE_FIRST_TOKEN)
def test_with_no_backend_left_the_answer_is_an_error_and_no_stream(
    name: str, start: StartBackend, serve: Serve
) -> None:
    client = serve(start(BEFORE_THE_FIRST_TOKEN[name]), patience_s=PATIENCE_S.get(name))
    response = ask(client, stream=True)
    assert response.status_code in {502, 503, 504}
    assert response.json()["error"]["code"] == "no_backend_answered"


def test_a_stream_arrives_byte_for_byte(start: StartBackend, serve: Serve) -> None:
    parts = [b": hello\n\n", event(ROLE), token("ü"), event({"usage": {"n": 1}}), DONE]
    client = serve(start(streams(*parts)))
    assert stream(client) == b"".join(parts)


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_where_the_chunks_are_cut_does_not_matter(
    size: int, start: StartBackend, serve: Serve
) -> None:
    whole = b"".join([event(ROLE), token("eins ").replace(b"\n", b"\r\n"), token("zwei"), DONE])
    pieces = [whole[at : at + size] for at in range(0, len(whole), size)]
    assert stream(serve(start(streams(*pieces)))) == whole


@pytest.mark.parametrize(
    "delta",
    [{"tool_calls": [{"index": 0}]}, {"reasoning_content": "hm"}, {"refusal": "no"}],
)
def test_any_part_of_a_delta_is_content(
    delta: dict[str, object], start: StartBackend, serve: Serve
) -> None:
    first = event({"choices": [{"index": 0, "delta": delta}]})
    body = stream(serve(start(streams(event(ROLE), first, then=backends.closes))))
    assert body.startswith(event(ROLE) + first)


def test_a_stream_that_says_nothing_and_ends_well_is_passed_on(
    start: StartBackend, serve: Serve
) -> None:
    assert stream(serve(start(tells()))).endswith(DONE)


def test_completions_stream_too(start: StartBackend, serve: Serve) -> None:
    parts = [event({"choices": [{"text": ""}]}), event({"choices": [{"text": "x"}]}), DONE]
    client = serve(start(streams(*parts)))
    response = client.post("/v1/completions", json={"model": "hello", "prompt": "", "stream": True})
    assert response.content == b"".join(parts)


def test_tokens_are_passed_on_as_they_come(start: StartBackend, serve: Serve) -> None:
    client = serve(start(tells(*"abcdef", pause_s=0.1)))
    body = {"model": "hello", "messages": [], "stream": True}
    with client.stream("POST", "/v1/chat/completions", json=body) as response:
        arrivals = [time.monotonic() for chunk in response.iter_raw() if b'"content": "' in chunk]
    assert len(arrivals) == 6
    assert arrivals[-1] - arrivals[0] > 0.35


@pytest.mark.parametrize(
    ("then", "reason"),
    [
        (backends.closes, "answer cut short"),
        (backends.resets, "answer cut short"),
        (backends.hangs, "stalled"),
        (backends.ends, "ended before it was done"),
    ],
)
def test_a_cut_is_one_error_event_and_no_done(
    then: Script, reason: str, start: StartBackend, serve: Serve
) -> None:
    patience_s = 0.8 if then is backends.hangs else None
    client = serve(start(tells("one", then=then)), start(tells("never")), patience_s=patience_s)
    body = stream(client)
    assert texts(body) == ["one"]
    *_, last = events(body)
    error = json.loads(last)["error"]
    assert error["message"] == f"the stream was cut: b1 {reason}"
    assert error["code"] == "stream_cut"
    assert b"[DONE]" not in body


def test_half_an_event_never_reaches_the_client(start: StartBackend, serve: Serve) -> None:
    cut = streams(token("one"), token("lost")[:-9], then=backends.closes)
    body = stream(serve(start(cut)))
    assert texts(body) == ["one"]
    assert b"lost" not in body


def test_a_stream_over_its_total_time_is_cut(start: StartBackend, serve: Serve) -> None:
    slow = service(start(tells(*["x"] * 40, pause_s=0.1)).url)
    slow["backends"][0]["timeouts"]["total_s"] = 0.5  # type: ignore[index]
    assert b"took too long" in stream(serve(slow))


def test_a_client_that_stops_reading_is_cut_off_in_the_end(
    start: StartBackend, serve: Serve, shared_gateway: Gateway
) -> None:
    flood = start(tells(*["x" * 100_000] * 1000))
    slow = service(flood.url)
    slow["backends"][0]["timeouts"]["total_s"] = 0.5  # type: ignore[index]
    client = serve(slow)
    body = {"model": "hello", "messages": [], "stream": True}
    with client.stream("POST", "/v1/chat/completions", json=body):
        eventually(lambda: "status=499" in shared_gateway.log().splitlines()[-1], within_s=3)


def test_a_stream_carries_its_ids(start: StartBackend, serve: Serve) -> None:
    response = ask(serve(start(backends.closes), start(tells("x"))), stream=True)
    assert response.headers["x-moorage-backend"] == "b2"
    assert response.headers["x-request-id"]


def test_a_client_that_goes_away_ends_the_work_of_the_backend(
    start: StartBackend, serve: Serve, shared_gateway: Gateway
) -> None:
    backend = start(tells("one", then=backends.hangs))
    client = serve(backend)
    body = {"model": "hello", "messages": [], "stream": True}
    with client.stream("POST", "/v1/chat/completions", json=body) as response:
        next(response.iter_raw())
    assert backend.hung_up.wait(2)
    eventually(lambda: "status=499" in shared_gateway.log().splitlines()[-1])


def test_a_client_that_gives_up_on_a_whole_answer_ends_the_work_too(
    start: StartBackend, serve: Serve
) -> None:
    backend = start(backends.hangs)
    client = serve(backend)
    with pytest.raises(httpx.ReadTimeout):
        client.post("/v1/chat/completions", json={"model": "hello"}, timeout=0.2)
    assert backend.hung_up.wait(2)


def test_an_ended_stream_leaves_its_connection_for_the_next(
    start: StartBackend, serve: Serve
) -> None:
    connections: list[int] = []

    def counting(turn: backends.Turn) -> bool:
        connections.append(turn.count)
        return tells("x")(turn)

    client = serve(start(counting))
    for _ in range(3):
        stream(client)
    assert connections == [1, 2, 3]
