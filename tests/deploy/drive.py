"""A driver process for tests: `python -m tests.deploy.drive ROOT OPERATION PROGRAM`.

With `cli` for the operation, what follows PROGRAM is a command line of `moorage`.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pulumi

from moorage import cli
from moorage.cli import stacks
from moorage.deploy.display import PlainLines
from moorage.deploy.driver import PLUGIN, Result, Stack
from moorage.deploy.plugins import Plugin
from moorage.errors import Exit, MoorageError
from moorage.provider.handlers import HANDLERS
from moorage.resources import Process

MARKERS = (sys.executable, str(Path(__file__).with_name("marker_provider.py")))
RANDOM = Plugin(name="random", version="1.2.3")  # Pulumi looks up no name that it knows
# It takes connections, and answers nothing that could be called ready.
NEVER_READY = (
    "import http.server as h;"
    "h.HTTPServer(('127.0.0.1', {port}), h.BaseHTTPRequestHandler).serve_forever()"
)


class Marker(pulumi.CustomResource):
    """A file; see marker_provider.py."""

    path: pulumi.Output[str]

    def __init__(
        self, name: str, opts: pulumi.ResourceOptions | None = None, **props: pulumi.Input[str]
    ) -> None:
        super().__init__("moorage:index:Marker", name, {"path": None, **props}, opts)


def one(root: Path) -> None:
    """One thing, and outputs with a secret."""
    Marker("one", path=str(root / "one"))
    service = {"url": "http://127.0.0.1:1/v1", "api_key": pulumi.Output.secret("sk-1")}
    pulumi.export("services", {"hello": service})


def waiting(root: Path) -> None:
    """A second thing, which is there at once and ready when the file `go` is."""
    one(root)
    Marker("two", path=str(root / "two"), waitFor=str(root / "go"))


def sealed(root: Path) -> None:
    """A thing with a secret, which is there at once and ready when the file `go` is."""
    note = pulumi.Output.secret("sk-2")
    Marker("two", path=str(root / "two"), waitFor=str(root / "go"), note=note)


def refused(root: Path) -> None:
    """A thing that the provider refuses."""
    Marker("bad", path=str(root / "bad"), fail="no room for it: choose another place")


def raising(root: Path) -> None:
    """A program with a mistake."""
    one(root)
    pulumi.Output.from_input(1).apply(lambda _: dict[str, int]()["nokey"])
    raise ValueError("a mistake")


def objecting(root: Path) -> None:
    """A program that refuses in our own way."""
    raise MoorageError("this cannot be", exit_code=Exit.PROVES_NOTHING)


async def objecting_late(root: Path) -> None:
    """An async program that refuses when something is declared already."""
    one(root)
    await asyncio.sleep(0.01)
    objecting(root)


def holding(root: Path) -> None:
    """A program that takes its time: it goes on when the file `go` is there."""
    one(root)
    (root / "begun").touch()
    while not (root / "go").exists():
        time.sleep(0.05)


def serving(root: Path) -> None:
    """A real process that never becomes ready."""
    Process(
        "engine",
        directory=str(root / ".moorage" / "run" / "engine"),
        owner="demo/local/engine",
        command=[sys.executable, "-c", NEVER_READY],
        ready={"path": "/health", "timeout_seconds": 60},
    )


def chain(root: Path) -> None:
    """Two things that know nothing of each other, and a dependent of each.

    The file `broken` holds names of those that the provider refuses to create.
    """
    broken = (root / "broken").read_text().split() if (root / "broken").exists() else []
    firsts = {}
    for name in ("left", "right"):
        props = {"fail": f"no room for {name}"} if name in broken else {}
        firsts[name] = Marker(name, None, path=str(root / name), **props)
    for name, first in firsts.items():
        Marker(f"after-{name}", path=first.path.apply(lambda path: f"{path}-after"))


def nested(root: Path) -> None:
    """A thing below a component."""
    group = pulumi.ComponentResource("demo:index:Group", "group")
    Marker("inner", pulumi.ResourceOptions(parent=group), path=str(root / "inner"))


def moving(root: Path) -> None:
    """A thing that the file `moved` moves, which replaces it; `protected` protects it."""
    place = "there" if (root / "moved").exists() else "here"
    opts = pulumi.ResourceOptions(protect=(root / "protected").exists())
    Marker("thing", opts, path=str(root / place))


def foreign(root: Path) -> None:
    """A thing of a provider that is not installed."""
    pulumi.CustomResource("elsewhere:index:Thing", "far", {})


def stranger(root: Path) -> None:
    """A thing of a provider that somebody else has written as docs/providers.md says."""
    inputs = {"path": str(root / "berth"), "waitFor": str(root / "go"), "note": "n-1"}
    pulumi.CustomResource("quay:index:Berth", "berth", inputs)


def bought(root: Path) -> None:
    """A thing of a provider that can be had."""
    opts = pulumi.ResourceOptions(version=RANDOM.version)
    pulumi.CustomResource("random:index:Thing", "far", {"path": str(root / "far")}, opts)


PROGRAMS: dict[str, Callable[[Path], Awaitable[None] | None]] = {
    "one": one,
    "waiting": waiting,
    "sealed": sealed,
    "refused": refused,
    "raising": raising,
    "objecting": objecting,
    "objecting-late": objecting_late,
    "holding": holding,
    "serving": serving,
    "chain": chain,
    "nested": nested,
    "moving": moving,
    "foreign": foreign,
    "bought": bought,
    "stranger": stranger,
}


def a_stack(root: Path, program: str) -> Stack:
    return Stack(
        root=root,
        name="local",
        program=lambda: PROGRAMS[program](root),
        plugin=PLUGIN if program == "serving" else MARKERS,
        others=(RANDOM,) if program == "bought" else (),
        display=PlainLines(sys.stderr),
    )


def command_line(root: Path, program: str, words: list[str]) -> int:
    """The real command line, on a stack of these tests."""
    stacks.open_stack = lambda *_, **__: a_stack(root, program)
    stacks.equipped = lambda stack, loaded: stack  # its program is ours, and so are its plugins
    HANDLERS["moorage:index:Marker"] = HANDLERS["moorage:index:ApiKey"]
    return cli.main(words)


def main(root: Path, operation: str, program: str) -> int:
    stack = a_stack(root, program)
    try:
        if operation == "outputs":
            print(json.dumps({s: stack.outputs(show_secrets=bool(s)) for s in (0, 1)}))
            return 0
        result: Result = getattr(stack, operation)()
        print(json.dumps({"changed": result.changed, "changes": dict(result.changes)}))
    except MoorageError as error:
        print(f"moorage: {error}", file=sys.stderr)
        return int(error.exit_code)
    return 0


if __name__ == "__main__":
    if sys.argv[2] == "cli":
        sys.exit(command_line(Path(sys.argv[1]), sys.argv[3], sys.argv[4:]))
    sys.exit(main(Path(sys.argv[1]), sys.argv[2], sys.argv[3]))
