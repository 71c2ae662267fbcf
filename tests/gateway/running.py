"""The real gateway as a real process, and clients of it."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

KEY = "sk-moorage-hello-key"
# Long enough that a busy machine keeps to them, short enough to wait for those that run out.
TIMEOUTS = {"connect_s": 2, "first_byte_s": 2.5, "stall_s": 2.5, "total_s": 30}

Service = dict[str, object]


def backend(name: str, url: str, **more: object) -> dict[str, object]:
    known = {"name": name, "url": url, "model": f"{name}-model", "api_key": f"sk-{name}-secret"}
    return {**known, "timeouts": {**TIMEOUTS}, **more}


def service(*urls: str, name: str = "hello", **more: object) -> Service:
    """A service whose backends are named b1, b2, … in the order of their addresses."""
    backends = [backend(f"b{number}", url) for number, url in enumerate(urls, start=1)]
    known = {"name": name, "models": [name, f"org/{name}"], "task": "text-generation"}
    return {**known, "api_key": KEY, "backends": backends, **more}


def routes(*services: Service, port: int = 0) -> str:
    listen = {"host": "127.0.0.1", "port": port}
    return json.dumps({"version": 1, "listen": listen, "services": services})


@dataclass(kw_only=True)
class Gateway:
    process: subprocess.Popen[bytes]
    routes_path: Path
    log_path: Path
    url: str = field(default="")

    def log(self) -> str:
        return self.log_path.read_text()

    def client(self, key: str | None = KEY) -> httpx.Client:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        # verify=False: loading the CA certificates would cost more than the test itself.
        return httpx.Client(
            base_url=self.url, headers=headers, timeout=10, trust_env=False, verify=False
        )

    def health(self) -> str:
        with self.client(None) as client:
            digest = client.get("/health").json()["routes"]
        assert isinstance(digest, str)
        return digest

    def reload(self, text: str) -> None:
        """Put a new routes file in force and wait until it is."""
        before = self.health()
        write_routes(self.routes_path, text)
        self.process.send_signal(signal.SIGHUP)
        eventually(lambda: self.health() != before)


def write_routes(path: Path, text: str) -> Path:
    path.touch(mode=0o600)
    path.write_text(text)
    return path


def eventually(holds: Callable[[], object], *, within_s: float = 30.0) -> None:
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline, f"did not come true within {within_s} s"
        time.sleep(0.02)


@contextmanager
def running(directory: Path, text: str) -> Iterator[Gateway]:
    """Start the gateway on a free port; whatever happens, it is gone afterwards."""
    path = write_routes(directory / "routes.json", text)
    log_path = directory / "gateway.log"
    with log_path.open("wb") as log:
        command = [sys.executable, "-m", "moorage.gateway", "--routes", str(path)]
        process = subprocess.Popen(command, stderr=log, stdin=subprocess.DEVNULL)
    gateway = Gateway(process=process, routes_path=path, log_path=log_path)
    try:
        eventually(
            lambda: "listening on" in gateway.log() or process.poll() is not None, within_s=30
        )
        found = re.search(r"listening on (\S+)", gateway.log())
        assert found, gateway.log()
        gateway.url = found[1]
        yield gateway
    finally:
        process.kill()
        process.wait()


def run_to_end(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "moorage.gateway", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=20)


def ask(client: httpx.Client, **more: object) -> httpx.Response:
    body = {"model": "hello", "messages": [{"role": "user", "content": "hi"}], **more}
    return client.post("/v1/chat/completions", json=body)


def said(response: httpx.Response) -> str:
    assert response.status_code == 200, response.text
    content = response.json()["choices"][0]["message"]["content"]
    assert isinstance(content, str)
    return content
