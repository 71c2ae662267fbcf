"""Processes of this machine, looked up in /proc by pid and start: stopped, dying, anybody's."""

from __future__ import annotations

import os
from contextlib import suppress
from enum import Enum
from pathlib import Path

TICKS_PER_S = os.sysconf("SC_CLK_TCK")


class Found(Enum):
    """What there is of a process."""

    LIVES = "lives"
    STOPPED = "stopped"
    GONE = "gone"


def look(pid: int, start: int | None = None) -> Found:
    """Whether the process with this pid, begun at this tick, still lives; what hides is alive."""
    if pid <= 0:
        return Found.GONE
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return Found.GONE
    except PermissionError:
        pass  # somebody else's; it is there
    stat = _stat(pid)
    if stat is None:
        return Found.LIVES
    if stat[0] in "ZX" and _threads(pid) <= 1:
        return Found.GONE
    if start is not None and int(stat[19]) != start:
        return Found.GONE
    return Found.STOPPED if stat[0] in "Tt" else Found.LIVES


def start_ticks(pid: int) -> int | None:
    """When a process began, in ticks since boot; None where it is gone or hidden."""
    stat = _stat(pid)
    return int(stat[19]) if stat else None


def began_after(pid: int, moment_s: float) -> bool:
    """Whether a process certainly began after a moment, in seconds since the epoch."""
    ticks = start_ticks(pid)
    boot_s = _boot_s()
    return ticks is not None and boot_s is not None and boot_s + ticks / TICKS_PER_S > moment_s


def _stat(pid: int) -> list[str] | None:
    """The fields of /proc/PID/stat from the state on; the name before may hold anything."""
    with suppress(OSError, IndexError):
        told = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        return told.rpartition(")")[2].split()
    return None


def _threads(pid: int) -> int:
    """A first thread may end before the others, and then looks like a zombie."""
    with suppress(OSError):
        return len(list(Path(f"/proc/{pid}/task").iterdir()))
    return 0


def _boot_s() -> float | None:
    with suppress(OSError, ValueError, IndexError):
        for line in Path("/proc/stat").read_text(encoding="ascii").splitlines():
            if line.startswith("btime "):
                return float(line.split()[1])
    return None
