"""Recovery of what a died run left pending in the state: what it had created is found, never lost.

The engine (3.259) carries a pending create through `up` and `destroy` with a warning and knows
nothing of what it created; `refresh --import-pending-creates` drops it when it is not interactive.
So a create is settled here: the provider is asked whether the thing exists. What exists enters
the state by its id, marked as unfinished, so that the next `up` finishes it and a `destroy` takes
it away; what does not exist is struck off. Updates and deletes cut short are marked the same way.
"""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from moorage.deploy.children import ask, ask_with_input
from moorage.deploy.command import Command
from moorage.deploy.events import label
from moorage.deploy.place import Place
from moorage.errors import Exit, MoorageError

OURS = "moorage:"
LOCATE_DEADLINE_S = 60.0
# A provider whose engine died ends once the ids of its creates are known, by itself or when told.
PLUGIN_GRACES_S = (3.0, 10.0)
SECRET = "4dabf18193072939515e22adb298388d"  # noqa: S105 (the key that marks special values)
UNFINISHED = "the run that worked on it died"

State = dict[str, Any]
Say = Callable[[str], None]


def settle(where: Place, command: Command, plugin: Sequence[str], say: Say) -> None:
    """Settle every pending operation of our provider's resources."""
    if not _may_have_pending(where):
        return
    exported = _export(where, command)
    ours = [one for one in _pending(exported) if _type(one).startswith(OURS)]
    if not ours:
        return
    say(f"an earlier run died at work on {', '.join(_name(one) for one in ours)}; settling that")
    _await_plugins(where, plugin)
    found = _locate(where, plugin, [one for one in ours if one["type"] == "creating"])
    _import(where, command, settled_state(exported, ours, found))
    for one in ours:
        say(f"{_name(one)}: {_verdict(one, found)}")


def rescue(
    where: Place, command: Command, plugin: Sequence[str], failed: Sequence[State], say: Say
) -> None:
    """Keep what a failed create left behind: a provider that dies cannot say that it did.

    Engine and state then know of nothing, so the provider is asked anew, as after a death.
    """
    ours = [one for one in failed if _type(one).startswith(OURS)]
    if not ours:
        return
    _await_plugins(where, plugin)
    found = _locate(where, plugin, ours)
    exported = _export(where, command)
    known = {one["urn"]: one.get("id") for one in exported["deployment"].get("resources") or []}
    lost = [one for one in ours if found[_urn(one)] and known.get(_urn(one)) != found[_urn(one)]]
    if lost:
        _import(where, command, settled_state(exported, lost, found))
    for one in lost:
        say(f"{_name(one)}: it was created all the same; now in the state")


def sweep(where: Place, plugin: Sequence[str], say: Say) -> None:
    """After a destroy nothing of the stack may live, not even what every record has lost.

    So it is when driver and provider were killed and the engine lived on to forget their work.
    """
    folder = where.home / "run" / where.stack
    if not folder.is_dir() or not any(folder.iterdir()):
        return
    words = ["sweep", str(folder), f"{where.project}/{where.stack}/"]
    ended = ask([*plugin, *words], deadline_s=LOCATE_DEADLINE_S, cwd=where.work)
    for line in ended.out.splitlines():
        say(f"{json.loads(line)['id']}: no record knew of it any more; taken away")
    if ended.code != 0:
        msg = f"cannot tell what still runs in {folder}: {ended.last_line or 'no answer'}"
        raise MoorageError(msg, exit_code=Exit.NEEDS_PERSON)


def failed_create(state: Any) -> State:
    """A create that failed, from the engine's event, in the form of a pending operation."""
    resource = {
        "urn": state.urn,
        "type": state.type,
        "custom": True,
        "inputs": _without_secrets(state.inputs or {}),
        "parent": state.parent,
        "provider": state.provider,
    }
    return {"type": "creating", "resource": {k: v for k, v in resource.items() if v}}


def _without_secrets(inputs: State) -> State:
    """Events mask secrets, and what is masked must not enter the state as if it were a value."""
    return {
        key: _without_secrets(value) if isinstance(value, dict) else value
        for key, value in inputs.items()
        if SECRET not in (value if isinstance(value, dict) else {}) and value != "[secret]"
    }


def settled_state(state: State, ours: list[State], found: dict[str, str | None]) -> State:
    """The state with these pending operations resolved; pure."""
    deployment = state["deployment"]
    resources = list(deployment.get("resources") or [])
    for one in ours:
        identity = found.get(_urn(one))
        if one["type"] == "creating" and identity:
            resources = _with_created(resources, _created(one, identity))
    unfinished = {_urn(one) for one in ours}
    rest = {
        "resources": [_marked(one) if one["urn"] in unfinished else one for one in resources],
        "pending_operations": [one for one in _pending(state) if one not in ours],
    }
    return {**state, "deployment": {**deployment, **rest}}


def _created(one: State, identity: str) -> State:
    """What is known of a thing whose create never answered: its inputs."""
    inputs = one["resource"].get("inputs") or {}
    return {**one["resource"], "id": identity, "outputs": inputs}


def _marked(resource: State) -> State:
    return resource if resource.get("delete") else {**resource, "initErrors": [UNFINISHED]}


def _with_created(resources: list[State], created: State) -> list[State]:
    same = [one for one in resources if one["urn"] == created["urn"]]
    if any(one.get("id") == created["id"] for one in same):
        return resources
    # Another thing under the same name is what the died run was about to replace.
    replaced = [{**one, "delete": True} if one in same else one for one in resources]
    at = min((resources.index(one) for one in same), default=len(resources))
    return [*replaced[:at], created, *replaced[at:]]


def _may_have_pending(where: Place) -> bool:
    """Whether a look into the whole state is worth its second; a file can be looked at directly."""
    path = where.state_file
    if path is None or not path.exists():
        return path is None or where.has_state
    try:
        checkpoint = json.loads(path.read_text(encoding="utf-8"))["checkpoint"]
        return bool((checkpoint.get("latest") or {}).get("pending_operations"))
    except (OSError, ValueError, KeyError):
        return True


def _locate(where: Place, plugin: Sequence[str], creates: list[State]) -> dict[str, str | None]:
    """What the provider says of each thing that was being created: its id, or None."""
    if not creates:
        return {}
    asked = "".join(
        json.dumps({"type": _type(one), "urn": _urn(one), "inputs": one["resource"]["inputs"]})
        + "\n"
        for one in creates
    )
    ended = ask_with_input([*plugin, "locate"], asked, deadline_s=LOCATE_DEADLINE_S, cwd=where.work)
    try:
        answers = [json.loads(line) for line in ended.out.splitlines() if line.strip()]
        found: dict[str, str | None] = {str(one["urn"]): one["id"] for one in answers}
        missing = [_name(one) for one in creates if _urn(one) not in found]
    except (ValueError, KeyError, TypeError):
        missing = [_name(one) for one in creates]
        found = {}
    if missing or ended.code != 0:
        reason = ended.last_line or "no answer"
        msg = f"cannot tell whether a died run created {', '.join(missing) or 'anything'}: {reason}"
        raise MoorageError(msg, exit_code=Exit.NEEDS_PERSON)
    return found


def _await_plugins(where: Place, plugin: Sequence[str]) -> None:
    """Wait for the died run's provider to end by itself, and end it when it does not."""
    left = _plugins(where, plugin)
    for grace_s, then in zip(PLUGIN_GRACES_S, (signal.SIGTERM, signal.SIGKILL), strict=True):
        _, left = psutil.wait_procs(left, timeout=grace_s)
        for process in left:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(then)
    psutil.wait_procs(left, timeout=5.0)


def _plugins(where: Place, plugin: Sequence[str]) -> list[psutil.Process]:
    """Provider processes that work in this stack's folder; those of other stacks are not ours."""
    tail = list(plugin[1:])
    found = []
    for process in psutil.process_iter(["pid", "cmdline"]):
        words = process.info["cmdline"] or []
        if words[1 : 1 + len(tail)] == tail and _works_in(process, where.work):
            found.append(process)
    return [process for process in found if process.pid != os.getpid()]


def _works_in(process: psutil.Process, folder: Path) -> bool:
    try:
        return Path(process.cwd()) == folder
    except (psutil.Error, OSError):
        return False


def _export(where: Place, command: Command) -> State:
    told = command.run(["stack", "export", "--stack", where.stack], str(where.work), where.environ)
    exported: State = json.loads(told.stdout)
    return exported


def _import(where: Place, command: Command, state: State) -> None:
    path = where.work / "settled.json"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(state, file)
    try:
        args = ["stack", "import", "--stack", where.stack, "--file", str(path)]
        command.run(args, str(where.work), where.environ)
    finally:
        path.unlink()


def _verdict(one: State, found: dict[str, str | None]) -> str:
    if one["type"] != "creating":
        return f"its {one['type'].removesuffix('ing')}e was cut short; it is done again"
    return "it was created; now in the state" if found.get(_urn(one)) else "it was not created"


def _pending(state: State) -> list[State]:
    return list(state["deployment"].get("pending_operations") or [])


def _type(one: State) -> str:
    return str(one["resource"]["type"])


def _urn(one: State) -> str:
    return str(one["resource"]["urn"])


def _name(one: State) -> str:
    return label(_urn(one))
