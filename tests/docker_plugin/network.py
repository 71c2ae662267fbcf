"""Network: what containers are in together."""

from __future__ import annotations

from typing import Any

from moorage.provider.handler import Context, Created, Found, Handler, State
from tests.docker_plugin import daemon, shapes

_INPUTS = ("name", "driver", "options", "internal", "attachable", "ipv6", "labels")


def create(inputs: State, context: Context) -> Created:
    """Make it."""
    with daemon.asked(context.config, "Unable to create network") as client:
        made = client.api.create_network(
            inputs["name"],
            driver=inputs.get("driver"),
            options=inputs.get("options"),
            internal=inputs.get("internal", False),
            attachable=inputs.get("attachable", False),
            enable_ipv6=inputs.get("ipv6", False),
            labels=daemon.labelled(inputs.get("labels")),
            check_duplicate=True,
        )
        context.exists(made["Id"], dict(inputs))
        found = client.api.inspect_network(made["Id"])
    return Created(id=made["Id"], state=_state(found, inputs))


def read(id_: str, state: State, inputs: State, context: Context) -> Found | None:
    """Look at it by its id."""
    with daemon.asked(context.config, "Unable to inspect network") as client:
        try:
            found = client.api.inspect_network(id_)
        except daemon.Missing:
            return None
    declared = {**inputs, "options": found["Options"] or {}} if "options" in inputs else inputs
    return Found(state=_state(found, declared), inputs=declared)


def delete(id_: str, state: State, context: Context) -> None:
    """Remove it once no container is in it."""
    with daemon.asked(context.config, "Unable to remove network") as client:
        daemon.remove_unused(
            lambda: client.api.remove_network(id_), "has active endpoints", context
        )


def _state(found: Any, inputs: State) -> State:
    return {**inputs, "driver": found["Driver"], "scope": found["Scope"]}


HANDLER = Handler(
    shape=shapes.shape("network", _INPUTS, delete_before_replace=True),
    create=create,
    read=read,
    delete=delete,
    check=shapes.check(_INPUTS),
    diff=shapes.diff("network"),
)
