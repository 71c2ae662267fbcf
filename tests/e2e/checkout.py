"""A checkout of its own for one test: the project's files, a free port, and nothing left behind."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil

PROJECT = Path(__file__).parent.parent.parent
# Nothing listens on the discard port: the Hub is unreachable at once, on any machine.
NO_HUB = {"HF_ENDPOINT": "http://127.0.0.1:9", "HF_HUB_DISABLE_TELEMETRY": "1"}


@dataclass(frozen=True, kw_only=True)
class Ended:
    """A command that ran to its end."""

    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        return self.out + self.err


@dataclass(frozen=True, kw_only=True)
class Checkout:
    """A folder with Pulumi.yaml, stacks and specs, in which `moorage` runs for real."""

    root: Path
    port: int
    environ: Mapping[str, str] = field(repr=False)

    def moorage(self, *words: str, timeout_s: float = 240, **environ: str) -> Ended:
        process = self.start(*words, **environ)
        try:
            out, err = process.communicate(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=60)
            message = f"moorage {words} ran over {timeout_s} s:\n{out}{err}"
            raise AssertionError(message) from None
        return Ended(code=process.returncode, out=out, err=err)

    def start(self, *words: str, **environ: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "moorage", *words],
            cwd=self.root,
            env={**self.environ, **environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def service(self, name: str = "hello") -> Any:
        return self.outputs()["services"][name]

    def backends(self, name: str = "hello") -> Any:
        return self.outputs()["details"][name]["backends"]

    def outputs(self) -> Any:
        ended = self.moorage("outputs", "--all", "--json", "--show-secrets")
        assert ended.code == 0, ended.said
        return json.loads(ended.out)

    def processes(self) -> list[psutil.Process]:
        """Every living process that works for this checkout, whoever started it."""
        mine = str(self.root)
        found = []
        for process in psutil.process_iter():
            try:
                words = [*process.cmdline(), *process.environ().values()]
                if process.status() != psutil.STATUS_ZOMBIE and any(mine in w for w in words):
                    found.append(process)
            except psutil.Error:
                continue
        return found

    def edit(self, file: str, old: str, new: str) -> None:
        path = self.root / file
        text = path.read_text(encoding="utf-8")
        assert old in text, f"{file} has no {old!r}"
        path.write_text(text.replace(old, new), encoding="utf-8")


@contextmanager
def a_checkout(root: Path) -> Iterator[Checkout]:
    """Lay out a checkout; at the end all that it started is taken away and nothing may be left."""
    port = free_port()
    for name in ("Pulumi.yaml", "stacks", "specs"):
        source = PROJECT / name
        copy = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, root / name)
    environ = {k: v for k, v in os.environ.items() if not k.startswith(("PULUMI_C", "PULUMI_B"))}
    checkout = Checkout(root=root, port=port, environ={**environ, **NO_HUB})
    checkout.edit("stacks/Pulumi.local.yaml", "8700", str(port))
    # What is proven here is the way of the main job; a busy machine may take its time for it.
    checkout.edit("specs/examples/hello.yaml", "ttft_p95: 2s, tpot_p95: 500ms", "ttft_p95: 30s")
    checkout.edit("specs/examples/hello.yaml", "time_to_recover: 10s", "time_to_recover: 60s")
    try:
        yield checkout
        ended = checkout.moorage("destroy")
        assert ended.code == 0, ended.said
        left = [(process.pid, process.cmdline()) for process in checkout.processes()]
        assert not left, f"left behind: {left}"
    finally:
        for process in checkout.processes():
            process.kill()


def ask(service: Mapping[str, str], *, key: str | None = None, **fields: Any) -> httpx.Response:
    """One small chat request, as a client of the service would send it."""
    body = {
        "model": service["model"],
        "messages": [{"role": "user", "content": "Say hello."}],
        "max_tokens": 8,
        **fields,
    }
    return ask_at(service, "/chat/completions", body, key=key)


def ask_at(
    service: Mapping[str, str], path: str, body: Mapping[str, Any], *, key: str | None = None
) -> httpx.Response:
    """A request of any task, as a client of the service would send it."""
    headers = {"authorization": f"Bearer {key or service['api_key']}"}
    told = {"model": service["model"], **body}
    return httpx.post(f"{service['url']}{path}", json=told, headers=headers, timeout=60)


def free_port() -> int:
    """A port that is free now and stays so: below those that the kernel hands out by itself."""
    while True:
        port = random.randrange(10_000, 20_000)
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
