"""A snapshot is the stack's state as the engine keeps it: resources and what is pending."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from moorage.deploy.cli.command import Command
from moorage.deploy.place import Place
from moorage.deploy.show.values import SIGNATURE
from moorage.deploy.stored import checkpoint
from moorage.deploy.urns import of_provider

Deployment = dict[str, Any]
Standing = Mapping[str, Mapping[str, Any]]  # URN -> the resource


def export(where: Place, command: Command, *, show_secrets: bool = False) -> dict[str, Any]:
    """The state in the form that `pulumi stack export` writes."""
    args = ["stack", "export", "--stack", where.stack]
    told = command.run(
        [*args, "--show-secrets"] if show_secrets else args, str(where.work), where.environ
    )
    exported: dict[str, Any] = json.loads(told.stdout)
    return exported


def deployment(where: Place, command: Command, *, show_secrets: bool = False) -> Deployment:
    """What is deployed; read from the store itself where that can be, which takes no time."""
    found = checkpoint.read(where) if not show_secrets else None
    if found is not None:
        return found
    return dict(export(where, command, show_secrets=show_secrets).get("deployment") or {})


def resources(found: Deployment) -> list[dict[str, Any]]:
    """The resources of a deployment, in the engine's order."""
    return list(found.get("resources") or [])


def inputs_of(found: Deployment, urn: str) -> dict[str, Any]:
    """The inputs of a resource; nothing of one that is not there."""
    return next((one.get("inputs") for one in resources(found) if one["urn"] == urn), None) or {}


def urns(found: Deployment) -> list[str]:
    """The URNs of a deployment, each once."""
    return list(dict.fromkeys(str(one["urn"]) for one in resources(found)))


def standing(found: Deployment) -> Standing:
    """What is there: not what is deleted already, or only still to be deleted."""
    return {
        str(one["urn"]): one
        for one in resources(found)
        if not one.get("delete") and not one.get("pendingReplacement")
    }


def superseded(found: Deployment) -> frozenset[str]:
    """The URNs of what has an old one, still to be deleted, beside it."""
    return frozenset(str(one["urn"]) for one in resources(found) if one.get("delete"))


def needs(resource: Mapping[str, Any]) -> set[str]:
    """The URNs without which the engine does not keep a resource, each perhaps empty."""
    of_properties = (resource.get("propertyDependencies") or {}).values()
    return {
        str(resource.get("parent") or ""),
        str(resource.get("deletedWith") or ""),
        of_provider(resource.get("provider")),
        *(resource.get("dependencies") or []),
        *(urn for urns in of_properties for urn in urns or []),
    }


def opened(value: Any) -> Any:
    """A value of the state as the engine is told one; None where it, or a part, is sealed."""
    if isinstance(value, list):
        members = [opened(one) for one in value]
        return None if None in members else members
    if not isinstance(value, dict):
        return value
    if "ciphertext" in value and SIGNATURE in value:
        return None
    if "plaintext" in value and SIGNATURE in value:
        return {SIGNATURE: value[SIGNATURE], "value": json.loads(value["plaintext"])}
    fields = {key: opened(one) for key, one in value.items()}
    return None if None in fields.values() else fields


def protected(found: Deployment) -> list[str]:
    """The URNs that nothing may delete."""
    return [str(one["urn"]) for one in resources(found) if one.get("protect")]
