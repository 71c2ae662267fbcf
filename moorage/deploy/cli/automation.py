"""The Automation API, less the runs of the CLI that it makes and nobody here needs."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from concurrent import futures
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import grpc
import yaml
from pulumi import automation as auto
from pulumi.automation._server import LanguageServer
from pulumi.automation._stack import StackInitMode, _cleanup
from pulumi.runtime.proto import language_pb2_grpc


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
            with _language_host() as address:
                self.workspace.work_dir = str(
                    _import_folder(Path(self.workspace.work_dir), address)
                )
                self._run_pulumi_cmd_sync([*args, "--event-log", log])
        finally:
            _cleanup(folder, thread, stop, None, server)


@contextmanager
def _language_host() -> Iterator[str]:
    """A language host in this process: an import runs no program, and asks for its host anyway."""
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=1))
    host = LanguageServer(lambda: None)
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(host, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop(None)


def _import_folder(work: Path, address: str) -> Path:
    """The work folder once more, with a manifest that says where the language host is.

    Elsewhere the CLI takes that as an argument; its import does not.
    """
    folder = work / "import"
    folder.mkdir(exist_ok=True)
    for path in work.glob("Pulumi.*.yaml"):
        shutil.copy2(path, folder / path.name)
    manifest = yaml.safe_load((work / "Pulumi.yaml").read_text(encoding="utf-8"))
    manifest["runtime"] = {"name": "client", "options": {"address": address}}
    (folder / "Pulumi.yaml").write_text(yaml.safe_dump(manifest), encoding="utf-8")
    return folder
