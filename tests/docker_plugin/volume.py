"""Volume: a named place for files."""

from __future__ import annotations

from typing import Any

from moorage.provider.handler import Context, Created, Found, Handler, State
from tests.docker_plugin import daemon, shapes

_INPUTS = ("name", "driver", "driverOpts", "labels")


def create(inputs: State, context: Context) -> Created:
    """Docker gives what is there where the name is taken."""
    with daemon.asked(context.config, "Unable to create volume") as client:
        made = client.api.create_volume(
            inputs["name"],
            driver=inputs.get("driver"),
            driver_opts=inputs.get("driverOpts"),
            labels=daemon.labelled(inputs.get("labels")),
        )
    return Created(id=made["Name"], state=_state(made, inputs))


def read(id_: str, state: State, inputs: State, context: Context) -> Found | None:
    """Look at it by its name."""
    with daemon.asked(context.config, "Unable to inspect volume") as client:
        try:
            found = client.api.inspect_volume(id_)
        except daemon.Missing:
            return None
    return Found(state=_state(found, inputs), inputs=inputs)


def delete(id_: str, state: State, context: Context) -> None:
    """Remove it once no container has it."""
    with daemon.asked(context.config, "Unable to remove volume") as client:
        daemon.remove_unused(lambda: client.api.remove_volume(id_), "volume is in use", context)


def _state(found: Any, inputs: State) -> State:
    return {**inputs, "driver": found["Driver"], "mountpoint": found["Mountpoint"]}


HANDLER = Handler(
    shape=shapes.shape("volume", _INPUTS, delete_before_replace=True),
    create=create,
    read=read,
    delete=delete,
    check=shapes.check(_INPUTS),
    diff=shapes.diff("volume"),
)
