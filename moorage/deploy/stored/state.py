"""The state of a stack in a person's hands: written out, put back, repaired, and let go of."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from moorage.deploy import names
from moorage.deploy.session import Session
from moorage.deploy.stored import recover, snapshot
from moorage.deploy.urns import is_internal, label, split, word
from moorage.errors import Exit, MoorageError

Exported = dict[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Origin:
    """Which stack a state belongs to, and when it was written."""

    project: str
    stack: str
    written: datetime | None


def export(session: Session, *, show_secrets: bool = False) -> str:
    """The state as text; secrets are sealed as the engine keeps them unless asked for."""
    session.require()
    args = ["stack", "export", *(["--show-secrets"] if show_secrets else [])]
    return session.of_stack(*args) + "\n"


def write(path: Path, text: str) -> None:
    """Write a state where only its owner reads it; never over a file that is there."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        msg = f"{path} is there already; choose another name, or remove it first"
        raise MoorageError(msg) from None
    except OSError as error:
        msg = f"{path} cannot be written: {error.strerror}"
        raise MoorageError(msg) from None
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)


def replace(session: Session, path: Path, *, force: bool = False) -> Path | None:
    """Put a written state in the place of the present one; returns the present one's backup.

    Where the backend does not know the stack, it is moved there, and there is none.
    """
    new = read(path)
    _prove_origin(session, path, new)
    is_new = not session.exists()
    if is_new:
        session.create()
    now = json.loads(export(session))
    if not force and snapshot.resources(now["deployment"]):
        _prove_newer(path, new, now)
        _prove_whole(path, new, now)
    backup = None if is_new else _back_up(session, now)
    # The engine's own import forgets what is pending, and with it what a died run may have made.
    recover.replace(session.where, session.command, _sealable(new, now))
    return backup


def _sealable(new: Exported, now: Exported) -> Exported:
    """Where all secrets are open they are sealed as the stack does, whoever sealed them before."""
    sealing = now["deployment"].get("secrets_providers")
    if sealing is None or '"ciphertext"' in json.dumps(new):
        return new
    return {**new, "deployment": {**new["deployment"], "secrets_providers": sealing}}


def read(path: Path) -> Exported:
    """A written state; anything else is refused."""
    try:
        loaded = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        msg = f"{path} cannot be read: {error.strerror}"
        raise MoorageError(msg) from None
    except UnicodeDecodeError:
        msg = f"{path} is no state: it is no text"
        raise MoorageError(msg) from None
    except (ValueError, RecursionError) as error:
        msg = f"{path} is no state: {error}"
        raise MoorageError(msg) from None
    if not _is_state(loaded):
        msg = f"{path} is no state, or not a whole one; `moorage state export` writes them"
        raise MoorageError(msg)
    return dict(loaded)


def _is_state(loaded: Any) -> bool:
    """Whether it has the form that we, and the engine, go by."""
    deployment = loaded.get("deployment") if isinstance(loaded, dict) else None
    if not isinstance(deployment, dict) or not isinstance(loaded.get("version"), int):
        return False
    resources, pending = deployment.get("resources"), deployment.get("pending_operations")
    if not all(isinstance(one, list | None) for one in (resources, pending)):
        return False
    under_way = [one.get("resource") if isinstance(one, dict) else None for one in pending or []]
    has_manifest = isinstance(deployment.get("manifest"), dict)
    return has_manifest and all(map(_is_resource, [*(resources or []), *under_way]))


def _is_resource(one: Any) -> bool:
    return isinstance(one, dict) and all(isinstance(one.get(key), str) for key in ("urn", "type"))


def origin(exported: Exported) -> Origin | None:
    """What a state says of itself; None when it holds nothing at all."""
    urns = snapshot.urns(exported["deployment"])
    if not urns:
        return None
    first = split(urns[0])
    return Origin(project=first.project, stack=first.stack, written=_written(exported))


def repair(session: Session) -> list[str]:
    """Bring a state that contradicts itself into order; returns what was done."""
    session.require()
    told = session.of_stack("state", "repair", "--yes")
    recover.settle(session.where, session.command, session.plugin, session.say)
    return [line.strip() for line in told.splitlines() if line.strip()]


def remove(session: Session, name: str) -> str:
    """Forget one resource; it goes on existing, and is told of."""
    session.require()
    found = session.deployment()
    urn = names.one(name, snapshot.urns(found))
    known = [one for one in snapshot.resources(found) if one["urn"] == urn]
    holders = _dependents(urn, snapshot.resources(found))
    if holders:
        msg = (
            f"{label(urn)} stays: {', '.join(map(label, holders))} depend on it; remove them first"
        )
        raise MoorageError(msg, exit_code=Exit.PROBLEMS)
    session.of_stack("state", "delete", urn, "--yes")
    return _left_behind(known[0])


def unprotect(session: Session, name: str) -> str:
    """Let one resource be deleted and replaced again."""
    session.require()
    urn = names.one(name, session.urns())
    session.of_stack("state", "unprotect", urn, "--yes")
    return f"{label(urn)} is not protected any more; a program that says protect protects it again"


def _left_behind(resource: Exported) -> str:
    name, identity = label(resource["urn"]), resource.get("id")
    if not identity or is_internal(resource["urn"]):
        return f"{name}: forgotten"
    return (
        f"{name}: forgotten; the thing itself goes on (and costs what it costs) as {identity}; "
        f"`moorage import {resource['type']} {word(resource['urn'])} {identity}` "
        "takes it back"
    )


def _dependents(urn: str, resources: Sequence[Exported]) -> list[str]:
    return [one["urn"] for one in resources if one["urn"] != urn and urn in snapshot.needs(one)]


def _prove_origin(session: Session, path: Path, new: Exported) -> None:
    found, where = origin(new), session.where
    if found is not None and (found.project, found.stack) != (where.project, where.stack):
        msg = (
            f"{path} is the state of stack {found.stack} of project {found.project}, "
            f"not of {where.stack} of {where.project}"
        )
        raise MoorageError(msg)


def _prove_newer(path: Path, new: Exported, now: Exported) -> None:
    theirs, ours = _written(new), _written(now)
    if theirs is not None and ours is not None and theirs < ours:
        msg = (
            f"{path} was written at {theirs:%Y-%m-%d %H:%M:%S}, before what is there now "
            f"({ours:%Y-%m-%d %H:%M:%S}): what was done since would be forgotten; --force does it"
        )
        raise MoorageError(msg, exit_code=Exit.PROBLEMS)


def _prove_whole(path: Path, new: Exported, now: Exported) -> None:
    """What exists and is in no state any more goes on, and nobody knows of it."""
    kept = {_thing(one) for one in snapshot.resources(new["deployment"])}
    there = [one for one in snapshot.resources(now["deployment"]) if one.get("id")]
    lost = [one["urn"] for one in there if _thing(one) not in kept and not is_internal(one["urn"])]
    if lost:
        msg = (
            f"{path} knows nothing of {', '.join(map(label, lost))}, which would go on existing "
            "and be forgotten; --force does it"
        )
        raise MoorageError(msg, exit_code=Exit.PROBLEMS)


def _thing(resource: Exported) -> tuple[str, str]:
    return resource["type"], str(resource.get("id"))


def _written(exported: Exported) -> datetime | None:
    text = (exported["deployment"].get("manifest") or {}).get("time")
    try:
        return datetime.fromisoformat(str(text)[:19] + "+00:00") if text else None
    except ValueError:
        return None


def _back_up(session: Session, now: Exported) -> Path:
    stamp = time.strftime("%Y%m%d-%H%M%S")
    folder = session.where.home / "backups"
    path = folder / f"{session.where.stack}-{stamp}-{os.getpid()}.json"
    write(path, json.dumps(now, indent=2) + "\n")
    return path
