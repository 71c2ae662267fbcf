"""One Pulumi run of a stack with a key and a process: python -m tests.provider.moored FOLDER VERB.

A process of its own, since Pulumi's SDK leaves coroutines of failed inline programs behind.
FOLDER/web.json holds inputs of the process; FOLDER/result.json will hold what came of it.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pulumi
from pulumi import automation

from moorage.resources import ApiKey, Process
from tests.provider import stacked

SERVER = Path(__file__).with_name("small_server.py")


def main() -> None:
    folder, verb = Path(sys.argv[1]), sys.argv[2]
    stack = _stack(folder)
    lines: list[str] = []
    result: dict[str, Any] = {"failed": False}
    try:
        done: Any = getattr(stack, verb)(**({"on_output": lines.append} if verb == "up" else {}))
        if verb == "up":
            result["changes"] = done.summary.resource_changes
            result["outputs"] = {name: output.value for name, output in done.outputs.items()}
            result["secret"] = [name for name, output in done.outputs.items() if output.secret]
    except automation.CommandError as error:
        result["failed"] = True
        lines.append(str(error))
    # The file backend's own file: another run of the CLI would take a second.
    state = folder / "state" / ".pulumi" / "stacks" / "moored" / "test.json"
    latest = json.loads(state.read_text())["checkpoint"].get("latest") or {}
    result["resources"] = latest.get("resources", [])
    (folder / "result.json").write_text(json.dumps({**result, "output": "\n".join(lines)}))
    sys.stdout.flush()
    os._exit(0)


def _program(folder: Path) -> None:
    key = ApiKey("key")
    given = {
        "directory": str(folder / "run" / "web"),
        "owner": "moored/test/web",
        "command": [sys.executable, str(SERVER), "{port}"],
        "environment": {"MY_KEY": key.value},
        "ready": {"path": "/health", "timeout_seconds": 20},
        "ready_key": key.value,
        **json.loads((folder / "web.json").read_text()),
    }
    process = Process("web", **given)
    pulumi.export("web", {"url": process.url, "pid": process.pid, "port": process.port})
    pulumi.export("key", key.value)


def _stack(folder: Path) -> automation.Stack:
    stack = stacked.opened(folder, "moored", lambda: _program(folder))
    if not (folder / "Pulumi.test.yaml").exists() or "gatewayPort" not in _settings(folder):
        stack.set_config("moorage:gatewayPort", automation.ConfigValue("8700"))
    return stack


def _settings(folder: Path) -> str:
    return (folder / "Pulumi.test.yaml").read_text()


if __name__ == "__main__":
    main()
