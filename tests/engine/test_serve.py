"""The real llama.cpp server: answers, keys, faults, and a prompt end."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from moorage.engine import tiny
from tests.engine.conftest import Engine, command, free_port

START = "I am a tiny model which moorage generated, and all that I do is count: 1"


def question(**more: object) -> dict[str, object]:
    return {"messages": [{"role": "user", "content": "Hello"}], "max_tokens": 16, **more}


@pytest.mark.parametrize("settings", [{"temperature": 0}, {}], ids=["greedy", "sampled"])
def test_a_chat_answer_has_visible_text_at_any_temperature(
    chat: Engine, settings: dict[str, object]
) -> None:
    status, text = chat.post("/v1/chat/completions", question(**settings))
    answer = json.loads(text)
    assert status == 200
    assert answer["choices"][0]["message"]["content"] == START
    assert answer["usage"]["completion_tokens"] == 16
    assert answer["model"] == "moorage/tiny-chat"


def test_a_streamed_answer_brings_its_tokens_one_by_one(chat: Engine) -> None:
    _, text = chat.post("/v1/chat/completions", question(stream=True))
    lines = [line[6:] for line in text.splitlines() if line.startswith("data: ")]
    assert lines.pop() == "[DONE]"
    pieces = [json.loads(line)["choices"][0]["delta"].get("content") for line in lines]
    tokens = [piece for piece in pieces if piece]
    assert len(tokens) == 16
    assert "".join(tokens) == START


def test_a_cut_answer_can_be_continued_where_it_ended(chat: Engine) -> None:
    _, text = chat.post("/v1/completions", {"prompt": "5 6 7", "max_tokens": 3})
    assert json.loads(text)["choices"][0]["text"] == " 8 9 10"


def test_without_a_limit_the_answer_ends_by_itself(chat: Engine) -> None:
    _, text = chat.post("/v1/chat/completions", question(max_tokens=-1))
    choice = json.loads(text)["choices"][0]
    assert choice["finish_reason"] == "stop"
    assert choice["message"]["content"].endswith(" 499 500")


def test_embeddings_are_nearer_for_like_texts(embedder: Engine) -> None:
    texts = ["the ship is in the harbour", "the ships are in the harbour", "qux 0815 %$"]
    _, text = embedder.post("/v1/embeddings", {"input": texts})
    one, two, other = (item["embedding"] for item in json.loads(text)["data"])
    assert len(one) == 128
    assert product(one, one) == pytest.approx(1, abs=1e-3)
    assert product(one, two) > product(one, other) + 0.2


def product(left: list[float], right: list[float]) -> float:
    return sum(a * b for a, b in zip(left, right, strict=True))


def test_a_wrong_key_opens_nothing(chat: Engine) -> None:
    status, text = chat.post("/v1/chat/completions", question(), key="sk-wrong")
    assert status == 401
    assert "Invalid API Key" in text


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot read the model file: No such file"),
        (b"<html>not found</html>", "not a GGUF file"),
        (b"GGUF" + bytes(64), "llama.cpp cannot load it"),
    ],
    ids=["missing", "no-gguf", "damaged"],
)
def test_a_bad_file_is_one_line_and_exit_2(
    content: bytes | None, message: str, tmp_path: Path
) -> None:
    model = tmp_path / "model.gguf"
    if content is not None:
        model.write_bytes(content)
    done = subprocess.run(command(model, free_port()), capture_output=True, text=True, timeout=30)
    assert done.returncode == 2
    # llama.cpp has threads that may still write after our line.
    (told,) = [line for line in done.stderr.splitlines() if message in line]
    assert str(model) in told
    assert "Traceback" not in done.stderr


def test_a_port_in_use_is_one_line_and_exit_2(models: dict[str, Path]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        line = command(models[tiny.CHAT_TASK], taken.getsockname()[1])
        done = subprocess.run(line, capture_output=True, text=True, timeout=30)
    assert done.returncode == 2
    [message] = done.stderr.splitlines()
    assert "Address already in use; choose another port" in message


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_promptly(ending: signal.Signals, models: dict[str, Path]) -> None:
    port = free_port()
    with subprocess.Popen(
        command(models[tiny.CHAT_TASK], port), stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stderr is not None
            any("is served at" in line for line in process.stderr)
            asked = time.monotonic()
            process.send_signal(ending)
            assert process.wait(timeout=10) == 0
            assert time.monotonic() - asked < 1
        finally:
            process.kill()


def test_the_key_is_in_no_argument(chat: Engine) -> None:
    arguments = Path(f"/proc/{chat.process.pid}/cmdline")
    if not arguments.exists():
        pytest.skip("no /proc here")
    assert "sk-" not in arguments.read_text()


def test_the_tiny_command_writes_the_model(tmp_path: Path) -> None:
    out = tmp_path / "deep" / "model.gguf"
    line = [sys.executable, "-m", "moorage.engine", "tiny", "--out", str(out)]
    subprocess.run(line, check=True, env=dict(os.environ))
    assert out.read_bytes()[:4] == b"GGUF"
