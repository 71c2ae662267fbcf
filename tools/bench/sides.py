"""One `up` of many rows in a process of its own: `python sides.py SIDE FOLDER COUNT SECONDS`.

SIDE is `ours` (our driver and our framework) or `bare` (the Automation API, and the thinnest
provider).
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pulumi
import yaml
from bare import Stack, workspace

STACK = "bench"
PARALLEL = 64
_HERE = Path(__file__).parent

Program = Callable[[], None]


class Row(pulumi.CustomResource):
    """The program's side of a row, with every property that it takes."""

    def __init__(self, name: str, sleep_s: float) -> None:
        props = {
            "name": name,
            "sleep": sleep_s,
            "pause": 0,
            "region": "eu",
            "size": 3,
            "public": True,
            "tags": {"team": "support", "tier": "internal", "cost": "low"},
            "words": ["one", "two", "three", "four"],
            "ready": {"path": "/health", "seconds": 120},
            "note": "a note of ordinary length, as people write them",
        }
        super().__init__("moorage:index:Row", name, props)


def ours(folder: Path, program: Program) -> None:
    """Up by `moorage.deploy`, shown as plain lines."""
    from moorage.deploy import display, driver

    _write(folder / "Pulumi.yaml", {"name": "bench", "runtime": "python"})
    _write(folder / f"Pulumi.{STACK}.yaml", {})
    plugin = (sys.executable, str(_HERE / "row.py"))
    show = display.choose(form="plain")
    driver.Stack(root=folder, name=STACK, program=program, plugin=plugin, display=show).up()


def bare(folder: Path, program: Program) -> None:
    """Up by the Automation API alone."""
    wrapper = folder / "plugin" / "pulumi-resource-moorage"
    wrapper.parent.mkdir()
    wrapper.write_text(f'#!/bin/sh\nexec {sys.executable} {_HERE / "thin.py"} "$@"\n')
    wrapper.chmod(0o700)
    plugins = {"providers": [{"name": "moorage", "path": str(wrapper.parent)}]}
    _write(folder / "Pulumi.yaml", {"name": "bench", "runtime": "python", "plugins": plugins})
    (folder / "state").mkdir()
    passphrase = {"PULUMI_CONFIG_PASSPHRASE": "of no worth"}
    stack = Stack(STACK, workspace(folder, program, folder, passphrase), is_new=True)
    stack.up(parallel=PARALLEL, continue_on_error=True, color="never")


SIDES: dict[str, Callable[[Path, Program], None]] = {"ours": ours, "bare": bare}


def _write(path: Path, content: object) -> None:
    path.write_text(yaml.safe_dump(content))


def main(side: str, folder: str, count: str, sleep_s: str) -> None:
    """Declare the rows and bring them up."""

    def program() -> None:
        for number in range(int(count)):
            Row(f"row-{number}", float(sleep_s))

    SIDES[side](Path(folder), program)


if __name__ == "__main__":
    main(*sys.argv[1:])
