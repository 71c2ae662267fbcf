"""The world of one scenario: a project, a cloud, and what a person was told of both."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from moorage.deploy import urns
from moorage.deploy.cli import pulumi_cli
from moorage.deploy.display import PlainLines
from moorage.deploy.driver import Stack
from moorage.deploy.events import Event, Failed
from tests import vault
from tests.scripted.cloud import Cloud

STACKS = ("local", "other")
PLUGIN = (sys.executable, "-m", "tests.scripted")
SECRET = "4dabf18193072939515e22adb298388d"
LONGEST_S = 60.0


@dataclass(frozen=True, kw_only=True, slots=True)
class World:
    """A folder with everything in it; told is the text that a person has read."""

    root: Path
    told: list[str] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)

    @property
    def cloud(self) -> Cloud:
        """The folder's cloud."""
        return Cloud(folder=self.root / "cloud")

    @property
    def go(self) -> Path:
        """The file that things may wait for."""
        return self.root / "go"

    def stack(self, name: str, program: Callable[[], None]) -> Stack:
        """One of the stacks, as a user's command drives it."""
        plain = PlainLines(self)  # type: ignore[arg-type]

        def show(event: Event) -> None:
            self.events.append(event)
            plain(event)

        return Stack(root=self.root, name=name, program=program, plugin=PLUGIN, display=show)

    def write(self, text: str) -> int:
        """Take what the display writes."""
        self.told.append(text)
        return len(text)

    def flush(self) -> None:
        """Nothing is held back."""

    def isatty(self) -> bool:
        """No terminal."""
        return False

    def resources(self) -> Iterator[dict[str, Any]]:
        """What the stacks' states hold, less Pulumi's own."""
        for latest in self._latest():
            for one in latest.get("resources") or []:
                if not one["type"].startswith("pulumi:"):
                    yield one

    def pending(self) -> list[str]:
        """What the states say is under way."""
        return [
            f"{name_of(one['resource'])}: {one['type']}"
            for latest in self._latest()
            for one in latest.get("pending_operations") or []
        ]

    def find(self, path: str) -> Any:
        """A value of the state by name and path; `stack` is the stack itself."""
        name, *steps = path.split(".")
        found: Any = next((one for one in self._all() if name_of(one) == name), None)
        for step in steps:
            found = found.get(step) if isinstance(found, dict) else None
        return "[secret]" if isinstance(found, dict) and SECRET in found else found

    def leaks(self, secret: str) -> list[str]:
        """The files that hold a secret in plain."""
        files = (path for path in (self.root / ".moorage").rglob("*") if path.is_file())
        return [str(p.relative_to(self.root)) for p in files if secret.encode() in p.read_bytes()]

    def _all(self) -> Iterator[dict[str, Any]]:
        for latest in self._latest():
            alive = [one for one in latest.get("resources") or [] if not one.get("delete")]
            yield from alive

    def _latest(self) -> Iterator[dict[str, Any]]:
        for path in sorted(self.root.glob(".moorage/state/.pulumi/stacks/*/*.json")):
            yield json.loads(path.read_text())["checkpoint"].get("latest") or {}


def name_of(resource: dict[str, Any]) -> str:
    """A resource's name; that of the stack itself is `stack`."""
    if resource["type"] == "pulumi:pulumi:Stack":
        return "stack"
    return urns.name_of(str(resource["urn"]))


def lay_out(root: Path) -> World:
    """A project of two stacks, and an environment that knows it and nothing of the user's."""
    (root / "stacks").mkdir(parents=True)
    (root / "Pulumi.yaml").write_text("name: demo\nruntime: python\nstackConfigDir: stacks\n")
    settings = f"secretsprovider: {vault.PROVIDER}\n"
    for stack in STACKS:
        (root / "stacks" / f"Pulumi.{stack}.yaml").write_text(settings)
    return World(root=root)


def environment(root: Path) -> dict[str, str]:
    """The environment of a scenario's process."""
    cli = pulumi_cli.find(lambda _: None)
    assert cli is not None, "needs the Pulumi CLI: `make setup` says how to get one"
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PULUMI_")}
    return {
        **kept,
        **vault.environment(),
        "MOORAGE_PULUMI": str(cli.path),
        "PULUMI_HOME": str(root.parent / "pulumi-home"),
        "MOORAGE_TEST_CLOUD": str(root / "cloud"),
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }


def until(condition: Callable[[], object]) -> None:
    """Wait for something to become true."""
    end_s = time.monotonic() + LONGEST_S
    while not condition():
        assert time.monotonic() < end_s, "it did not happen"
        time.sleep(0.02)


def interrupt_at(call: str) -> Callable[[World], None]:
    """Press Ctrl-C once a call has begun."""

    def deed(world: World) -> None:
        until(lambda: call in world.cloud.calls())
        os.kill(os.getpid(), signal.SIGINT)

    return deed


def release_at_failure(name: str) -> Callable[[World], None]:
    """Let what waits go on once a resource is known to have failed."""

    def deed(world: World) -> None:
        until(
            lambda: any(
                isinstance(event, Failed) and event.urn.endswith(f"::{name}")
                for event in world.events
            )
        )
        world.go.touch()

    return deed
