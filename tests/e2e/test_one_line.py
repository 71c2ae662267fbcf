"""One edited line of the example serves another model: a file, or a server that already runs."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.e2e.checkout import NO_HUB, Checkout, a_checkout, ask, free_port

pytestmark = [pytest.mark.engine, pytest.mark.slow]

MODEL_LINE = "bartowski/SmolLM2-135M-Instruct-GGUF "
FIRST_PROVIDER = "  - {kind: local}                                   #"


@pytest.fixture
def checkout(tmp_path: Path) -> Iterator[Checkout]:
    with a_checkout(tmp_path) as checkout:
        (checkout.root / "specs/examples/embed.yaml").unlink()
        yield checkout


@pytest.fixture
def own_model(tmp_path: Path) -> Path:
    """A GGUF file of one's own."""
    path = tmp_path / "own-model.gguf"
    words = ["tiny", "--task", "text-generation", "--out", str(path)]
    subprocess.run([sys.executable, "-m", "moorage.engine", *words], check=True)
    return path


@pytest.fixture
def running_server(own_model: Path) -> Iterator[str]:
    """The address of a server that somebody else started, with a key of its own."""
    port = free_port()
    words = ["serve", "--model", str(own_model), "--alias", "their-model", "--port", str(port)]
    words += ["--host", "127.0.0.1", "--task", "text-generation"]
    environ = {**os.environ, **NO_HUB, "MOORAGE_ENGINE_KEY": "sk-theirs"}
    command = [sys.executable, "-m", "moorage.engine", *words]
    with subprocess.Popen(command, env=environ, stderr=subprocess.DEVNULL) as server:
        url = f"http://127.0.0.1:{port}"
        wait_until_healthy(url)
        yield f"{url}/v1"
        assert server.poll() is None, "what somebody else runs must never be stopped"
        server.terminate()


def wait_until_healthy(url: str) -> None:
    for _ in range(300):
        try:
            if httpx.get(f"{url}/health").status_code == 200:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.1)
    pytest.fail(f"{url} did not come up")


@pytest.mark.thorough
@pytest.mark.parametrize("relative", [True, False])
def test_the_path_of_a_file_in_place_of_the_model(
    checkout: Checkout, own_model: Path, relative: bool
) -> None:
    path = os.path.relpath(own_model, checkout.root / "specs/examples") if relative else own_model
    checkout.edit("specs/examples/hello.yaml", MODEL_LINE, f"{path} ")
    up = checkout.moorage("up")
    assert up.code == 0, up.said
    answer = ask(checkout.service())
    assert answer.json()["model"] == "own-model"


def test_a_server_that_already_runs_in_place_of_the_first_provider(
    checkout: Checkout, running_server: str
) -> None:
    entry = f'  - {{kind: openai, url: "{running_server}", api_key_env: THEIR_KEY}} #'
    checkout.edit("specs/examples/hello.yaml", FIRST_PROVIDER, entry)
    missing = checkout.moorage("up")
    assert missing.code == 2
    assert "the environment has no THEIR_KEY" in missing.err
    up = checkout.moorage("up", THEIR_KEY="sk-theirs")
    assert up.code == 0, up.said
    assert "sk-theirs" not in up.said
    answer = ask(checkout.service())
    assert answer.headers["x-moorage-backend"] == "openai-1"
    assert answer.json()["model"] == "their-model"
    for file in (checkout.root / ".moorage").rglob("*"):
        if file.is_file() and file.name != "routes.json":
            assert b"sk-theirs" not in file.read_bytes(), file


@pytest.mark.thorough
def test_a_wrong_key_for_it_is_told_in_one_line(checkout: Checkout, running_server: str) -> None:
    entry = f'  - {{kind: openai, url: "{running_server}", api_key_env: THEIR_KEY}} #'
    checkout.edit("specs/examples/hello.yaml", FIRST_PROVIDER, entry)
    up = checkout.moorage("up", THEIR_KEY="sk-wrong")
    assert up.code != 0
    last = up.err.strip().splitlines()[-1]
    assert "hello-openai-1" in last
    assert "key" in last
    assert "sk-wrong" not in up.said
    assert "Traceback" not in up.said
