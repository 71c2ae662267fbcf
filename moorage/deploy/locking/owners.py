"""An owner is the run that holds a stack; whether it still lives is judged, never guessed."""

from __future__ import annotations

import getpass
import json
import os
import socket
import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Any

from moorage.deploy.locking import jobs, processes
from moorage.deploy.locking.jobs import Job

FIRST_PID_NAMESPACE = 0xEFFFFFFC  # what Linux numbers the one of the machine itself
NO_NAMES = frozenset({"", "localhost", "localhost.localdomain", "localhost4", "localhost6"})


class Fate(Enum):
    """What is known of an owner."""

    LIVES = "lives"
    DEAD = "dead"
    UNKNOWN = "may live"


@dataclass(frozen=True, kw_only=True, slots=True)
class Owner:
    """One run of moorage: enough of it to tell later whether it still lives."""

    host: str
    user: str
    pid: int
    start_ticks: int  # since boot; a pid that is given anew begins later
    boot: str
    pid_namespace: int
    machine: str
    checkout: str  # device and inode of the folder whose lock the owner holds while it lives
    command: str
    since: datetime
    token: str
    job: Job | None = None

    @property
    def name(self) -> str:
        """How a person names it where they declare it dead."""
        return f"{self.host}:{self.pid}"

    @property
    def in_container(self) -> bool:
        """Whether it sees other processes than its machine does."""
        return self.pid_namespace != FIRST_PID_NAMESPACE

    def __str__(self) -> str:
        job = f", {self.job}" if self.job else ""
        return f"`{self.command}` of {self.user}@{self.host}, pid {self.pid}{job}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Judgement:
    """What is known of an owner, and from where."""

    fate: Fate
    why: str


def judge(
    owner: Owner,
    here: Owner,
    *,
    process: Callable[[int, int], processes.Found] = processes.look,
    ask: Callable[[Job, Job | None], jobs.Answer] = jobs.ask,
) -> Judgement:
    """Whether an owner lives, as `here` sees it; `here` holds the lock of its own checkout."""
    is_beside = is_of_one_boot(owner, here)
    if is_beside and owner.pid_namespace == here.pid_namespace:
        return _by_process(process(owner.pid, owner.start_ticks))
    if is_beside and owner.checkout == here.checkout:
        return Judgement(fate=Fate.DEAD, why="it no longer holds the lock of this checkout")
    if owner.job is not None:
        return _by_job(ask(owner.job, here.job))
    if _restarted_since(owner, here):
        return Judgement(fate=Fate.DEAD, why="its machine was restarted since")
    if is_beside:
        return Judgement(fate=Fate.UNKNOWN, why="it runs in another container of this machine")
    return Judgement(fate=Fate.UNKNOWN, why="it runs on another machine")


def is_of_one_boot(owner: Owner, here: Owner) -> bool:
    """Whether both are of this machine since its boot; a sandbox may not tell which one that is."""
    return bool(here.boot) and owner.boot == here.boot


def _by_process(found: processes.Found) -> Judgement:
    if found is processes.Found.GONE:
        return Judgement(fate=Fate.DEAD, why="its process is gone")
    if found is processes.Found.STOPPED:
        return Judgement(fate=Fate.LIVES, why="its process is stopped")
    return Judgement(fate=Fate.LIVES, why="its process lives")


def _by_job(answer: jobs.Answer) -> Judgement:
    fates = {True: Fate.DEAD, False: Fate.LIVES, None: Fate.UNKNOWN}
    return Judgement(fate=fates[answer.ended], why=answer.why)


def _restarted_since(owner: Owner, here: Owner) -> bool:
    """Whether it ran on this very machine before the last boot; a name alone does not show that.

    Containers take names and machine ids from images, and so do the machines of CI.
    """
    same = (owner.host, owner.machine) == (here.host, here.machine)
    told = owner.host not in NO_NAMES and bool(owner.machine) and owner.boot != here.boot
    return same and told and not (owner.in_container or here.in_container or here.job)


def here(command: str, checkout: Path) -> Owner:
    """This process as an owner."""
    found = checkout.stat() if checkout.is_dir() else None
    return Owner(
        host=socket.gethostname(),
        user=user(),
        pid=os.getpid(),
        start_ticks=processes.start_ticks(os.getpid()) or 0,
        boot=_said("/proc/sys/kernel/random/boot_id"),
        pid_namespace=Path("/proc/self/ns/pid").stat().st_ino,
        machine=_said("/etc/machine-id"),
        checkout=f"{found.st_dev}:{found.st_ino}" if found else "",
        command=command,
        since=datetime.now().astimezone(),
        token=uuid.uuid4().hex,
        job=jobs.current(os.environ),
    )


def write(owner: Owner) -> str:
    """The owner as JSON."""
    told = {**asdict(owner), "since": owner.since.isoformat()}
    return json.dumps(told, indent=2) + "\n"


def read(text: str) -> Owner | None:
    """The owner that wrote this; None where nothing can be made of it."""
    try:
        told: dict[str, Any] = json.loads(text, object_hook=_printable)
        known = {one.name: told[one.name] for one in fields(Owner)}
        job = Job(**known["job"]) if known["job"] else None
        since = datetime.fromisoformat(known["since"]).astimezone()
        return Owner(**{**known, "job": job, "since": since, "pid": int(known["pid"])})
    except (ValueError, KeyError, TypeError, OverflowError):
        return None


def _printable(told: dict[str, Any]) -> dict[str, Any]:
    """What others wrote is shown to people: no line ends, nothing that a terminal obeys."""
    return {key: clean(value) if isinstance(value, str) else value for key, value in told.items()}


def clean(text: str) -> str:
    """The text without what cannot be printed."""
    return "".join(letter for letter in text if letter.isprintable())[:500]


def user() -> str:
    """The name of this user, or the number where there is no name."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return str(os.getuid())


def _said(path: str) -> str:
    try:
        return Path(path).read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""
