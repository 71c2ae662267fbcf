"""A driver process for tests: `python -m tests.deploy.drive ROOT OPERATION PROGRAM`."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pulumi

from moorage.deploy.display import PlainLines
from moorage.deploy.driver import PLUGIN, Result, Stack
from moorage.errors import Exit, MoorageError
from moorage.resources import Process

MARKERS = (sys.executable, str(Path(__file__).with_name("marker_provider.py")))
# It takes connections, and answers nothing that could be called ready.
NEVER_READY = (
    "import http.server as h;"
    "h.HTTPServer(('127.0.0.1', {port}), h.BaseHTTPRequestHandler).serve_forever()"
)


class Marker(pulumi.CustomResource):
    """A file; see marker_provider.py."""

    def __init__(self, name: str, **props: str) -> None:
        super().__init__("moorage:index:Marker", name, {"path": None, **props})


def one(root: Path) -> None:
    """One thing, and outputs with a secret."""
    Marker("one", path=str(root / "one"))
    service = {"url": "http://127.0.0.1:1/v1", "api_key": pulumi.Output.secret("sk-1")}
    pulumi.export("services", {"hello": service})


def waiting(root: Path) -> None:
    """A second thing, which is there at once and ready when the file `go` is."""
    one(root)
    Marker("two", path=str(root / "two"), waitFor=str(root / "go"))


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


def serving(root: Path) -> None:
    """A real process that never becomes ready."""
    Process(
        "engine",
        directory=str(root / ".moorage" / "run" / "engine"),
        owner="demo/local/engine",
        command=[sys.executable, "-c", NEVER_READY],
        ready={"path": "/health", "timeoutSeconds": 60},
    )


PROGRAMS: dict[str, Callable[[Path], None]] = {
    "one": one,
    "waiting": waiting,
    "refused": refused,
    "raising": raising,
    "objecting": objecting,
    "serving": serving,
}


def main(root: Path, operation: str, program: str) -> int:
    stack = Stack(
        root=root,
        name="local",
        program=lambda: PROGRAMS[program](root),
        plugin=PLUGIN if program == "serving" else MARKERS,
        display=PlainLines(sys.stderr),
    )
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
    sys.exit(main(Path(sys.argv[1]), sys.argv[2], sys.argv[3]))
