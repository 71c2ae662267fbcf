"""Process: a process of this machine that serves HTTP, started, proven, healed and stopped."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from moorage.errors import MoorageError
from moorage.provider.handler import (
    DRIFT,
    Context,
    Created,
    Field,
    Found,
    Handler,
    Shape,
    State,
)
from moorage.provider.handlers import berth, machine, mooring
from moorage.provider.values import UNKNOWN

_READY: Final = {
    "path": Field(
        kind="string",
        doc="Path of the API call that proves it serves; without it, connections are accepted.",
    ),
    "body": Field(kind="string", doc="JSON to POST; without it the call is a GET."),
    "contains": Field(kind="string", doc="Text that the answer must contain."),
    "timeoutSeconds": Field(kind="number", doc="How long to wait for it.", default=120),
}


def _is_absolute(path: str) -> str | None:
    return None if path.startswith("/") else "must be an absolute path"


def _is_given(value: str | list[str]) -> str | None:
    return None if value else "must not be empty"


def _are_plain(files: dict[str, Any]) -> str | None:
    plain = all(name and "/" not in name and not name.startswith(".") for name in files)
    if plain and not berth.RESERVED & files.keys():
        return None
    return f"names must be plain, not hidden, and none of {', '.join(sorted(berth.RESERVED))}"


SHAPE: Final = Shape(
    doc="A process of this machine that serves HTTP; its directory is its identity.",
    inputs={
        "directory": Field(
            kind="string",
            doc="Absolute path; holds the log and the files, and is removed with the process.",
            required=True,
            replaces=True,
            rule=_is_absolute,
        ),
        "owner": Field(
            kind="string",
            doc="Whose it is, as project/stack/name; what another owns is refused.",
            required=True,
            replaces=True,
            rule=_is_given,
        ),
        "command": Field(
            kind="list",
            doc="Program and arguments; {port} and {directory} are filled in.",
            required=True,
            rule=_is_given,
        ),
        "environment": Field(
            kind="map", doc="Variables; {port} and {directory} are filled in.", secret=True
        ),
        "files": Field(
            kind="map",
            doc="Private files written into the directory before start.",
            secret=True,
            rule=_are_plain,
        ),
        "host": Field(kind="string", doc="Where it listens.", default="127.0.0.1"),
        "port": Field(
            kind="integer",
            doc="Fixed port; without it a free one is chosen and kept.",
            least=1,
            most=65535,
        ),
        "ready": Field(
            kind="object", doc="What proves that it serves.", required=True, fields=_READY
        ),
        "readyKey": Field(kind="string", doc="Bearer key of that call.", secret=True),
        "reloadSignal": Field(
            kind="string",
            doc="Signal that makes it read changed files without a restart.",
            choices=("SIGHUP", "SIGUSR1", "SIGUSR2"),
        ),
        "stopGraceSeconds": Field(
            kind="number", doc="Time between SIGTERM and SIGKILL.", default=10
        ),
    },
    outputs={
        "pid": Field(kind="integer", doc="Its process id; 0 when it does not run.", required=True),
        "port": Field(kind="integer", doc="Where it listens.", required=True),
        "url": Field(kind="string", doc="http://host:port", required=True),
        "log": Field(kind="string", doc="Path of its log.", required=True),
        "startedAt": Field(kind="string", doc="When it was started (RFC 3339).", required=True),
        "argumentsDigest": Field(kind="string", doc="Of its arguments, to see them changed."),
        "drift": DRIFT,
    },
    delete_before_replace=True,
    refresh_before_update=True,
    import_id="its directory",
)


def preview(inputs: State, state: State | None) -> State:
    """The port stays; the process itself may be another after an update."""
    port = inputs.get("port") or (state or {}).get("port", UNKNOWN)
    return mooring.addresses(inputs, port) | {"drift": None}


def create(inputs: State, context: Context) -> Created:
    """Adopt what a killed create left, or start afresh; then wait until it serves."""
    return Created(id=inputs["directory"], state=mooring.moor(inputs, {}, context))


def read(id_: str, state: State, inputs: State, context: Context) -> Found | None:  # noqa: ARG001
    """Live, ended, or gone; what ended keeps its id and port, so that `up` heals it in place."""
    if not berth.is_owned(id_, state["owner"] if state else berth.owner_of(Path(id_))):
        return None
    if not state:
        state, inputs = _told_by_itself(id_)
    leader = machine.leader(id_)
    if leader is None:
        ended = {"pid": 0, "drift": mooring.ENDED}
        return Found(state={**state, **ended}, inputs=inputs)
    facts = {"pid": leader.pid, "startedAt": leader.started_at}
    return Found(state={**state, **facts, "drift": mooring.drift(leader, state)}, inputs=inputs)


def _told_by_itself(directory: str) -> tuple[State, State]:
    told = mooring.recorded(directory)
    if told is None:
        message = f"{directory}: does not tell what was declared; declare it and run up, it adopts"
        raise MoorageError(message)
    return told


def update(id_: str, state: State, inputs: State, context: Context) -> State:  # noqa: ARG001
    """Reload, restart or start it, whichever the change needs; then wait until it serves."""
    return mooring.moor(inputs, state, context)


def delete(id_: str, state: State, context: Context) -> None:
    """Stop it with all its helpers, then remove its directory."""
    leader = machine.leader(id_)
    if leader is None and not Path(id_).is_dir():
        return
    with berth.held(id_) as place:
        leader = machine.leader(id_)
        if leader is None or leader.owner == state["owner"]:
            context.progress("stopping")
            machine.stop(id_, grace_s=state.get("stopGraceSeconds", 10))
        if place.is_empty() or berth.is_owned(id_, state["owner"]):
            place.remove()


def locate(inputs: State, _context: Context) -> str | None:
    """The directory, when it bears our name or its process lives."""
    directory, owner = inputs["directory"], inputs["owner"]
    leader = machine.leader(directory)
    lives = leader is not None and leader.owner == owner
    return directory if lives or berth.is_owned(directory, owner) else None


HANDLER: Final = Handler(
    shape=SHAPE,
    create=create,
    read=read,
    update=update,
    delete=delete,
    preview=preview,
    locate=locate,
)
