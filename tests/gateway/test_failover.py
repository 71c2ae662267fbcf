"""Whole answers: whatever a backend does, the client gets one from the next, or one clear error."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest

from moorage.gateway import upstream
from tests.gateway import backends
from tests.gateway.backends import Script, ScriptedBackend, in_turn, replies, says
from tests.gateway.conftest import Serve, StartBackend
from tests.gateway.running import Gateway, ask, backend, eventually, said, service

# As the proxy of Hugging Face's Inference Endpoints says it.
PAUSED = b'{"error": "Bad Request: Invalid state"}'
# As the router says that a pinned provider has the model no more, or was flagged.
UNSUPPORTED = b'{"error": {"message": "not supported", "code": "model_not_supported"}}'
NOT_OF_PROVIDER = b'{"error": "Model not supported by provider together"}'
FAULTS: dict[str, tuple[Script, str]] = {
    "closes before an answer": (backends.closes, "closed without an answer"),
    "resets before an answer": (backends.resets, "connection reset"),
    "never answers": (backends.hangs, "timed out"),
    "never ends its head": (backends.trickles_a_head, "timed out"),
    "is no HTTP server": (backends.talks_nonsense, "answer is not HTTP"),
    "closes inside its answer": (backends.cuts_short, "answer cut short"),
    "resets inside its answer": (backends.resets_inside, "answer cut short"),
    "stalls inside its answer": (backends.hangs_inside, "stalled"),
    "answers 500": (backends.fails(500), "answered 500"),
    "answers 503": (backends.fails(503), "answered 503"),
    "is paused": (replies(PAUSED, status=400), "is paused"),
    "no longer offers the model": (replies(UNSUPPORTED, status=400), "does not offer the model"),
    "never offered it": (replies(NOT_OF_PROVIDER, status=400), "does not offer the model"),
    "answers 409": (backends.fails(409), "answered 409"),
    "answers 425": (backends.fails(425), "answered 425"),
    "answers 429": (backends.fails(429), "answered 429"),
    "refuses our key": (backends.fails(401), "answered 401"),
    "forbids our key": (backends.fails(403), "answered 403"),
    "is out of credit": (backends.fails(402), "answered 402"),
    "lacks the model": (backends.fails(404), "answered 404"),
    "redirects": (replies(b"", status=307, Location="http://127.0.0.1:9/"), "answered 307"),
    "answers no JSON": (replies(b"<html>it works</html>"), "answer is not JSON"),
    "answers half JSON": (replies(b'{"choices": ['), "answer is not JSON"),
    "answers a list": (replies(b"[]"), "answer is not a JSON object"),
    "answers nothing": (replies(b""), "answer is not JSON"),
    "hides an error in a 200": (
        replies(b'{"error": {"message": "x"}}'),
        "answered 200 with an error",
    ),
    "answers a large list": (
        replies(b"[" + b"1," * 3_000_000 + b"1]"),
        "answer is not a JSON object",
    ),
    "answers half of much": (
        replies(b'{"data": [' + b"1," * 3_000_000),
        "answer is not a JSON object",
    ),
    "answers an endless nest": (replies(b'{"a":' * 50_000), "answer is not JSON"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_backend_that_fails_costs_the_client_nothing(
    name: str, start: StartBackend, serve: Serve, shared_gateway: Gateway
) -> None:
    script, reason = FAULTS[name]
    patience_s = 0.8 if reason in ("timed out", "stalled") else None
    response = ask(serve(start(script), start(says("second")), patience_s=patience_s))
    assert said(response) == "second"
    assert response.headers["x-moorage-backend"] == "b2"
    line = shared_gateway.log().splitlines()[-1]
    assert f'attempts=2 id={response.headers["x-request-id"]} failed="b1 {reason}"' in line


def test_when_all_fail_the_error_names_each_backend_and_its_reason(
    start: StartBackend, serve: Serve
) -> None:
    scripts = (backends.closes, backends.fails(500), backends.fails(429))
    response = ask(serve(*map(start, scripts)))
    assert response.status_code == 502
    assert response.headers["retry-after"] == "1"
    assert "x-moorage-backend" not in response.headers
    assert response.json()["error"] == {
        "message": "no backend of 'hello' answered: "
        "b1 closed without an answer, b2 answered 500, b3 answered 429",
        "type": "backend_error",
        "param": None,
        "code": "no_backend_answered",
    }


def test_nobody_listening_is_503_in_milliseconds(serve: Serve, start: StartBackend) -> None:
    with ScriptedBackend(script=says("never")) as gone:
        pass
    client = serve(gone)
    started = time.monotonic()
    response = ask(client)
    assert time.monotonic() - started < 1.5
    assert response.status_code == 503
    assert response.json()["error"]["message"].endswith("b1 refused")


def test_all_timing_out_is_504(serve: Serve, start: StartBackend) -> None:
    assert ask(serve(start(backends.hangs), patience_s=0.8)).status_code == 504


def test_an_address_that_swallows_packets_costs_the_connect_deadline(
    start: StartBackend, serve: Serve
) -> None:
    client = serve("http://192.0.2.1:9/v1", start(says("second")))
    started = time.monotonic()
    assert said(ask(client)) == "second"
    assert time.monotonic() - started < 1.5


def test_a_host_that_cannot_be_found_is_a_failed_backend(start: StartBackend, serve: Serve) -> None:
    client = serve("http://no-such-host.invalid/v1", start(says("second")))
    assert said(ask(client)) == "second"


def test_the_total_deadline_bounds_the_whole_search(start: StartBackend, serve: Serve) -> None:
    slow = service(*(start(backends.hangs).url for _ in range(4)))
    for each in slow["backends"]:  # type: ignore[attr-defined]
        each["timeouts"] = {"first_byte_s": 5, "total_s": 0.5}
    started = time.monotonic()
    response = ask(serve(slow))
    assert time.monotonic() - started < 2
    assert response.status_code == 504
    assert "no time was left for 3 more" in response.json()["error"]["message"]


@pytest.mark.parametrize(
    ("told", "passed_on"), [("20", "20"), ("0", "1"), ("-5", "1"), ("9" * 5000, "1"), ("soon", "1")]
)
def test_a_backend_may_say_when_it_can_be_asked_again(
    told: str, passed_on: str, start: StartBackend, serve: Serve
) -> None:
    response = ask(serve(start(replies(b"{}", status=429, Retry_After=told))))
    assert response.status_code == 503
    assert response.headers["retry-after"] == passed_on


def test_the_first_that_can_be_asked_again_counts(start: StartBackend, serve: Serve) -> None:
    scripts = (replies(b"{}", status=503, Retry_After=told) for told in ("40", "20", "30"))
    assert ask(serve(*map(start, scripts))).headers["retry-after"] == "20"


@pytest.mark.parametrize("status", [400, 413, 422])
def test_an_error_of_the_clients_making_passes_through_verbatim(
    status: int, start: StartBackend, serve: Serve
) -> None:
    body = b'{"error": {"message": "too many  tokens", "odd": [1]}}'
    script = replies(body, status=status, Content_Type="application/problem+json")
    never = start(says("never"))
    response = ask(serve(start(script), never))
    assert (response.status_code, response.content) == (status, body)
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["x-moorage-backend"] == "b1"
    assert not never.seen


def test_a_large_answer_passes_whole(start: StartBackend, serve: Serve) -> None:
    body = b'{"data": [' + b"0.5," * 2_000_000 + b"1]}"
    response = ask(serve(start(replies(body))))
    assert (response.status_code, response.content) == (200, body)


def test_only_the_model_is_rewritten(start: StartBackend, serve: Serve) -> None:
    """Unknown fields, Unicode, big numbers and nulls reach the backend as they were sent."""
    backend = start(says("ok"))
    more = {"odd": {"deep": [1, None, 2**70, 0.1, "ü\u2028🙂"]}, "stream": False, "n": 1}
    ask(serve(backend), **more, model="org/hello")
    (seen,) = backend.seen
    expected = {"model": "b1-model", "messages": [{"role": "user", "content": "hi"}], **more}
    assert seen.body == expected
    assert list(seen.body) == list(expected)


def test_an_adapter_is_asked_of_who_has_it_by_the_name_that_it_has_there(
    start: StartBackend, serve: Serve
) -> None:
    """Whoever lacks it would answer without it, so it is not asked even as the last resort."""
    plain, dead, able = start(says("plain")), start(backends.fails(500)), start(says("with tone"))
    without = [
        backend("plain", plain.url),
        backend("dead", dead.url, adapters={"tone": "tone"}),
    ]
    more = backend("able", able.url, adapters={"tone": "base:tone", "other": "base:other"})
    client = serve(service(backends=[*without, more]))
    assert said(ask(client, model="tone")) == "with tone"
    assert dead.seen[0].body["model"] == "tone"
    assert able.seen[0].body["model"] == "base:tone"
    assert not plain.seen
    assert said(ask(client, model="hello")) == "plain"
    refused = ask(serve(service(backends=without)), model="tone")
    assert refused.status_code == 502
    assert "no backend of 'hello' answered: dead" in refused.json()["error"]["message"]
    assert len(plain.seen) == 1


def test_the_backend_gets_its_own_key_and_the_client_only_what_is_its(
    start: StartBackend, serve: Serve
) -> None:
    secret: dict[str, Any] = {
        "Set_Cookie": "a=b",
        "Keep_Alive": "timeout=5",
        "Connection": "x-hop",
        "x_hop": "1",
    }
    body = json.dumps(backends.completion("ok")).encode()
    backend = start(replies(body, x_request_id="theirs", x_ratelimit_remaining="7", **secret))
    client = serve(backend)
    response = client.post(
        "/v1/chat/completions",
        json={"model": "hello", "messages": []},
        headers={"x-request-id": "req-1:a.b", "cookie": "c=d", "x-odd": "1"},
    )
    assert said(response) == "ok"
    assert response.headers["x-request-id"] == "req-1:a.b"
    assert response.headers["x-ratelimit-remaining"] == "7"
    assert not {"set-cookie", "keep-alive", "x-hop"} & set(response.headers)
    sent = backend.seen[0].headers
    assert sent["authorization"] == "Bearer sk-b1-secret"
    assert sent["x-request-id"] == "req-1:a.b"
    assert sent["accept-encoding"] == "identity"
    assert not {"cookie", "x-odd"} & set(sent)


@pytest.mark.parametrize("stream", [False, True])
def test_a_header_that_cannot_be_written_costs_no_answer(
    stream: bool, start: StartBackend, serve: Serve
) -> None:
    script = backends.tells("ok") if stream else says("ok")

    def odd(turn: backends.Turn) -> bool:
        turn.head = partial(turn.head, x_odd="a\x01b", x_plain="c")  # type: ignore[method-assign]
        return script(turn)

    response = ask(serve(start(odd)), stream=stream)
    assert response.status_code == 200
    assert response.headers["x-plain"] == "c"
    assert "x-odd" not in response.headers


def test_a_backend_without_a_key_gets_no_authorization(start: StartBackend, serve: Serve) -> None:
    backend = start(says("ok"))
    keyless = service(backend.url)
    keyless["backends"][0]["api_key"] = None  # type: ignore[index]
    assert said(ask(serve(keyless))) == "ok"
    assert "authorization" not in backend.seen[0].headers


def test_a_backend_gets_the_headers_of_its_route_and_no_other_backend_does(
    start: StartBackend, serve: Serve, shared_gateway: Gateway
) -> None:
    failing, answering = start(backends.fails(503)), start(says("ok"))
    both = service(failing.url, answering.url)
    both["backends"][0]["headers"] = {"X-HF-Bill-To": "acme-pays"}  # type: ignore[index]
    response = ask(serve(both))
    assert said(response) == "ok"
    assert failing.seen[0].headers["x-hf-bill-to"] == "acme-pays"
    assert failing.seen[0].headers["authorization"] == "Bearer sk-b1-secret"
    assert "x-hf-bill-to" not in answering.seen[0].headers
    assert "x-hf-bill-to" not in response.headers
    assert "acme-pays" not in shared_gateway.log()


@pytest.mark.parametrize(
    ("path", "task"),
    [
        ("/v1/completions", "text-generation"),
        ("/v1/embeddings", "feature-extraction"),
        ("/v1/rerank", "text-ranking"),
        ("/v1/images/generations", "text-to-image"),
    ],
)
def test_the_other_endpoints_are_relayed_alike(
    path: str, task: str, start: StartBackend, serve: Serve
) -> None:
    backend = start(replies(b'{"data": [{"embedding": [0.5]}]}'))
    client = serve(service(start(backends.fails(500)).url, backend.url, task=task))
    response = client.post(path, json={"model": "hello", "input": "x"})
    assert response.content == b'{"data": [{"embedding": [0.5]}]}'
    assert backend.seen[0].path == path


def test_a_kept_connection_that_was_closed_is_no_failure(start: StartBackend, serve: Serve) -> None:
    """The race of every keep-alive: the only backend is asked again on a fresh connection."""

    def only_once_per_connection(turn: backends.Turn) -> bool:
        return says("ok")(turn) if turn.count == 1 else False

    backend = start(only_once_per_connection)
    client = serve(backend)
    assert [said(ask(client)) for _ in range(5)] == ["ok"] * 5


def test_a_dead_backend_is_skipped_and_back_at_once_when_it_lives(
    start: StartBackend, serve: Serve, shared_gateway: Gateway
) -> None:
    with ScriptedBackend(script=says("first")) as first:
        client = serve(first, start(says("second")))
        assert said(ask(client)) == "first"
    assert said(ask(client)) == "second"

    def is_skipped() -> bool:
        """On a busy machine the first second of it may be over by the next request."""
        answer = ask(client)
        assert said(answer) == "second"
        told = f"id={answer.headers['x-request-id']}"
        eventually(lambda: told in shared_gateway.log(), within_s=30)
        return f"attempts=1 {told}" in shared_gateway.log()

    eventually(is_skipped, within_s=30)
    with ScriptedBackend(script=says("first"), port=first.port) as again:
        eventually(
            lambda: again.probes, within_s=30
        )  # a request before would bring it back without one
        assert again.probes[0].headers["authorization"] == "Bearer sk-b1-secret"
        eventually(lambda: said(ask(client)) == "first", within_s=30)


def test_a_marked_backend_is_asked_when_nothing_else_is_left(
    start: StartBackend, serve: Serve
) -> None:
    client = serve(start(in_turn(backends.closes, says("recovered"))))
    assert ask(client).status_code == 502
    assert said(ask(client)) == "recovered"


def test_a_backend_that_listens_but_hangs_holds_up_one_request_at_a_time(
    start: StartBackend, serve: Serve
) -> None:
    hung = start(backends.hangs)
    client = serve(hung, start(says("second")), patience_s=0.8)
    ask(client)
    started = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: said(ask(client)), range(100)))
    assert answers == ["second"] * 100
    assert len(hung.seen) <= 2 + (time.monotonic() - started)  # one try a second at most


def test_what_a_backend_has_worked_on_is_not_sent_to_it_again(
    start: StartBackend, serve: Serve
) -> None:
    asked: list[float] = []

    def works_and_dies(turn: Any) -> bool:
        asked.append(time.monotonic())
        if len(asked) == 1:
            return says("one")(turn)
        time.sleep(upstream.STALE_S + 0.5)
        return False

    client = serve(start(works_and_dies), start(says("two")))
    question = {"model": "hello", "messages": []}
    assert client.post("/v1/chat/completions", json=question).status_code == 200
    second = client.post("/v1/chat/completions", json=question)
    assert (second.status_code, len(asked)) == (200, 2)
    assert "two" in second.text


def test_no_header_tells_where_a_backend_is(start: StartBackend, serve: Serve) -> None:
    there = "http://10.0.0.7:8000/v1/chat/completions"
    answer = replies(
        json.dumps(backends.completion("one")).encode(),
        Content_Location=there,
        X_Proxied_Host=there,
        X_Ratelimit_Remaining="7",
    )
    client = serve(start(answer))
    told = client.post("/v1/chat/completions", json={"model": "hello", "messages": []}).headers
    assert told["x-ratelimit-remaining"] == "7"
    assert not [name for name, value in told.items() if "10.0.0.7" in value]
