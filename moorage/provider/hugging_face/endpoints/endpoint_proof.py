"""What an endpoint must not be: another one, of another type, or open to whom it should refuse."""

from __future__ import annotations

from typing import Final, NoReturn

from moorage.errors import Exit, MoorageError
from moorage.provider.handler import Context, State
from moorage.provider.hugging_face.client import Record
from moorage.provider.hugging_face.endpoints import (
    access,
    endpoint_drift,
    endpoint_inputs,
    endpoint_writes,
)
from moorage.provider.hugging_face.endpoints.endpoint_place import Place
from moorage.provider.hugging_face.endpoints.endpoint_probe import Door
from moorage.provider.hugging_face.endpoints.endpoint_wait import Ready

_FIXED: Final = ("vendor", "region", "engine", "privateLink")  # of an endpoint, for all its life


def check_fixed(place: Place, inputs: State, found: Record) -> None:
    """What is there under its name cannot be made into something of another kind."""
    there = endpoint_inputs.declared(found, place.account)
    differing = endpoint_drift.differences(found, place.account, inputs)
    for name in (one.split(".", maxsplit=1)[0] for one in differing):
        if name in _FIXED:
            message = (
                f"{place.id} is there with {name} {there.get(name)}, declared is"
                f" {inputs.get(name)}, which cannot be changed: give it another name, or delete it"
            )
            raise MoorageError(message)


def check_type(place: Place, inputs: State, found: Record, context: Context) -> None:
    """The service takes a type that it does not know for another one, without a word."""
    if found.get("type") != inputs["access"]:
        why = f"it was asked to be {inputs['access']} and became {found.get('type')}"
        _shut(place, why, context)


def check_access(place: Place, inputs: State, ready: Ready, context: Context) -> None:
    """Whoever may not call it is refused, proven by calls; else it is paused."""
    assert ready.proof is not None
    door = Door(url=str(ready.record["status"]["url"]), token="")
    proof = ready.proof
    finding = access.breach(door, proof.path, proof.body, inputs["access"], context)
    if finding is not None and finding.is_open:
        _shut(place, finding.why, context)
    if finding is not None:
        message = f"{place.id} serves, but {finding.why}; run up again, or set checkAccess to false"
        raise MoorageError(message, exit_code=Exit.UNANSWERED)


def _shut(place: Place, why: str, context: Context) -> NoReturn:
    """Pause what is open to whom it should not be, and say so."""
    try:
        endpoint_writes.pause(place, context)
    except MoorageError as error:
        message = f"{place.id}: {why}, and it could not be paused ({error}); pause it by hand"
        raise MoorageError(message, exit_code=Exit.NEEDS_PERSON) from error
    message = f"{place.id}: {why}; it was paused: correct its access, or delete it"
    raise MoorageError(message, exit_code=Exit.NEEDS_PERSON)
