"""A stack of the real engine for one run in a process of its own, with our plugin and no login."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

from pulumi import automation

ROOT = Path(__file__).parents[2]


def opened(folder: Path, project: str, program: Callable[[], None]) -> automation.Stack:
    """The stack `test`, its state in the folder."""
    (folder / "state").mkdir(exist_ok=True)
    plugins = {"providers": [{"name": "moorage", "path": str(ROOT / "tools" / "plugin")}]}
    settled = {"name": project, "runtime": "python", "plugins": plugins}
    (folder / "Pulumi.yaml").write_text(json.dumps(settled))
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
        "test", project_name=project, program=program, opts=options
    )
