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

from tests import vault, warm

PROJECT = Path(__file__).parent.parent.parent
# Nothing listens on the discard port: the Hub is unreachable at once, on any machine.
NO_HUB = {"HF_ENDPOINT": "http://127.0.0.1:9", "HF_HUB_DISABLE_TELEMETRY": "1"}
# What an up imports; nothing of it looks at the environment while it is imported.
KNOWN = (
    *("moorage.cli.ahead", "moorage.cli.launch", "moorage.cli.operation", "moorage.cli.stacks"),
    *("moorage.deploy.display", "moorage.deploy.driver", "moorage.plan.load", "moorage.plan.fit"),
    *("moorage.plan.fit.vllm", "moorage.preflight", "moorage.status", "components.gateway"),
    *("components.model_service", "components.planned"),
)
ONLY_READ = ("check", "outputs", "plan", "preview", "status")


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
    started: list[warm.Run] = field(default_factory=list, repr=False)
    told: dict[str, Any] = field(default_factory=dict, repr=False)  # the outputs of each stack

    def moorage(self, *words: str, timeout_s: float = 240, **environ: str) -> Ended:
        process = self.start(*words, **environ)
        try:
            out, err = process.communicate(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=60)
            message = f"moorage {words} ran over {timeout_s} s:\n{out}{err}"
            raise AssertionError(message) from None
        return Ended(code=process.wait(), out=out, err=err)

    def start(self, *words: str, **environ: str) -> warm.Run:
        if words[0] not in ONLY_READ:
            self.told.clear()
        env = {**self.environ, **environ}
        self.started.append(warm.Run("moorage", words, env, self.root, knows=KNOWN))
        return self.started[-1]

    def cold(self, *words: str) -> Ended:
        """A command whose process starts from nothing, as a user's does."""
        self.told.clear()
        command = [sys.executable, "-m", "moorage", *words]
        ended = subprocess.run(
            command,
            cwd=self.root,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=240,
        )
        return Ended(code=ended.returncode, out=ended.stdout, err=ended.stderr)

    def service(self, name: str = "hello") -> Any:
        return self.outputs()["services"][name]

    def backends(self, name: str = "hello") -> Any:
        return self.outputs()["details"][name]["backends"]

    def outputs(self, stack: str = "local") -> Any:
        """All outputs of a stack, asked for once until something may have changed them."""
        if stack not in self.told:
            words = ("outputs", "--all", "--json", "--show-secrets", "--stack", stack)
            ended = self.moorage(*words)
            assert ended.code == 0, ended.said
            self.told[stack] = json.loads(ended.out)
        return self.told[stack]

    def seal(self, stack: str) -> None:
        """Keep a stack's secrets with a key that costs nothing, see tests/vault.py."""
        with (self.root / "stacks" / f"Pulumi.{stack}.yaml").open("a", encoding="utf-8") as file:
            file.write(f"secretsprovider: {vault.PROVIDER}\n")

    def processes(self) -> list[psutil.Process]:
        """Every living process that works for this checkout, whoever started it."""
        mine = str(self.root)
        drivers = {run.pid for run in self.started if run.poll() is None}
        found = []
        for process in psutil.process_iter():
            try:
                words = [*process.cmdline(), *process.environ().values()]
                is_ours = process.pid in drivers or any(mine in word for word in words)
                if is_ours and process.status() != psutil.STATUS_ZOMBIE:
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
