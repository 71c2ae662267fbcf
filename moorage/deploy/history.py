"""The history of a stack: what was done to it, when, by whom, and how it ended."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from moorage.deploy.session import Session

# Who worked, as the engine's record tells it; the first that is there counts. Most backends do
# not say; who wrote the commit is another thing, and told as such.
_WHO: Final = ("pulumi.user", "github.login", "ci.build.author")
_CI: Final = ("ci.system", "ci.build.url")
_OPERATIONS: Final = {"update": "up", "resource-import": "import", "import": "state import"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One operation of the past."""

    version: int | None  # files and object stores count nothing
    operation: str
    result: str  # succeeded, failed or in-progress
    began: datetime
    duration_s: float
    changes: Mapping[str, int]  # resources per step
    message: str
    who: str
    commit: str
    author: str  # of the commit
    cli: str


def read(session: Session, *, limit: int) -> list[Entry]:
    """The newest operations, newest first; config and secrets are left where they are."""
    session.require()
    args = ("stack", "history", "--output", "json", "--page-size", str(limit), "--page", "1")
    told = json.loads(session.of_stack(*args) or "[]")
    return [_entry(one) for one in told]


def _entry(one: Mapping[str, Any]) -> Entry:
    began = _time(one["startTime"])
    ended = _time(one["endTime"]) if one.get("endTime") else began
    environment = one.get("environment") or {}
    return Entry(
        version=int(one.get("version") or 0) or None,
        operation=_OPERATIONS.get(str(one["kind"]), str(one["kind"])),
        result=str(one["result"]),
        began=began,
        duration_s=(ended - began).total_seconds(),
        changes={step: int(n) for step, n in (one.get("resourceChanges") or {}).items()},
        message=str(one.get("message") or ""),
        who=_who(environment),
        commit=str(environment.get("git.head") or "")[:12],
        author=str(environment.get("git.author") or ""),
        cli=str(environment.get("pulumi.version") or ""),
    )


def _who(environment: Mapping[str, str]) -> str:
    person = next((environment[key] for key in _WHO if environment.get(key)), "")
    machine = next((environment[key] for key in _CI if environment.get(key)), "")
    return " on ".join(part for part in (person, machine) if part)


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
