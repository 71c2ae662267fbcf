"""The engine of all sides: one CLI, and nothing of the user's own settings of Pulumi."""

from __future__ import annotations

import os

from moorage.deploy.cli import pulumi_cli


def environ() -> dict[str, str]:
    """The environment in which every side finds the same CLI."""
    cli = pulumi_cli.find(print)
    if cli is None:
        message = "no Pulumi CLI is there; `make setup` gets one"
        raise SystemExit(message)
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("PULUMI_") or name == "PULUMI_HOME"
    }
    path = os.pathsep.join([str(cli.path.parent), kept.get("PATH", os.defpath)])
    return {**kept, "MOORAGE_PULUMI": str(cli.path), "PATH": path}
