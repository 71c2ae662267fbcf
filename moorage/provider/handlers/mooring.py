"""Bringing a process to where it is declared to be: adopt, reload, restart or start, then prove."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any, Final

from moorage.errors import Exit, MoorageError
from moorage.provider.handler import Context, State
from moorage.provider.handlers import berth, machine, ports, ready
from moorage.provider.handlers.berth import Berth
from moorage.provider.handlers.machine import Launch, Leader
from moorage.provider.values import UNKNOWN

ENDED: Final = "the process has ended"
SILENT: Final = "the process lives, and listens no more on its port"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Running:
    pid: int
    port: int


def moor(inputs: State, before: State, context: Context) -> State:
    """The process as declared, running and serving; its outputs.

    The same for create and update: what is found on the machine decides. `before` is the
    recorded state, empty when nothing is recorded yet.
    """
    directory = inputs["directory"]
    running = _run(inputs, before, context)
    context.exists(directory, _state(inputs, running))
    reason = ready.wait(inputs, pid=running.pid, port=running.port, context=context)
    state = _state(inputs, running)
    if reason is not None:
        context.exists(directory, state)
        raise MoorageError(reason, exit_code=Exit.UNANSWERED)
    leader = machine.leader(directory)
    if leader:
        state["argumentsDigest"] = leader.arguments_digest
    return state


def _state(inputs: State, running: _Running) -> State:
    leader = machine.leader(inputs["directory"])
    return {**inputs, **addresses(inputs, running.port), **_facts(leader)}


def addresses(inputs: State, port: Any) -> State:
    """The outputs that follow from the directory and the port."""
    directory, host = inputs["directory"], inputs["host"]
    known = UNKNOWN not in (host, port)
    return {
        "port": port,
        "url": f"http://{host}:{port}" if known else UNKNOWN,
        "log": directory if directory is UNKNOWN else f"{directory}/log",
    }


def drift(leader: Leader, state: State) -> str | None:
    """Whether the live process is another than the recorded one."""
    recorded = state.get("argumentsDigest")
    launch = _launch(state, state.get("port") or leader.port)  # none: the create never answered
    same = leader.digest == launch.digest() and recorded in (None, leader.arguments_digest)
    if not same:
        return "its arguments were changed"
    # One that has never served may still be loading: it is waited for, not replaced.
    return SILENT if recorded and ports.is_refused(state["host"], leader.port) else None


def recorded(directory: str) -> tuple[State, State] | None:
    """Outputs and inputs as the directory itself tells them; None where it cannot."""
    known = berth.declared(directory)
    if known is None:
        return None
    inputs, port = known
    leader = machine.leader(directory)
    state = {**inputs, **addresses(inputs, leader.port if leader else port), **_facts(leader)}
    if leader and leader.digest == _launch(inputs, leader.port).digest():
        state["argumentsDigest"] = leader.arguments_digest
    return state, inputs


def _facts(leader: Leader | None) -> State:
    if leader is None:
        return {"pid": 0, "startedAt": "", "drift": ENDED}
    return {"pid": leader.pid, "startedAt": leader.started_at}


def _run(inputs: State, before: State, context: Context) -> _Running:
    """Have exactly one process with these arguments."""
    directory = inputs["directory"]
    with berth.held(directory) as place:
        leader = machine.leader(directory)
        is_untouched = place.is_empty()
        with _removed_on_failure(place, when=is_untouched):
            _refuse_stranger(leader, inputs)
            place.own(inputs["owner"])
        with _removed_on_failure(place, when=not before):
            if leader and not is_untouched and _may_stay(leader, inputs, before, place):
                _reload(leader, inputs, before, place)
                place.declare(inputs, leader.port)
                return _Running(pid=leader.pid, port=leader.port)
            return _restart(leader, inputs, before, place, context)


@contextmanager
def _removed_on_failure(place: Berth, *, when: bool) -> Iterator[None]:
    """What is not recorded must not stay when it fails."""
    try:
        yield
    except (MoorageError, OSError) as error:
        if when:
            place.remove()
        if isinstance(error, MoorageError):
            raise
        message = f"{error.filename or place.path}: {error.strerror}"
        raise MoorageError(message) from error


def _refuse_stranger(leader: Leader | None, inputs: State) -> None:
    if leader and leader.owner != inputs["owner"]:
        message = (
            f"{inputs['directory']}: pid {leader.pid} runs there for"
            f" {leader.owner or 'nobody we know'}, not for {inputs['owner']};"
            " stop it or choose another directory"
        )
        raise MoorageError(message)


def _may_stay(leader: Leader, inputs: State, before: State, place: Berth) -> bool:
    port = inputs.get("port") or leader.port
    arguments = before.get("argumentsDigest")
    return (
        leader.port == port  # it may have been told by a file, which no argument shows
        and leader.digest == _launch(inputs, port).digest()
        and arguments in (None, leader.arguments_digest)
        and ("reloadSignal" in inputs or place.has(inputs.get("files", {})))
        and not (SILENT in (before.get("drift") or "") and ports.is_refused(inputs["host"], port))
    )


def _reload(leader: Leader, inputs: State, before: State, place: Berth) -> None:
    files = inputs.get("files", {})
    was_told = not before or before.get("files", {}) == files
    if "reloadSignal" in inputs and not (was_told and place.has(files)):
        place.write_all(files, instead_of=before.get("files", {}))
        machine.send(leader.pid, signal.Signals[inputs["reloadSignal"]])


def _restart(
    leader: Leader | None, inputs: State, before: State, place: Berth, context: Context
) -> _Running:
    fixed = inputs.get("port")
    if fixed and (leader is None or leader.port != fixed):
        _require_free(inputs, fixed)  # before the one that runs is stopped for nothing
    if leader:
        context.progress(f"stopping pid {leader.pid}")
    machine.stop(inputs["directory"], grace_s=inputs["stopGraceSeconds"])
    port = _port(inputs, leader.port if leader else before.get("port"))
    launch = _launch(inputs, port)
    place.write_all(inputs.get("files", {}), instead_of=before.get("files", {}))
    place.declare(inputs, port)
    with place.new_log() as log:
        pid = _start(launch, log)
    return _Running(pid=pid, port=port)


def _start(launch: Launch, log: IO[bytes]) -> int:
    try:
        return machine.start(launch, log)
    except OSError as error:
        message = f"cannot start {launch.command[0]}: {error.strerror}"
        raise MoorageError(message) from error


def _port(inputs: State, earlier: int | None) -> int:
    host, fixed = inputs["host"], inputs.get("port")
    if fixed:
        _require_free(inputs, fixed)
        return int(fixed)
    if earlier and ports.is_free(host, earlier):
        return earlier
    chosen = ports.choose(host, inputs["directory"])
    if chosen is None:
        message = f"{host}: no free port for {inputs['owner']}; is this address of this machine?"
        raise MoorageError(message)
    return chosen


def _require_free(inputs: State, port: int) -> None:
    fault = ports.fault(inputs["host"], port)
    if fault is None:
        return
    message = f"{inputs['host']}:{port}: {fault}; choose another port for {inputs['owner']}"
    if fault == ports.IN_USE:
        message = (
            f"port {port} is in use by {machine.holder(port)};"
            f" stop it or choose another port for {inputs['owner']}"
        )
    raise MoorageError(message)


def _launch(inputs: State, port: int) -> Launch:
    def filled(text: str) -> str:
        return text.replace("{port}", str(port)).replace("{directory}", inputs["directory"])

    return Launch(
        directory=inputs["directory"],
        owner=inputs["owner"],
        command=[filled(text) for text in inputs["command"]],
        environment={name: filled(text) for name, text in inputs.get("environment", {}).items()},
        port=port,
    )
