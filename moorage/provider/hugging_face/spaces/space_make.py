"""Making a Space: asked for once with all of its settings, and looked for when nobody answers."""

from __future__ import annotations

from functools import partial
from typing import Any

from moorage.provider.handler import Context, State
from moorage.provider.hugging_face import hub, things
from moorage.provider.hugging_face.hub import Done, Hub, Outcome
from moorage.provider.hugging_face.spaces import space_record
from moorage.provider.hugging_face.spaces.space_record import Record
from moorage.provider.hugging_face.spaces.space_shape import OWNER


def make(id_: str, inputs: State, owner: str, *, at: Hub, context: Context) -> tuple[Record, State]:
    """The Space, made by us or by whoever was faster, and what is known to be set in it.

    Whose it is, the caller judges.
    """
    asked = at.asked(f"Space {id_}", id_.partition("/")[0])
    call = hub.post("/api/repos/create", body(id_, inputs, owner))
    outcome, found = things.asked_for(at, asked, call, partial(space_record.look, at, id_), context)
    return found, _set_by(outcome, inputs, found)


def _set_by(outcome: Outcome, inputs: State, found: Record) -> State:
    """The secrets that a create has set, where it is sure that it was ours."""
    if not isinstance(outcome, Done):
        return {}
    return {"secrets": inputs.get("secrets", {}), "secretsSetAt": found.secrets_set_at}


def body(id_: str, inputs: State, owner: str) -> dict[str, Any]:
    """Everything that it has to be before it starts for the first time."""
    account, _, name = id_.partition("/")
    variables = {**inputs.get("variables", {}), OWNER: owner}
    told = {
        "type": "space",
        "name": name,
        "organization": account,
        "sdk": inputs["sdk"],
        "visibility": inputs["visibility"],
        "hardware": inputs["hardware"],
        "sleepTimeSeconds": inputs.get("sleepSeconds"),
        "variables": _pairs(variables),
        "secrets": _pairs(inputs.get("secrets", {})) or None,
        "volumes": space_record.volumes(inputs.get("volumes", ())) or None,
        "resourceGroupId": inputs.get("resourceGroup"),
        "region": inputs.get("region"),
    }
    return {key: value for key, value in told.items() if value is not None}


def _pairs(values: dict[str, str]) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in sorted(values.items())]
