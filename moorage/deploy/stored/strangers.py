"""Strangers are providers of other packages; one that is written as ours is can be asked as well.

It answers `locate` (docs/providers.md). Any other plugin takes that for the address of an engine,
prints its port and serves: it is ended, and what it has begun is for a person to settle.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from moorage.deploy.cli.children import ask_while
from moorage.deploy.cli.command import Command
from moorage.deploy.cli.pulumi_cli import pulumi_home
from moorage.deploy.place import Place
from moorage.deploy.show.values import SIGNATURE
from moorage.deploy.stored import pending, snapshot
from moorage.deploy.stored.pending import State
from moorage.deploy.urns import of_provider

DEADLINE_S: Final = 60.0
_NAME: Final = re.compile(r"[A-Za-z][\w-]*")
_ASKED_ELSEWHERE: Final = "docker"  # its hosts are, see moorage.deploy.stored.leftovers

Say = Callable[[str], None]


def located(
    where: Place, command: Command, asked: Sequence[State], say: Say
) -> dict[str, str | None]:
    """What is known of these: URN -> id, or None where nothing is; of the others nothing is."""
    plugins = {name: _plugin(where, name) for name in map(_package, asked)}
    if not any(plugins.values()):
        return {}
    deployment = snapshot.deployment(where, command, show_secrets=True)
    found: dict[str, str | None] = {}
    for name, plugin in plugins.items():
        if plugin is not None:
            mine = [_question(one, deployment, where) for one in asked if _package(one) == name]
            found |= _answers(name, plugin, mine, where, say)
    return found


def _package(one: State) -> str:
    return pending.type_of(one).split(":", 1)[0]


def _plugin(where: Place, package: str) -> Path | None:
    """Its program: where the project says, on PATH, or where `pulumi plugin install` puts it."""
    if not _NAME.fullmatch(package) or package == _ASKED_ELSEWHERE:
        return None
    program = f"pulumi-resource-{package}"
    declared = (where.manifest.get("plugins") or {}).get("providers") or []
    named = [where.root / one.get("path", ".") for one in declared if one["name"] == package]
    on_path = shutil.which(program)
    kept = (pulumi_home(os.environ) / "plugins").glob(f"resource-{package}-v*")
    candidates = [
        *(path / program if path.is_dir() else path for path in named),
        *([Path(on_path)] if on_path else []),
        *(path / program for path in sorted(kept, key=lambda path: path.stat().st_mtime)[::-1]),
    ]
    return next((one for one in candidates if one.is_file() and os.access(one, os.X_OK)), None)


def _question(one: State, deployment: State, where: Place) -> State:
    """With the settings of its provider, which may need them to be let in."""
    urn = pending.urn_of(one)
    provider = of_provider(one["resource"].get("provider"))
    known = [it for it in pending.of({"deployment": deployment}) if pending.urn_of(it) == urn]
    resource = (known or [one])[0]["resource"]  # of which the secrets are open
    return {
        "type": pending.type_of(one),
        "urn": urn,
        "inputs": _plain(resource.get("inputs") or {}),
        "config": _plain(
            snapshot.inputs_of(deployment, provider) or _configured(where, _package(one))
        ),
    }


def _configured(where: Place, package: str) -> State:
    """What the stack file says: a provider that nothing needs any more is not in the state."""
    config = where.settings.get("config") or {}
    named = {key.partition(":")[2]: config[key] for key in config if key.startswith(f"{package}:")}
    return {key: value for key, value in named.items() if isinstance(value, str)}


def _plain(value: Any) -> Any:
    """The value without the marks on what is secret in it."""
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if not isinstance(value, dict):
        return value
    if SIGNATURE in value and "plaintext" in value:
        return json.loads(value["plaintext"])
    return {key: _plain(one) for key, one in value.items()}


def _answers(
    package: str, plugin: Path, asked: Iterable[State], where: Place, say: Say
) -> dict[str, str | None]:
    text = "".join(json.dumps(one) + "\n" for one in asked)
    try:
        ended = ask_while(
            [plugin, "locate"], text, _is_answer, deadline_s=DEADLINE_S, cwd=where.work
        )
    except OSError as error:
        say(f"the provider {package} cannot be asked: {plugin}: {error.strerror}")
        return {}
    lines = ended.out.splitlines()
    answers = [json.loads(line) for line in lines if _is_answer(line)]
    if len(answers) == len(lines) and ended.code != 0:
        reason = ended.last_line or f"it gave no answer within {DEADLINE_S:.0f} s"
        say(f"the provider {package} does not tell what a run that died has left: {reason}")
    return {str(one["urn"]): one["id"] for one in answers}


def _is_answer(line: str) -> bool:
    try:
        told = json.loads(line)
    except ValueError:
        return False
    return isinstance(told, dict) and {"urn", "id"} <= set(told)
