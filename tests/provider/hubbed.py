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

ROOT = Path(__file__).parents[2]


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
    (folder / "state").mkdir(exist_ok=True)
    plugins = {"providers": [{"name": "moorage", "path": str(ROOT / "tools" / "plugin")}]}
    project = {"name": "hubbed", "runtime": "python", "plugins": plugins}
    (folder / "Pulumi.yaml").write_text(json.dumps(project))
    settings = {
        "PULUMI_BACKEND_URL": f"file://{folder / 'state'}",
        "PULUMI_CONFIG_PASSPHRASE": "test",
        "PULUMI_SKIP_UPDATE_CHECK": "1",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "1",
        "MOORAGE_PYTHON": sys.executable,
    }
    options = automation.LocalWorkspaceOptions(
        work_dir=str(folder),
        env_vars=settings,
        pulumi_command=automation.PulumiCommand(root=os.environ["PULUMI_ROOT_OF_TEST"]),
    )
    return automation.create_or_select_stack(
        "test", project_name="hubbed", program=lambda: _program(folder), opts=options
    )


if __name__ == "__main__":
    main()
