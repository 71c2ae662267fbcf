"""One placement that fails does not keep the others from serving; it joins when it comes up."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tests.e2e.checkout import Checkout, a_checkout, ask, free_port

pytestmark = [pytest.mark.engine, pytest.mark.slow, pytest.mark.thorough]


class Theirs(BaseHTTPRequestHandler):
    """A server that somebody else runs: one model, one answer."""

    def do_GET(self) -> None:
        self.answer({"object": "list", "data": [{"id": "theirs", "object": "model"}]})

    def do_POST(self) -> None:
        message = {"role": "assistant", "content": "hello"}
        self.answer({"model": "theirs", "choices": [{"index": 0, "message": message}]})

    def answer(self, body: object) -> None:
        text = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def checkout(tmp_path: Path) -> Iterator[Checkout]:
    with a_checkout(tmp_path) as checkout:
        (checkout.root / "specs/examples/embed.yaml").unlink()
        yield checkout


def backends(checkout: Checkout) -> list[str]:
    (routes,) = (checkout.root / ".moorage" / "run").rglob("routes.json")
    (service,) = json.loads(routes.read_text())["services"]
    return [backend["name"] for backend in service["backends"]]


def test_the_gateway_serves_what_came_up_and_takes_in_what_comes_up_later(
    checkout: Checkout,
) -> None:
    port = free_port()
    spec = checkout.root / "specs/examples/hello.yaml"
    lines = spec.read_text().splitlines()
    at = [n for n, line in enumerate(lines) if line.startswith("  - {kind: local}")]
    lines[at[1]] = f'  - {{kind: openai, url: "http://127.0.0.1:{port}/v1"}}'
    spec.write_text("\n".join(lines) + "\n")

    first = checkout.moorage("up")
    assert first.code == 1
    fault = first.err.partition("moorage: ")[2]
    assert "hello-openai-2" in fault
    assert "left out" not in fault, "the gateway does not wait for what failed"
    assert backends(checkout) == ["local-1"]
    assert ask(checkout.service()).headers["x-moorage-backend"] == "local-1"
    assert [one["name"] for one in checkout.backends()] == ["local-1"]

    server = HTTPServer(("127.0.0.1", port), Theirs)
    Thread(target=server.serve_forever, daemon=True).start()
    second = checkout.moorage("up")
    assert second.code == 0, second.said
    assert backends(checkout) == ["local-1", "openai-2"]
    server.shutdown()
    server.server_close()

    third = checkout.moorage("up", "--refresh")
    assert third.code != 0
    assert backends(checkout) == ["local-1", "openai-2"], "what stood before is not dropped"
    assert ask(checkout.service()).headers["x-moorage-backend"] == "local-1"
