"""A project of its own for one engine test: a folder, a driver as a child, nothing left."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from moorage.deploy.cli import pulumi_cli
from tests import vault, warm


@dataclass(frozen=True, kw_only=True)
class Ended:
    """A driver that ran to its end."""

    code: int
    out: str
    err: str

    @property
    def said(self) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(self.out)
        return told

    @property
    def fault(self) -> str:
        """The fault that it ended with, without the progress before it."""
        assert "Traceback" not in self.err, self.err
        assert "Warning" not in self.err, self.err
        return self.err.partition("moorage: ")[2].strip()


@dataclass(frozen=True, kw_only=True)
class Project:
    """A folder with Pulumi.yaml and one stack, driven by child processes."""

    root: Path
    environ: dict[str, str] = field(repr=False)
    started: list[warm.Run] = field(default_factory=list, repr=False)

    @property
    def state(self) -> Path:
        return self.root / ".moorage" / "state" / ".pulumi"

    def run(self, operation: str, program: str = "one", **environ: str) -> Ended:
        return finished(self.start(operation, program, **environ))

    def cli(self, program: str, *words: str, **environ: str) -> Ended:
        """A command line of `moorage` on this project's stack."""
        return finished(self.start("cli", program, *words, **environ))

    def start(self, operation: str, program: str = "one", *words: str, **environ: str) -> warm.Run:
        words = (str(self.root), operation, program, *words)
        self.started.append(warm.Run("tests.deploy.drive", words, {**self.environ, **environ}))
        return self.started[-1]

    def resources(self) -> dict[str, dict[str, Any]]:
        """What the state knows, by name; nothing may be pending in it."""
        checkpoint = json.loads((self.state / "stacks" / "demo" / "local.json").read_text())
        latest = checkpoint["checkpoint"]["latest"]
        assert not latest.get("pending_operations")
        return {one["urn"].rsplit("::", 1)[-1]: one for one in latest["resources"]}

    def locks(self) -> list[Path]:
        """Pulumi's locks, our leases and the checkout's own lock."""
        home = self.root / ".moorage"
        leases = home.glob("state/.moorage/leases/**/*.json")
        return [*self.state.glob("locks/**/*.json"), *leases, *home.glob("*.lock")]

    def processes(self) -> list[psutil.Process]:
        """Every living process that works for this project."""
        found = []
        drivers = {run.pid for run in self.started if run.poll() is None}
        for process in psutil.process_iter():
            try:
                words = [*process.cmdline(), process.cwd()]
                is_ours = process.pid in drivers or any(str(self.root) in word for word in words)
                if is_ours and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
            except psutil.Error:
                continue
        return found


def finished(run: warm.Run) -> Ended:
    try:
        out, err = run.communicate(timeout=90)
    except subprocess.TimeoutExpired:
        run.kill()
        out, err = run.communicate()
        raise AssertionError(err) from None
    return Ended(code=run.wait(), out=out, err=err)


@contextmanager
def a_project(root: Path, *, provider: str | None = vault.PROVIDER) -> Iterator[Project]:
    """Lay out a project whose Pulumi home is its own, and end whatever a test left running.

    `provider` seals its secrets; without one a passphrase does, as for users who say nothing.
    """
    settings = f"secretsprovider: {provider}\n" if provider else "config: {}\n"
    (root / "stacks").mkdir(parents=True)
    (root / "Pulumi.yaml").write_text("name: demo\nruntime: python\nstackConfigDir: stacks\n")
    (root / "stacks" / "Pulumi.local.yaml").write_text(settings)
    cli = pulumi_cli.find(lambda _: None)
    assert cli is not None
    environ = {k: v for k, v in os.environ.items() if not k.startswith("PULUMI_")}
    environ |= {"MOORAGE_PULUMI": str(cli.path), "PULUMI_HOME": str(root.parent / "pulumi home")}
    environ |= vault.environment()
    project = Project(root=root, environ=environ)
    try:
        yield project
    finally:
        for process in project.processes():
            process.kill()


def until(condition: Callable[[], object], *, timeout_s: float = 30.0) -> None:
    """Wait for something to become true."""
    deadline_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline_s, "it did not happen"
        time.sleep(0.05)


def engine_of(driver: warm.Run) -> psutil.Process:
    """The CLI that a driver runs."""
    (cli,) = (child for child in psutil.Process(driver.pid).children() if child.name() == "pulumi")
    return cli
