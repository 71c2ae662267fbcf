"""How a container does, read from what Docker tells of it; pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from moorage.provider import secrets
from moorage.provider.serving.log import lines

_KILLED: Final = 137  # 128 + SIGKILL
_SIGNALLED: Final = 128
_SECRET: Final = re.compile(r"KEY|TOKEN|SECRET|PASSW|CREDENTIAL", re.IGNORECASE)
_SHORTEST_SECRET: Final = 4

Record = Mapping[str, Any]


def status(record: Record) -> str:
    """Docker's word: created, running, paused, restarting, exited or dead."""
    return str(record["State"]["Status"])


def runs(record: Record) -> bool:
    """Whether its process lives, as far as Docker knows."""
    return status(record) == "running"


def ended(record: Record) -> str:
    """How it ended, such as `exited with code 1`."""
    state = record["State"]
    if status(record) == "created":
        return f"never started: {state['Error']}" if state["Error"] else "was never started"
    if state["OOMKilled"]:
        return "was killed for memory"
    code = int(state["ExitCode"])
    if code == _KILLED:
        return "was killed (SIGKILL): by a person, or for the host's memory"
    if code > _SIGNALLED:
        return f"ended by signal {code - _SIGNALLED}"
    return f"exited with code {code}"


def drift(record: Record) -> str | None:
    """What is wrong with a container that should run; None when nothing is."""
    name = str(record["Name"]).lstrip("/")
    if status(record) == "paused":
        return f"{name} is paused"
    if status(record) == "restarting":
        return f"{name} is restarted by Docker again and again: it {ended(record)}"
    return None if runs(record) else f"{name} {ended(record)}"


def readable(log: str, record: Record) -> list[str]:
    """The lines of a log for people, without the secrets of the container's environment."""
    return lines(secrets.masked(log, _secrets(record)))


def _secrets(record: Record) -> frozenset[str]:
    """Values of the variables that are secrets by their names."""
    pairs = (one.partition("=") for one in record["Config"]["Env"] or ())
    found = {value for name, _, value in pairs if _SECRET.search(name)}
    return frozenset(one for one in found if len(one) >= _SHORTEST_SECRET)
