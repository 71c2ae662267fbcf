"""The pages of the Space templates, run by the real Gradio and the real Streamlit."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from components import apps
from tests.e2e.checkout import free_port
from tests.loadtests.sse_server import Behaviour, serving

pytestmark = [pytest.mark.thorough, pytest.mark.slow]

ASK = """
import json, sys
from gradio_client import Client
client = Client(sys.argv[1], verbose=False)
print(json.dumps([client.predict(text, api_name=sys.argv[2]) for text in sys.argv[3:]]))
"""
CHAT = """
from streamlit.testing.v1 import AppTest
page = AppTest.from_file("app.py", default_timeout=60).run()
for text in ("One", "Two"):
    page.chat_input[0].set_value(text).run()
assert not page.exception, page.exception
print([(one.name, one.markdown[0].value) for one in page.chat_message])
"""
PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQ"
    "DwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
)


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interpreter with what the templates ask for, as a Space installs it."""
    place = tmp_path_factory.mktemp("pages") / "venv"
    subprocess.run([sys.executable, "-m", "venv", place], check=True)
    files = map(apps.files, apps.TEMPLATES)
    packages = {one for told in files for one in told.get("requirements.txt", "").split()}
    pip = [str(place / "bin" / "python"), "-m", "pip", "install", "--quiet", "streamlit"]
    subprocess.run([*pip, *packages], check=True)
    return place / "bin" / "python"


@contextmanager
def page(python: Path, folder: Path, template: str, url: str) -> Iterator[str]:
    """A template's page as a process, with its address."""
    write(folder, template)
    port = free_port()
    settings = {
        **settled(url),
        "GRADIO_SERVER_PORT": str(port),
        "GRADIO_ANALYTICS_ENABLED": "False",
    }
    with subprocess.Popen([python, "app.py"], cwd=folder, env=settings) as process:
        try:
            address = f"http://127.0.0.1:{port}"
            wait(address)
            yield address
        finally:
            process.kill()


def write(folder: Path, template: str) -> None:
    for path, text in apps.files(template).items():
        (folder / path).write_text(text, encoding="utf-8")


def settled(url: str) -> dict[str, str]:
    told = {"MOORAGE_GATEWAY_URL": url, "MOORAGE_GATEWAY_KEY": "sk-1", "MOORAGE_MODEL": "hello"}
    return {**os.environ, **told}


def wait(address: str, limit_s: float = 120.0) -> None:
    until = time.monotonic() + limit_s
    while time.monotonic() < until:
        try:
            if httpx.get(address, timeout=10).is_success:
                return
        except httpx.HTTPError:
            time.sleep(0.2)
    pytest.fail(f"{address} does not answer")


def asked(python: Path, address: str, name: str, *texts: str) -> Any:
    command = [str(python), "-c", ASK, address, name, *texts]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    return json.loads(ended.stdout.splitlines()[-1])


def test_the_chat_streams_and_remembers(python: Path, tmp_path: Path) -> None:
    with (
        serving(lambda _body, _count: Behaviour()) as server,
        page(python, tmp_path, "chat", server.url) as address,
    ):
        first, second = asked(python, address, "/answer", "One", "Two")
    assert first == second
    assert first.startswith("w0 w1")
    *_, last = server.served.values()
    assert last.key == "Bearer sk-1"
    assert [one["content"] for one in last.body["messages"]] == ["One", first, "Two"]


def test_streamlit_streams_and_remembers(python: Path, tmp_path: Path) -> None:
    write(tmp_path, "streamlit")
    with serving(lambda _body, _count: Behaviour()) as server:
        command = [str(python), "-c", CHAT]
        ended = subprocess.run(
            command,
            cwd=tmp_path,
            env=settled(server.url),
            capture_output=True,
            text=True,
            timeout=120,
        )
    assert ended.returncode == 0, ended.stderr
    assert "('user', 'Two'), ('assistant', 'w0 w1" in ended.stdout
    *_, last = server.served.values()
    assert [one["role"] for one in last.body["messages"]] == ["user", "assistant", "user"]


def test_a_picture_is_shown(python: Path, tmp_path: Path) -> None:
    told = {"data": [{"b64_json": PIXEL}]}
    answer = Behaviour(body=json.dumps(told).encode())
    with (
        serving(lambda _body, _count: answer) as server,
        page(python, tmp_path, "text-to-image", server.url) as address,
    ):
        [picture] = asked(python, address, "/draw", "a red square")
    assert Path(picture).suffix in {".webp", ".png"}
