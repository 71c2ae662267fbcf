"""One Pulumi run of a stack of the Hub's things: python -m tests.provider.hubbed FOLDER VERB.

A process of its own, since Pulumi's SDK leaves coroutines of failed inline programs behind.
FOLDER/wanted.json holds what is declared; FOLDER/result.json will hold what came of it.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pulumi
from pulumi import automation

from moorage.resources import Collection, ModelRepository, Space
from tests.provider import stacked


def main() -> None:
    folder, verb = Path(sys.argv[1]), sys.argv[2]
    lines: list[str] = []
    result: dict[str, Any] = {"failed": False}
    try:
        done: Any = getattr(_stack(folder), verb)(on_output=lines.append)
        if verb == "up":
            result["changes"] = done.summary.resource_changes
            result["outputs"] = {name: output.value for name, output in done.outputs.items()}
    except automation.CommandError as error:
        result["failed"] = True
        lines.append(str(error))
    (folder / "result.json").write_text(json.dumps({**result, "output": "\n".join(lines)}))
    sys.stdout.flush()
    os._exit(0)


def _program(folder: Path) -> None:
    wanted = json.loads((folder / "wanted.json").read_text())
    model = ModelRepository("tuned", name="tuned", namespace="acme", **wanted["model"])
    secrets = {"KEY": pulumi.Output.secret("sk-of-the-gateway")}
    imported = pulumi.ResourceOptions(import_=wanted.get("import"))
    space = Space("chat", name="chat", secrets=secrets, opts=imported, **wanted["space"])
    held: Any = {"type": "model", "id": model.account.apply(lambda account: f"{account}/tuned")}
    Collection("answers", title="Answers", namespace="acme", items=[held])
    pulumi.export("space", {"url": space.url, "stage": space.stage, "sha": space.sha})


def _stack(folder: Path) -> automation.Stack:
    return stacked.opened(folder, "hubbed", lambda: _program(folder))


if __name__ == "__main__":
    main()
