"""Recovery of what a died run left pending in the state: what it had created is found, never lost.

The provider is asked whether the thing of a pending create exists (moorage.deploy.stored.pending
decides). What exists enters the state by its id, marked as unfinished, so that the next `up`
finishes it and a `destroy` takes it away; what does not exist is struck off.
"""

from __future__ import annotations

import json
import os
import re
import signal
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from moorage.deploy import names, place
from moorage.deploy.cli.children import ask, ask_with_input
from moorage.deploy.cli.command import CliFailed, Command
from moorage.deploy.place import Place
from moorage.deploy.stored import checkpoint, leftovers, pending, snapshot, strangers
from moorage.deploy.stored.pending import State
from moorage.deploy.urns import label, word
from moorage.errors import Exit, MoorageError

LOCATE_DEADLINE_S = 60.0
# A provider whose engine died ends once the ids of its creates are known, which may take it 30 s.
PLUGIN_GRACES_S = (3.0, 32.0)
NO_STACK = "no stack named"
_ADDRESS = re.compile(r"127\.0\.0\.1:\d+")  # of the engine: the last word of every plugin

Say = Callable[[str], None]


def settle(
    where: Place, command: Command, plugin: Sequence[str], say: Say, *, ends: bool = False
) -> None:
    """Settle every pending operation that its provider or nobody has to be asked about.

    `ends` says that all is about to be destroyed.
    """
    place.enlist(where)
    exported = _export(where, command) if _may_need_settling(where) else None
    if exported is None:
        return
    exported = _without_doubles(where, command, exported, say)
    operations = pending.of(exported)
    cleared = _cleared(where, plugin, exported, operations, say, ends=ends)
    if not operations:
        return
    for one in cleared:
        say(f"{pending.name_of(one)}: its create was cut short; nothing of it is in the way")
    others = [one for one in operations if pending.is_strange(one) and one not in cleared]
    ours = [one for one in operations if pending.is_ours(one)]
    if ours:
        told = ", ".join(map(pending.name_of, ours))
        say(f"an earlier run died at work on {told}; settling that")
    if ours or others:
        _await_plugins(where)
    known = strangers.located(where, command, pending.to_ask(exported, others), say)
    foreign = [one for one in others if pending.urn_of(one) not in known]
    for one in foreign:
        say(pending.foreign_verdict(one, where.stack))
    settled = [one for one in operations if one not in foreign]
    if settled:
        found = known | _locate(where, plugin, pending.to_ask(exported, ours))
        replace(where, command, pending.settled_state(exported, settled, found))
        for one in [*ours, *(one for one in others if one not in foreign)]:
            say(f"{pending.name_of(one)}: {pending.verdict(one, found)}")


def _cleared(
    where: Place,
    plugin: Sequence[str],
    exported: State,
    operations: Sequence[State],
    say: Say,
    *,
    ends: bool = False,
) -> list[State]:
    """The creates on Docker hosts of which nothing is left."""
    case = leftovers.case(where, exported["deployment"], operations, ends=ends)
    if case.questions:
        _await_plugins(where)
    return leftovers.clear(where, plugin, case, say)


def _without_doubles(where: Place, command: Command, exported: State, say: Say) -> State:
    deployment = exported["deployment"]
    single = pending.without_doubles(deployment)
    if single is deployment:
        return exported
    settled = {**exported, "deployment": single}
    replace(where, command, settled)
    say("a run died before it could forget what its replacements had adopted; forgotten now")
    return settled


def rescue(
    where: Place, command: Command, plugin: Sequence[str], failed: Sequence[State], say: Say
) -> None:
    """Keep what a failed create left behind: a provider that dies cannot say that it did.

    Engine and state then know of nothing, so the provider is asked anew, as after a death.
    """
    remote = [one for one in failed if pending.is_remote(one)]
    exported = _export(where, command) if remote else None
    if exported is None:
        return
    _await_plugins(where)
    cleared = _cleared(where, plugin, exported, remote, say)
    ours = [one for one in remote if pending.is_ours(one)]
    others = [one for one in remote if pending.is_strange(one) and one not in cleared]
    found = strangers.located(where, command, others, say) | _locate(where, plugin, ours)
    resources = exported["deployment"].get("resources") or []
    known = {(one["urn"], one.get("id")) for one in resources}  # an old one may stand beside it
    lost = [
        one
        for one in remote
        if (identity := found.get(pending.urn_of(one)))
        and (pending.urn_of(one), identity) not in known
    ]
    if lost:
        replace(where, command, pending.settled_state(exported, lost, found))
    for one in lost:
        say(f"{pending.name_of(one)}: it was created all the same; now in the state")


def owed(where: Place, command: Command) -> list[State]:
    """Creates of other providers that died and that a person has not told about yet."""
    exported = _export(where, command) if _may_need_settling(where) else None
    return [one for one in pending.of(exported or {}) if pending.is_owed(one)]


def refuse_protected(found: snapshot.Deployment, stack: str) -> None:
    """The engine would delete all the rest first, and then stop at what is protected."""
    urns = snapshot.protected(found)
    if urns:
        names = ", ".join(map(label, urns))
        unprotect = f"moorage state unprotect {word(urns[0])} --stack {stack}"
        message = (
            f"destroy of stack {stack}: {names} is protected, so nothing was deleted; run "
            f"`{unprotect}` first, or name what shall go with --target"
        )
        raise MoorageError(message, exit_code=Exit.PROBLEMS)


def refuse_owed(where: Place, command: Command) -> None:
    """Keep a stack whose state is the only place that tells of something that may exist."""
    left = owed(where, command)
    if left:
        told = "; ".join(pending.foreign_verdict(one, where.stack) for one in left)
        message = f"stack {where.stack} is empty and is kept for what may exist outside it: {told}"
        raise MoorageError(message, exit_code=Exit.NEEDS_PERSON)


def declare(where: Place, command: Command, name: str, identity: str | None) -> str:
    """Resolve a pending create of another provider as a person says: its id, or None for gone."""
    exported = _export(where, command)
    owing = [one for one in pending.of(exported or {}) if pending.is_owed(one)]
    mine = [one for one in owing if name in _names(one)]
    if exported is None or len(mine) != 1:
        left = ", ".join(names.short(pending.urn_of(one)) for one in owing)
        many = "more than one unsettled create" if mine else "no unsettled create"
        message = f"{name} is {many} of stack {where.stack}; there are: {left or 'none'}"
        raise MoorageError(message)
    found = {pending.urn_of(mine[0]): identity}
    replace(where, command, pending.settled_state(exported, mine, found))
    return f"{pending.name_of(mine[0])}: {pending.verdict(mine[0], found)}"


def sweep(where: Place, plugin: Sequence[str], say: Say) -> None:
    """After a destroy nothing of the stack may live, not even what every record has lost.

    So it is when driver and provider were killed and the engine lived on to forget their work.
    Where a stack of this name is deployed on another backend too, what runs may be its.
    """
    folder = where.home / "run" / where.stack
    if not folder.is_dir() or not any(folder.iterdir()):
        return
    others = place.elsewhere(where)
    if others:
        say(f"stack {where.stack} is deployed on {', '.join(others)} too; what still runs is left")
        return
    words = ["sweep", str(folder), f"{where.project}/{where.stack}/"]
    ended = ask([*plugin, *words], deadline_s=LOCATE_DEADLINE_S, cwd=where.work)
    for line in ended.out.splitlines():
        say(f"{json.loads(line)['id']}: no record knew of it any more; taken away")
    if ended.code != 0:
        msg = f"cannot tell what still runs in {folder}: {ended.last_line or 'no answer'}"
        raise MoorageError(msg, exit_code=Exit.NEEDS_PERSON)


def replace(where: Place, command: Command, state: State) -> None:
    """Put a state in the place of the present one, with what is still pending in it.

    `stack import` proves it, and forgets what is pending; so that is put back where it can be.
    """
    left = pending.of(state)
    if left and not checkpoint.can_write(where):
        names = ", ".join(map(pending.name_of, left))
        message = (
            f"{where.stack}: what is pending of other providers ({names}) has to be settled first"
        )
        raise MoorageError(message, exit_code=Exit.NEEDS_PERSON)
    _import(where, command, state)
    if left:
        checkpoint.add_pending(where, left)


def _may_need_settling(where: Place) -> bool:
    """Whether a look into the whole state is worth its second; a file can be looked at directly."""
    if where.state_file is not None and not where.has_state:
        return False
    deployment = checkpoint.read(where)
    if deployment is None or deployment.get("pending_operations"):
        return True
    return pending.without_doubles(deployment) is not deployment or bool(leftovers.lost(deployment))


def _locate(where: Place, plugin: Sequence[str], asked: Sequence[State]) -> dict[str, str | None]:
    """What the provider says of each thing that may be there: its id, or None."""
    if not asked:
        return {}
    lines = "".join(json.dumps(_question(one)) + "\n" for one in asked)
    try:
        ended = ask_with_input(
            [*plugin, "locate"], lines, deadline_s=LOCATE_DEADLINE_S, cwd=where.work
        )
        answers = [json.loads(line) for line in ended.out.splitlines() if line.strip()]
        found: dict[str, str | None] = {str(one["urn"]): one["id"] for one in answers}
        fine, reason = ended.code == 0, ended.last_line
        if ended.code is None:
            reason = f"its provider gave no answer within {LOCATE_DEADLINE_S:.0f} s"
    except (OSError, ValueError, KeyError, TypeError):
        found, fine, reason = {}, False, "its provider gave no answer that can be read"
    missing = [pending.name_of(one) for one in asked if pending.urn_of(one) not in found]
    if missing or not fine:
        names = ", ".join(missing) or "anything"
        msg = (
            f"cannot tell whether {names} exists after a run that died: {reason or 'no answer'}; "
            "nothing was changed, run it again"
        )
        raise MoorageError(msg, exit_code=Exit.NEEDS_PERSON)
    return found


def _question(one: State) -> State:
    inputs: Any = one["resource"].get("inputs") or {}
    return {"type": pending.type_of(one), "urn": pending.urn_of(one), "inputs": inputs}


def _await_plugins(where: Place) -> None:
    """Wait for the died run's providers to end by themselves, and end those that do not."""
    left = _plugins(where)
    for grace_s, then in zip(PLUGIN_GRACES_S, (signal.SIGTERM, signal.SIGKILL), strict=True):
        _, left = psutil.wait_procs(left, timeout=grace_s)
        for process in left:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(then)
    psutil.wait_procs(left, timeout=5.0)


def _plugins(where: Place) -> list[psutil.Process]:
    """Plugins of any provider in this stack's folder; those of other stacks are not ours."""
    found = []
    for process in psutil.process_iter(["pid", "cmdline"]):
        words = process.info["cmdline"] or []
        if words and _ADDRESS.fullmatch(words[-1]) and _works_in(process, where.work):
            found.append(process)
    return [process for process in found if process.pid != os.getpid()]


def _works_in(process: psutil.Process, folder: Path) -> bool:
    try:
        return Path(process.cwd()) == folder
    except (psutil.Error, OSError):
        return False


def _export(where: Place, command: Command) -> State | None:
    """The state, or None where the backend knows no such stack."""
    args = ["stack", "export", "--stack", where.stack]
    try:
        told = command.run(args, str(where.work), where.environ)
    except CliFailed as failed:
        if NO_STACK in failed.result.stderr:
            return None
        raise
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


def _names(one: State) -> set[str]:
    urn = pending.urn_of(one)
    return {urn, pending.name_of(one), *names.called(urn)}
