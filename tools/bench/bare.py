"""The Automation API as thin as it can be: one run of the CLI for an operation, and no more.

By itself it selects the stack before every command, and looks up outputs and history after an up;
our driver does neither, and to be compared with such runs would flatter it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from pulumi import automation as auto
from pulumi.automation._stack import StackInitMode


class Stack(auto.Stack):
    """Without a look at outputs and history."""

    def __init__(self, name: str, space: auto.LocalWorkspace, *, is_new: bool = False) -> None:
        super().__init__(name, space, StackInitMode.CREATE if is_new else StackInitMode.SELECT)

    def outputs(self) -> auto.OutputMap:
        """Nothing."""
        return {}

    def info(self, show_secrets: bool = True) -> auto.UpdateSummary:  # noqa: ARG002
        """Nothing."""
        return auto.UpdateSummary("update", datetime.now().astimezone(), "", {}, {}, "succeeded")


class _Workspace(auto.LocalWorkspace):
    def select_stack(self, stack_name: str) -> None:
        """Nothing: the commands name the stack."""


def workspace(
    work: Path, program: auto.PulumiFn, home: Path, environ: Mapping[str, str]
) -> auto.LocalWorkspace:
    """A workspace whose state lies in a folder, and which leaves the user's login alone."""
    settings = {
        "PULUMI_BACKEND_URL": f"file://{home / 'state'}",
        "PULUMI_CREDENTIALS_PATH": str(home),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
    }
    return _Workspace(work_dir=str(work), program=program, env_vars={**settings, **environ})
