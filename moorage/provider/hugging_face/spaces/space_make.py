"""Making a Space: asked for once with all of its settings, and looked for when nobody answers."""

from __future__ import annotations

from typing import Any, Final

from moorage.errors import Exit, MoorageError
from moorage.provider.handler import Context, State
from moorage.provider.hugging_face import hub
from moorage.provider.hugging_face.client import Refused, Unknown
from moorage.provider.hugging_face.hub import Done, Hub, Outcome
from moorage.provider.hugging_face.spaces import space_record
from moorage.provider.hugging_face.spaces.space_record import Record
from moorage.provider.hugging_face.spaces.space_shape import OWNER

TRIES: Final = 5
_LOOKS_S: Final = (0.0, 0.3, 1.0, 3.0)
_BUSY: Final = "another conflicting operation"
_BUSY_PAUSE_S: Final = 1.0
_CONFLICT: Final = 409


def make(id_: str, inputs: State, owner: str, *, at: Hub, context: Context) -> tuple[Record, State]:
    """The Space, made by us or by whoever was faster, and what is known to be set in it.

    Whose it is, the caller judges.
    """
    asked = at.asked(f"Space {id_}", id_.partition("/")[0])
    context.progress(f"creating {asked.what}")
    call = hub.post("/api/repos/create", body(id_, inputs, owner))
    outcome = hub.write(at, asked, call, context)
    for _ in range(TRIES):
        if not is_busy(outcome):
            break
        context.pause(_BUSY_PAUSE_S)  # refused for now, so nothing was made
        outcome = hub.write(at, asked, call, context)
    if isinstance(outcome, Refused) and outcome.status != _CONFLICT:
        raise outcome.fail()
    found = _looked_for(at, id_, context)
    if found is not None:
        return found, _set_by(outcome, inputs, found)
    if isinstance(outcome, Refused):
        message = f"{asked.what}: the name is taken by what this token cannot see; take another"
        raise MoorageError(message, exit_code=Exit.NEEDS_PERSON)
    why = str(outcome) if isinstance(outcome, Unknown) else "it was made, and is not to be seen"
    message = f"{asked.what}: {why}; run up again, it takes on what is there by then"
    raise MoorageError(message, exit_code=Exit.UNANSWERED)


def _set_by(outcome: Outcome, inputs: State, found: Record) -> State:
    """The secrets that a create has set, where it is sure that it was ours."""
    if not isinstance(outcome, Done):
        return {}
    return {"secrets": inputs.get("secrets", {}), "secretsSetAt": found.secrets_set_at}


def is_busy(outcome: Outcome) -> bool:
    """Whether the Hub makes another repository of this account just now."""
    return (
        isinstance(outcome, Refused)
        and outcome.status == _CONFLICT
        and _BUSY in outcome.answer.text
    )


def _looked_for(at: Hub, id_: str, context: Context) -> Record | None:
    for pause_s in _LOOKS_S:
        context.pause(pause_s)
        found = space_record.look(at, id_, context)
        if found is not None:
            return found
    return None


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
