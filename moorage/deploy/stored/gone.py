"""A Docker host that is gone for good: all that Pulumi's docker plugin has there is forgotten."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from moorage.deploy.session import Session
from moorage.deploy.stored import snapshot
from moorage.deploy.stored.leftovers import SLOT, host_of
from moorage.deploy.urns import is_internal, label, of_provider
from moorage.errors import Exit, MoorageError

_PROVIDER: Final = "pulumi:providers:docker"
_OURS: Final = frozenset({SLOT, "moorage:index:EngineReady"})  # about a container, and no more

Resource = Mapping[str, Any]


def forget(session: Session, host: str) -> str:
    """Forget all that is on a host, where nothing that stands elsewhere needs it any more."""
    session.require()
    resources = snapshot.resources(session.deployment())
    plugins = [one for one in resources if one["type"] == _PROVIDER]
    there = [one["urn"] for one in plugins if _host(one) == host]
    if not there:
        known = ", ".join(sorted({_host(one) for one in plugins})) or "none"
        message = f"stack {session.where.stack} has no Docker host {host}; those it has: {known}"
        raise MoorageError(message)
    going = _going(resources, there)
    _refuse_needed(resources, going, host)
    session.of_stack("state", "delete", *there, "--target-dependents", "--yes")
    told = ", ".join(label(urn) for urn in sorted(going) if not is_internal(urn)) or "nothing else"
    return f"forgotten of {host}: {told}; what of it runs there still goes on, unseen"


def _going(resources: Sequence[Resource], plugins: Sequence[str]) -> set[str]:
    """The plugins, what they have, and what of ours is about that alone; the needed stand first."""
    going = set(plugins)
    for one in resources:
        is_theirs = of_provider(one.get("provider")) in plugins
        if is_theirs or (one["type"] in _OURS and snapshot.needs(one) & going):
            going.add(one["urn"])
    return going


def _host(plugin: Resource) -> str:
    return host_of(plugin.get("inputs") or {})


def _refuse_needed(resources: Sequence[Resource], going: set[str], host: str) -> None:
    for one in resources:
        if one["urn"] not in going and snapshot.needs(one) & going:
            message = (
                f"{label(one['urn'])} still needs what is on {host}: take that host out of the"
                " specs, run `moorage up`, which goes as far as it can, and then this again"
            )
            raise MoorageError(message, exit_code=Exit.PROBLEMS)
