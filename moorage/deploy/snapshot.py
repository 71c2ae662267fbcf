"""A snapshot is the stack's state as the engine keeps it: resources and what is pending."""

from __future__ import annotations

import json
from typing import Any

from moorage.deploy.command import Command
from moorage.deploy.place import Place

Deployment = dict[str, Any]


def export(where: Place, command: Command, *, show_secrets: bool = False) -> dict[str, Any]:
    """The state in the form that `pulumi stack export` writes."""
    args = ["stack", "export", "--stack", where.stack]
    told = command.run(
        [*args, "--show-secrets"] if show_secrets else args, str(where.work), where.environ
    )
    exported: dict[str, Any] = json.loads(told.stdout)
    return exported


def deployment(where: Place, command: Command) -> Deployment:
    """What is deployed; read from the backend's file where it is one, which takes no time."""
    path = where.state_file
    if path is not None and path.exists():
        loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return dict(loaded.get("checkpoint", {}).get("latest") or {})
    return dict(export(where, command).get("deployment") or {})


def resources(found: Deployment) -> list[dict[str, Any]]:
    """The resources of a deployment, in the engine's order."""
    return list(found.get("resources") or [])


def urns(found: Deployment) -> list[str]:
    """The URNs of a deployment, each once."""
    return list(dict.fromkeys(str(one["urn"]) for one in resources(found)))
