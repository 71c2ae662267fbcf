"""The life of the berth on docs/providers.md: python -m tests.provider.harbour_steps FOLDER.

A process of its own, since Pulumi's SDK leaves coroutines of inline programs behind. FOLDER holds
the files of the page; what comes of each step is one JSON line on stdout.
"""

from __future__ import annotations

import json
import os
import runpy
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pulumi import automation

PASSCODE = "salt and vinegar"
SOUTH = """
Berth("south", name="south", owner="port/dev", opts=pulumi.ResourceOptions(import_="b-2"))
"""


def main() -> None:
    folder = Path(sys.argv[1])
    sys.path.insert(0, str(folder))
    from harbour_server import serve  # type: ignore[import-not-found]  # lies in the folder

    with serve() as harbour:
        stack = _stack(folder, harbour.url)
        stack.set_config("passcode", automation.ConfigValue(PASSCODE, secret=True))
        _tell("created", _up(stack), list(harbour.berths), _shown(folder, harbour))
        with _attached(folder, harbour.url) as port:
            os.environ["PULUMI_DEBUG_PROVIDERS"] = f"harbour:{port}"
            _tell("attached", stack.preview().change_summary, harbour.writes)
        del os.environ["PULUMI_DEBUG_PROVIDERS"]
        harbour.answer("POST", "", {"name": "south", "owner": "port/dev", "length": 20})
        program = (folder / "__main__.py").read_text().replace("length=30", "length=40")
        (folder / "__main__.py").write_text(program + SOUTH)
        _tell("changed", _up(stack), harbour.berths["b-1"]["length"])
        harbour.berths["b-1"]["length"] = 12
        _tell("refreshed", stack.refresh().summary.resource_changes, harbour.writes)
        _tell("destroyed", stack.destroy().summary.resource_changes, list(harbour.berths))
    sys.stdout.flush()
    os._exit(0)


def _tell(*words: Any) -> None:
    print(json.dumps(words), flush=True)


def _up(stack: automation.Stack) -> Any:
    return stack.up().summary.resource_changes


def _shown(folder: Path, harbour: Any) -> list[str]:
    """The secrets that stand in plain anywhere in the state."""
    files = [path.read_text() for path in (folder / "state").rglob("*.json*")]
    secrets = [PASSCODE, *(berth["key"] for berth in harbour.berths.values())]
    return [secret for secret in secrets if any(secret in text for text in files)]


@contextmanager
def _attached(folder: Path, url: str) -> Iterator[int]:
    """The plugin as somebody who debugs it starts it."""
    with subprocess.Popen(
        [sys.executable, "-m", "harbour"],
        cwd=folder,
        env={**os.environ, "HARBOUR_URL": url},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.terminate()


def _stack(folder: Path, url: str) -> automation.Stack:
    (folder / "state").mkdir()
    settings = {
        "PULUMI_BACKEND_URL": f"file://{folder / 'state'}",
        "PULUMI_CONFIG_PASSPHRASE": "test",
        "PULUMI_SKIP_UPDATE_CHECK": "1",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "1",
        "HARBOUR_URL": url,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    options = automation.LocalWorkspaceOptions(
        work_dir=str(folder),
        env_vars=settings,
        pulumi_command=automation.PulumiCommand(root=os.environ["PULUMI_ROOT_OF_TEST"]),
    )

    def program() -> None:
        runpy.run_path(str(folder / "__main__.py"))

    return automation.create_stack("dev", project_name="port", program=program, opts=options)


if __name__ == "__main__":
    main()
