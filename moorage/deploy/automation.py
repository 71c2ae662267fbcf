"""The Automation API, less the runs of the CLI that it makes and nobody here needs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from pulumi import automation as auto
from pulumi.automation._stack import StackInitMode, _cleanup


class Workspace(auto.LocalWorkspace):
    """Selects nothing: every command names its stack, and the user's own selection is not ours."""

    def select_stack(self, stack_name: str) -> None:
        """Do nothing."""


class Stack(auto.Stack):
    """Without the three further CLI runs that an `up` of the Automation API ends with."""

    def __init__(self, name: str, workspace: Workspace) -> None:
        super().__init__(name, workspace, StackInitMode.SELECT)

    def outputs(self) -> auto.OutputMap:
        """Nothing: who wants the outputs asks for them."""
        return {}

    def info(self, show_secrets: bool = True) -> auto.UpdateSummary:  # noqa: ARG002
        """Nothing worth a look into the history: the events told it all."""
        now = datetime.now().astimezone()
        return auto.UpdateSummary("update", now, "", {}, {}, "succeeded")

    def adopt(
        self, file: Path, on_event: Callable[[auto.EngineEvent], None], *, parallel: int
    ) -> None:
        """Import what a file in Pulumi's bulk form names; the API's own import has no events."""
        version = self.workspace.pulumi_version
        log, thread, stop, folder, server = self._setup_event_log("import", on_event, version)
        args = ["import", "--file", str(file), "--yes", "--skip-preview", "--protect=false"]
        args += ["--generate-code=false", "--parallel", str(parallel), "--color", "never"]
        try:
            self._run_pulumi_cmd_sync([*args, "--event-log", log])
        finally:
            _cleanup(folder, thread, stop, None, server)
