"""Who comes in, who does not, and what hostile input gets: one clear error in OpenAI's shape."""

from __future__ import annotations

import gzip
import json
import socket
import time
from urllib.parse import urlsplit

import httpx
import pytest

from tests.gateway.backends import says
from tests.gateway.conftest import Serve, StartBackend
from tests.gateway.running import KEY, Gateway, ask, backend, said, service

CHAT = "/v1/chat/completions"


def error(response: httpx.Response, status: int) -> dict[str, object]:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/json"
    assert response.headers["x-request-id"]
    body = response.json()
    assert list(body) == ["error"]
    assert set(body["error"]) == {"message", "type", "param", "code"}
    for word in (KEY, "Traceback", "Exception", "Error("):
        assert word not in response.text
    found: dict[str, object] = body["error"]
    return found


def raw(gateway: Gateway, sent: bytes) -> bytes:
    """Send bytes as they are and return all that comes back."""
    host, _, port = urlsplit(gateway.url).netloc.partition(":")
    answer = b""
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.sendall(sent)
        try:
            while chunk := connection.recv(65536):
                answer += chunk
        except ConnectionResetError:
            pass
    return answer


def test_models_are_those_that_the_key_opens(serve: Serve, shared_gateway: Gateway) -> None:
    there = "http://127.0.0.1:9/v1"
    more = service(there, name="embed", task="feature-extraction")
    other = service(there, name="other", api_key="sk-other")
    client = serve(service(there), more, other)
    listed = client.get("/v1/models").json()
    assert listed["object"] == "list"
    assert [each["id"] for each in listed["data"]] == ["hello", "embed"]
    assert listed["data"][0] == {
        "id": "hello",
        "object": "model",
        "created": 0,
        "owned_by": "moorage",
        "aliases": ["org/hello"],
        "task": "text-generation",
    }


def test_adapters_are_listed_beside_the_model_that_they_change(serve: Serve) -> None:
    there = "http://127.0.0.1:9/v1"
    able = backend("b1", there, adapters={"tone": "tone"})
    client = serve(service(backends=[able, backend("b2", there)]))
    listed = client.get("/v1/models").json()["data"]
    assert [(each["id"], each.get("parent")) for each in listed] == [
        ("hello", None),
        ("tone", "hello"),
    ]
    refused = error(ask(client, model="tune"), 404)
    assert refused["message"] == "this key opens no model of that name; it opens hello, tone"


def test_one_alias_under_two_keys_is_two_services(
    start: StartBackend, serve: Serve, shared_gateway: Gateway
) -> None:
    mine = service(start(says("mine")).url, models=["chat"])
    theirs = service(start(says("theirs")).url, name="b", models=["chat"], api_key="sk-b")
    client = serve(mine, theirs)
    assert said(ask(client, model="chat")) == "mine"
    with shared_gateway.client("sk-b") as other:
        assert said(ask(other, model="chat")) == "theirs"


def test_a_key_never_reaches_a_service_of_another(
    start: StartBackend, serve: Serve, shared_gateway: Gateway
) -> None:
    secret = start(says("secret"))
    client = serve(service("http://127.0.0.1:9/v1"), service(secret.url, name="s", api_key="sk-s"))
    refused = error(ask(client, model="s"), 404)
    assert refused["code"] == "model_not_found"
    assert refused["message"] == "this key opens no model of that name; it opens hello"
    assert not secret.seen


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer sk-wrong", f"Basic {KEY}", KEY, f"Bearer {KEY}x", "Bearer ü"],
)
def test_no_key_and_a_wrong_key_are_401(header: str, shared_gateway: Gateway) -> None:
    headers = [(b"Authorization", header.encode())] if header else []
    with shared_gateway.client(None) as client:
        for method, path in (("GET", "/v1/models"), ("POST", CHAT)):
            response = client.request(method, path, headers=headers)
            assert error(response, 401)["code"] == "invalid_api_key"
            assert response.headers["www-authenticate"] == "Bearer"


def test_health_needs_no_key(shared_gateway: Gateway) -> None:
    with shared_gateway.client(None) as client:
        response = client.get("/health")
    assert response.status_code == 200
    assert response.json()["status"] == "ok"
    assert len(response.json()["routes"]) == 64
    assert response.headers["server"] == "moorage"


@pytest.mark.parametrize("path", ["/", "/v1", "/v1/models/", "/v1/chat", "/metrics", "//x", "/%00"])
def test_an_unknown_path_is_404(path: str, shared_gateway: Gateway) -> None:
    with shared_gateway.client() as client:
        assert error(client.get(path), 404)["code"] == "unknown_path"


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [("GET", CHAT, "POST"), ("POST", "/v1/models", "GET"), ("DELETE", "/health", "GET")],
)
def test_a_wrong_method_is_405(
    method: str, path: str, allowed: str, shared_gateway: Gateway
) -> None:
    with shared_gateway.client() as client:
        response = client.request(method, path)
    error(response, 405)
    assert response.headers["allow"] == allowed


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        (b"", 400, "the body is not JSON"),
        (b"{", 400, "the body is not JSON"),
        (b"\x00\xff\x80binary", 400, "the body is not JSON"),
        (b'{"model": "hello", "t": NaN}', 400, "the body is not JSON"),
        (b'{"model": "hello", "n": ' + b"9" * 5000 + b"}", 400, "the body is not JSON"),
        (b'{"model": "hello", "n": 1e999}', 400, "a number out of range"),
        (b"[1]", 400, "must be a JSON object"),
        (b"null", 400, "must be a JSON object"),
        (b'{"model": "hello", "stream": 1}', 400, "'stream' must be true or false"),
        (b'{"model": "hello", "stream": "true"}', 400, "'stream' must be true or false"),
        (b"{}", 400, "must name a 'model'"),
        (b'{"model": 7}', 400, "must name a 'model'"),
        (b'{"model": ""}', 400, "must name a 'model'"),
        (b'{"model": "nope"}', 404, "it opens hello"),
        (b'{"model":"hello","a":' + b"[" * 200_000 + b"]" * 200_000 + b"}", 400, "nested too deep"),
        (b" " * (32 << 20) + b"{}", 413, "larger than 32 MiB"),
        (b'{"model":"hello","a":[' + b"{}," * 3_000_000 + b"1]}", 413, "than 2097152 commas"),
    ],
)
def test_a_body_that_cannot_be_relayed_says_why(
    body: bytes, status: int, says: str, serve: Serve
) -> None:
    client = serve("http://127.0.0.1:9/v1")
    assert says in str(error(client.post(CHAT, content=body), status)["message"])


def test_a_body_without_a_length_is_limited_too(shared_gateway: Gateway) -> None:
    with shared_gateway.client() as client:
        pieces = (b" " * (1 << 20) for _ in range(34))
        assert error(client.post(CHAT, content=pieces), 413)["code"] == "body_too_large"


def test_a_compressed_bomb_is_limited_too(shared_gateway: Gateway) -> None:
    bomb = gzip.compress(b" " * (40 << 20))
    with shared_gateway.client() as client:
        response = client.post(CHAT, content=bomb, headers={"Content-Encoding": "gzip"})
        assert error(response, 413)["code"] == "body_too_large"
        response = client.post(CHAT, content=b"no gzip", headers={"Content-Encoding": "gzip"})
        assert error(response, 400)["message"] == "the body is not encoded as its headers say"


def test_a_task_of_another_kind_is_refused(serve: Serve) -> None:
    client = serve("http://127.0.0.1:9/v1")
    refused = error(client.post("/v1/embeddings", json={"model": "hello", "input": "x"}), 400)
    assert refused["message"] == (
        "'hello' does text-generation; /v1/embeddings is for feature-extraction"
    )


def test_a_large_body_may_ask_first(start: StartBackend, serve: Serve) -> None:
    """curl sends `Expect: 100-continue` above 1 MiB and waits for the go-ahead."""
    backend = start(says("ok"))
    serve(backend)
    body = json.dumps({"model": "hello", "messages": ["x" * (2 << 20)]}).encode()
    client = serve(backend)
    response = client.post(CHAT, content=body, headers={"Expect": "100-continue"})
    assert said(response) == "ok"
    assert len(backend.seen[0].raw) > 2 << 20


@pytest.mark.parametrize("given", ["", "has space", "x" * 200, "ü", "a;b"])
def test_an_odd_request_id_is_replaced(given: str, shared_gateway: Gateway) -> None:
    headers = [(b"x-request-id", given.encode())]
    with shared_gateway.client() as client:
        answered = client.get("/v1/models", headers=headers).headers["x-request-id"]
    assert len(answered) == 32
    assert answered != given


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(256)),
        b"GET /health HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 20_000 + b"\r\n\r\n",
        b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /health HTTP/1.1\r\nAuthorization: Bearer " + KEY.encode() + b"\x00\r\n\r\n",
        b"POST " + CHAT.encode() + b" HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"GET /health HTTP/1.1\r\n" + b"X: y\r\n" * 5000 + b"\r\n",
    ],
)
def test_what_is_no_http_gets_a_400_and_no_noise(sent: bytes, shared_gateway: Gateway) -> None:
    before = len(shared_gateway.log())
    head, _, body = raw(shared_gateway, sent).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.")
    assert b" 400 " in head.splitlines()[0]
    assert json.loads(body)["error"]["message"].startswith("not a valid HTTP request")
    logged = shared_gateway.log()[before:]
    assert "Traceback" not in logged
    assert logged.count("\n") == 1


def test_the_gateway_is_well_after_all_that(start: StartBackend, serve: Serve) -> None:
    started = time.monotonic()
    assert said(ask(serve(start(says("well"))))) == "well"
    assert time.monotonic() - started < 1


def test_the_log_has_one_line_a_request_and_no_secret(
    start: StartBackend, serve: Serve, shared_gateway: Gateway
) -> None:
    client = serve(start(says("the secret answer")))
    before = len(shared_gateway.log())
    headers = {"x-request-id": "id-1"}
    body = {"model": "hello", "messages": [{"role": "user", "content": "the secret prompt"}]}
    client.post(f"{CHAT}?key={KEY}", json=body, headers=headers)
    (line,) = shared_gateway.log()[before:].splitlines()
    assert "POST /v1/chat/completions service=hello status=200 backend=b1 ms=" in line
    assert line.endswith("attempts=1 id=id-1")
    for secret in (KEY, "sk-b1-secret", "the secret"):
        assert secret not in shared_gateway.log()
