"""Processes of this machine, found by the marks that we left in their environment.

No file of process ids: one that outlives its process points at a stranger.
"""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Final

import psutil

_DIRECTORY: Final = "MOORAGE_PROCESS"
_OWNER: Final = "MOORAGE_OWNER"
_PORT: Final = "MOORAGE_PORT"
_DIGEST: Final = "MOORAGE_DIGEST"
_HIDDEN_PREFIXES: Final = ("PULUMI_", "MOORAGE_")  # among them Pulumi's passphrase
_HELPERS_GRACE_S: Final = 1.0
_BIRTH_S: Final = 1.0
_GONE: Final = (psutil.NoSuchProcess, psutil.AccessDenied, OSError)

# Popen objects of processes that outlive the call; kept so that the dead among them are reaped.
_children: dict[int, subprocess.Popen[bytes]] = {}
_children_lock = threading.Lock()


@dataclass(frozen=True, kw_only=True, slots=True)
class Launch:
    """All that makes a process what it is."""

    directory: str
    owner: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(repr=False)
    port: int

    def digest(self) -> str:
        """Equal for equal launches; it tells a process that may be adopted."""
        parts = [*self.command, "", *(f"{k}={v}" for k, v in sorted(self.environment.items()))]
        return hashlib.sha256("\0".join([self.directory, *parts]).encode()).hexdigest()

    def marks(self) -> dict[str, str]:
        """What the process carries so that it is found again."""
        return {
            _DIRECTORY: self.directory,
            _OWNER: self.owner,
            _PORT: str(self.port),
            _DIGEST: self.digest(),
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Leader:
    """A live process that we, or somebody with our marks, started for a directory."""

    pid: int
    owner: str
    port: int
    digest: str
    arguments_digest: str
    started_at: str


def start(launch: Launch, log: IO[bytes]) -> int:
    """Start a process in a session of its own, so that it outlives us and our group."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(_HIDDEN_PREFIXES)}
    process = subprocess.Popen(
        launch.command,
        cwd=launch.directory,
        env={**inherited, **launch.environment, **launch.marks()},
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    with _children_lock:
        _children[process.pid] = process
    _wait_for_marks(process.pid, launch.directory)
    return process.pid


def _wait_for_marks(pid: int, directory: str) -> None:
    """A process just born shows no environment for a moment; nobody may take that for absence."""
    deadline = time.monotonic() + _BIRTH_S
    while exit_code(pid) is None and time.monotonic() < deadline:
        if _is_marked(pid, directory):
            return
        time.sleep(0.001)


def exit_code(pid: int) -> int | None:
    """The exit code of a child of ours that has ended, where it can still be known."""
    with _children_lock:
        child = _children.get(pid)
        return child.poll() if child else None


def leader(directory: str) -> Leader | None:
    """The live process of a directory; its helpers and its zombies do not count."""
    for process, environment in _marked(directory):
        with suppress(*_GONE):
            if os.getsid(process.pid) == process.pid:
                return _leader(process, environment)
    return None


def send(pid: int, number: signal.Signals) -> None:
    """Send a signal; a process that is gone will be missed elsewhere."""
    with suppress(OSError):
        os.kill(pid, number)


def stop(directory: str, *, grace_s: float) -> None:
    """End the process of a directory and all its helpers: politely, then for good."""
    sessions = {process.pid for process, _ in _marked(directory) if _is_leader(process)}
    leaders = [process for process in _members(directory, sessions) if _is_leader(process)]
    _end(leaders, grace_s)  # it may want to end its helpers itself
    _end(_members(directory, sessions), min(grace_s, _HELPERS_GRACE_S))
    while remaining := _members(directory, sessions):
        for process in remaining:
            with suppress(*_GONE):
                process.kill()
        _wait_ended(remaining, 5.0)


def _end(processes: list[psutil.Process], grace_s: float) -> None:
    for process in processes:
        with suppress(*_GONE):
            process.terminate()
    _wait_ended(processes, grace_s)


def _wait_ended(processes: Sequence[psutil.Process], limit_s: float) -> None:
    """Wait until none runs; a zombie has ended, however long its parent takes to notice."""
    deadline_s = time.monotonic() + limit_s
    while any(map(_runs, processes)) and time.monotonic() < deadline_s:
        time.sleep(0.02)


def _runs(process: psutil.Process) -> bool:
    with suppress(*_GONE):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def _members(directory: str, sessions: Collection[int]) -> list[psutil.Process]:
    """Everything marked, and everything in these sessions."""
    members = {process.pid: process for process, _ in _marked(directory)}
    for pid in psutil.pids():
        if pid not in members and _session(pid) in sessions:
            members.update({process.pid: process for process in _own_process(pid)})
    return list(members.values())


def _session(pid: int) -> int | None:
    with suppress(OSError):
        return os.getsid(pid)
    return None


def _is_leader(process: psutil.Process) -> bool:
    return _session(process.pid) == process.pid


def _marked(directory: str) -> Iterator[tuple[psutil.Process, dict[str, str]]]:
    """The live processes of this user that bear the mark; ended children are reaped on the way."""
    with _children_lock:
        for child in _children.values():
            child.poll()
    mark = f"{_DIRECTORY}={directory}\0".encode()
    for pid in psutil.pids():
        if _may_bear(pid, mark):
            for process in _own_process(pid):
                with suppress(*_GONE):
                    environment = process.environ()
                    if environment.get(_DIRECTORY) == directory:
                        yield process, environment


def _may_bear(pid: int, mark: bytes) -> bool:
    """One look at the raw environment; it spares all else for the many that are not ours."""
    if not sys.platform.startswith("linux"):
        return True
    try:
        return mark in Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return False


def _own_process(pid: int) -> Iterator[psutil.Process]:
    """The process, when it lives and is of this user."""
    with suppress(*_GONE):
        process = psutil.Process(pid)
        if process.uids().real == os.getuid() and process.status() != psutil.STATUS_ZOMBIE:
            yield process


def _leader(process: psutil.Process, environment: Mapping[str, str]) -> Leader:
    started = datetime.fromtimestamp(process.create_time(), tz=UTC)
    port = environment.get(_PORT, "")
    return Leader(
        pid=process.pid,
        owner=environment.get(_OWNER, ""),
        port=int(port) if port.isdecimal() else 0,
        digest=environment.get(_DIGEST, ""),
        arguments_digest=hashlib.sha256("\0".join(process.cmdline()).encode()).hexdigest(),
        started_at=started.isoformat(timespec="seconds").replace("+00:00", "Z"),
    )


def is_alive(pid: int, directory: str) -> bool:
    """Whether this very process still runs."""
    with _children_lock:
        child = _children.get(pid)
        if child:
            return child.poll() is None
    return _is_marked(pid, directory)


def _is_marked(pid: int, directory: str) -> bool:
    try:
        process = psutil.Process(pid)
        is_zombie = process.status() == psutil.STATUS_ZOMBIE
        return not is_zombie and process.environ().get(_DIRECTORY) == directory
    except _GONE:
        return False


def holder(port: int) -> str:
    """Who listens on a port, as far as this user may see: "pid 12 (python3)"."""
    for process in psutil.process_iter():
        with suppress(*_GONE):
            for connection in process.net_connections(kind="tcp"):
                if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port:
                    return f"pid {process.pid} ({process.name()})"
    return "another process"


def readable_tail(log: Path, *, lines: int = 1) -> str:
    """The last lines of a log that say something."""
    tail_bytes = 8192
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - tail_bytes))
            text = file.read().decode(errors="replace")
    except OSError:
        return ""
    meaningful = [line.strip() for line in text.splitlines() if line.strip()]
    return "; ".join(meaningful[-lines:])[:400]
