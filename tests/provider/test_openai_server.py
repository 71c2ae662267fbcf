"""OpenAIServer: nothing is created, everything is proven."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from moorage.errors import MoorageError
from moorage.provider.check import check
from moorage.provider.handler import Cancelled, Context
from moorage.provider.handlers import openai_server

NewContext = Callable[..., Context]


@dataclass
class Server:
    """A server with some models, and what it was asked."""

    url: str = ""
    models: tuple[str, ...] = ("llama3.2:1b",)
    key: str | None = None
    status: int = 200
    asked: list[tuple[str, Any]] = field(default_factory=list)


@contextmanager
def listening(server: Server) -> Iterator[Server]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            server.asked.append((self.path, None))
            self.answer({"data": [{"id": name} for name in server.models]})

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            server.asked.append((self.path, body))
            self.answer({"choices": []})

        def answer(self, value: object) -> None:
            given = self.headers.get("Authorization")
            refused = server.key is not None and given != f"Bearer {server.key}"
            text = json.dumps(value).encode()
            self.send_response(401 if refused else server.status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        thread = threading.Thread(target=http.serve_forever, args=(0.01,))
        thread.start()
        server.url = f"http://127.0.0.1:{http.server_address[1]}/v1"
        try:
            yield server
        finally:
            http.shutdown()
            thread.join()


def declared(server: Server, **changes: Any) -> dict[str, Any]:
    return {"url": server.url, "task": "text-generation", "timeoutSeconds": 5, **changes}


def test_the_only_model_is_used_and_asked(context: NewContext) -> None:
    with listening(Server()) as server:
        made = openai_server.create(declared(server), context())
    assert made.id == server.url
    assert made.state["servedModel"] == "llama3.2:1b"
    path, body = server.asked[-1]
    assert path == "/v1/chat/completions"
    assert (body["model"], body["max_tokens"]) == ("llama3.2:1b", 1)


def test_an_embedding_model_is_asked_for_an_embedding(context: NewContext) -> None:
    with listening(Server()) as server:
        openai_server.create(declared(server, task="feature-extraction"), context())
    assert server.asked[-1] == ("/v1/embeddings", {"model": "llama3.2:1b", "input": "ping"})


def test_among_several_the_hint_or_the_name_decides(context: NewContext) -> None:
    with listening(Server(models=("a", "b"))) as server:
        hinted = openai_server.create(declared(server, modelHint="b"), context())
        named = openai_server.create(declared(server, model="a", modelHint="b"), context())
        assert hinted.state["servedModel"] == "b"
        assert named.state["servedModel"] == "a"
        with pytest.raises(MoorageError, match="has a, b and none is called c; name one of them"):
            openai_server.create(declared(server, modelHint="c"), context())


def test_a_wrong_key_is_one_line_at_once(context: NewContext) -> None:
    with listening(Server(key="sk-right")) as server:
        openai_server.create(declared(server, apiKey="sk-right"), context())
        with pytest.raises(MoorageError, match=r"refuses the key \(401\)") as refusal:
            openai_server.create(declared(server, apiKey="sk-wrong"), context())
    assert "sk-wrong" not in str(refusal.value)


def test_a_server_that_is_silent_fails_in_time(context: NewContext) -> None:
    began = time.monotonic()
    silent = {"url": "http://127.0.0.1:9/v1", "task": "text-generation", "timeoutSeconds": 1.5}
    with pytest.raises(MoorageError, match=r"does not serve after \d s: connection refused; start"):
        openai_server.create(silent, context())
    assert time.monotonic() - began < 3


def test_a_server_that_wakes_up_is_waited_for(context: NewContext, lines: list[str]) -> None:
    with listening(Server(status=503)) as server:
        threading.Timer(0.5, setattr, (server, "status", 200)).start()
        assert openai_server.create(declared(server), context()).state["servedModel"]
    assert lines[0].startswith(f"waiting for {server.url}: 503")


def test_cancel_ends_the_wait(context: NewContext) -> None:
    cancelled = threading.Event()
    threading.Timer(0.3, cancelled.set).start()
    silent = {"url": "http://127.0.0.1:9/v1", "task": "text-generation", "timeoutSeconds": 60}
    began = time.monotonic()
    with pytest.raises(Cancelled):
        openai_server.create(silent, context(cancelled=cancelled))
    assert time.monotonic() - began < 2


def test_one_that_went_away_stays_in_state_and_is_proven_again(context: NewContext) -> None:
    with listening(Server()) as server:
        state = openai_server.create(declared(server), context()).state
        found = openai_server.read(server.url, state, declared(server), context())
        assert found is not None
        assert found.state["drift"] is None
        server.models = ("other",)
        found = openai_server.read(server.url, state, declared(server), context())
        assert found is not None
        assert found.state["drift"] == f"{server.url} has no llama3.2:1b any more"
    found = openai_server.read(server.url, state, declared(server), context())
    assert found is not None
    assert found.state["drift"] == f"{server.url} does not answer: connection refused"
    with pytest.raises(MoorageError, match="does not serve"):
        openai_server.update(server.url, state, declared(server, timeoutSeconds=0.5), context())


def test_the_address_must_be_one() -> None:
    given = {"url": "localhost:11434", "task": "text-generation"}
    [failure] = check(openai_server.SHAPE.inputs, given)[1]
    assert failure.reason == "must begin with http:// or https://"


def test_a_server_is_imported_by_its_address_and_tells_its_model_and_task(
    context: NewContext,
) -> None:
    with listening(Server()) as server:
        found = openai_server.read(server.url, {}, {}, context())
    assert found is not None
    assert found.inputs == {"url": server.url, "task": "text-generation", "timeoutSeconds": 60}
    assert found.state["servedModel"] == "llama3.2:1b"


def test_of_several_models_the_id_names_one(context: NewContext) -> None:
    with listening(Server(models=("a", "b"))) as server:
        found = openai_server.read(f"{server.url}#b", {}, {}, context())
        assert found is not None
        assert (found.id, found.inputs["model"]) == (server.url, "b")
        assert openai_server.read(f"{server.url}#c", {}, {}, context()) is None
        with pytest.raises(MoorageError, match="has a, b and none is called"):
            openai_server.read(server.url, {}, {}, context())


def test_a_server_that_wants_a_key_says_so_when_it_is_imported(context: NewContext) -> None:
    with (
        listening(Server(key="sk-right")) as server,
        pytest.raises(MoorageError, match=r"refuses the key \(401\)"),
    ):
        openai_server.read(server.url, {}, {}, context())
