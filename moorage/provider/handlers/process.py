"""Process: a process of this machine that serves HTTP, started, proven, healed and stopped."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from moorage.errors import MoorageError
from moorage.provider.handler import (
    DRIFT,
    Context,
    Created,
    Failure,
    Field,
    Found,
    Handler,
    Shape,
    State,
)
from moorage.provider.handlers import berth, machine, mooring
from moorage.provider.values import UNKNOWN

_READY: Final = {
    "path": Field(kind="string", doc="Path of the API call that proves it serves.", required=True),
    "body": Field(kind="string", doc="JSON to POST; without it the call is a GET."),
    "contains": Field(kind="string", doc="Text that the answer must contain."),
    "timeoutSeconds": Field(kind="number", doc="How long to wait for it.", default=120),
}

SHAPE: Final = Shape(
    doc="A process of this machine that serves HTTP; its directory is its identity.",
    inputs={
        "directory": Field(
            kind="string",
            doc="Absolute path; holds the log and the files, and is removed with the process.",
            required=True,
            replaces=True,
        ),
        "owner": Field(
            kind="string",
            doc="Whose it is, as project/stack/name; what another owns is refused.",
            required=True,
            replaces=True,
        ),
        "command": Field(
            kind="list",
            doc="Program and arguments; {port} and {directory} are filled in.",
            required=True,
        ),
        "environment": Field(
            kind="map", doc="Variables; {port} and {directory} are filled in.", secret=True
        ),
        "files": Field(
            kind="map", doc="Private files written into the directory before start.", secret=True
        ),
        "host": Field(kind="string", doc="Where it listens.", default="127.0.0.1"),
        "port": Field(kind="integer", doc="Fixed port; without it a free one is chosen and kept."),
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
)


def check(inputs: State) -> list[Failure]:
    """Judge paths, names and numbers."""
    rules = {
        "directory": (_is_absolute(inputs["directory"]), "must be an absolute path"),
        "owner": (inputs["owner"] != "", "must not be empty"),
        "command": (inputs["command"] != [], "must name a program"),
        "port": (_is_port(inputs.get("port", UNKNOWN)), "must be a port, 1 to 65535"),
        "files": (
            all(map(_is_file_name, _names(inputs.get("files")))),
            "names must be plain, not hidden, and neither owner, log nor log.1",
        ),
    }
    return [Failure(name=name, reason=reason) for name, (ok, reason) in rules.items() if not ok]


def preview(inputs: State, state: State | None) -> State:
    """The port stays; the process itself may be another after an update."""
    port = inputs.get("port") or (state or {}).get("port", UNKNOWN)
    return mooring.addresses(inputs, port) | {"drift": None}


def create(inputs: State, context: Context) -> Created:
    """Adopt what a killed create left, or start afresh; then wait until it serves."""
    return Created(id=inputs["directory"], state=mooring.moor(inputs, {}, context))


def read(id_: str, state: State, inputs: State, context: Context) -> Found | None:  # noqa: ARG001
    """Live, ended, or gone; what ended keeps its id and port, so that `up` heals it in place."""
    if not state:
        message = f"{id_}: a process cannot be imported; declare it and run up, which adopts it"
        raise MoorageError(message)
    if not berth.is_owned(id_, state["owner"]):
        return None
    leader = machine.leader(id_)
    if leader is None:
        ended = {"pid": 0, "drift": mooring.ENDED}
        return Found(state={**state, **ended}, inputs=inputs)
    facts = {"pid": leader.pid, "startedAt": leader.started_at}
    return Found(state={**state, **facts, "drift": mooring.drift(leader, state)}, inputs=inputs)


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


def locate(inputs: State) -> str | None:
    """The directory, when it bears our name or its process lives."""
    directory, owner = inputs["directory"], inputs["owner"]
    leader = machine.leader(directory)
    lives = leader is not None and leader.owner == owner
    return directory if lives or berth.is_owned(directory, owner) else None


def _is_absolute(path: Any) -> bool:
    return path is UNKNOWN or Path(path).is_absolute()


def _is_port(port: Any) -> bool:
    return port is UNKNOWN or 1 <= port <= 65535


def _names(files: Any) -> list[str]:
    return list(files) if isinstance(files, dict) else []


def _is_file_name(name: str) -> bool:
    return name == Path(name).name and not name.startswith(".") and name not in berth.RESERVED


HANDLER: Final = Handler(
    shape=SHAPE,
    create=create,
    read=read,
    update=update,
    delete=delete,
    preview=preview,
    check=check,
    locate=locate,
)
