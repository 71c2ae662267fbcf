"""Has Debian's Docker engine installed for the tests, where that is easy; used by tools/setup.py.

It runs before there is an environment, so nothing here needs more than the standard library.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
import time
from pathlib import Path
from typing import Final, Protocol

from moorage.deploy.cli.children import ask

_INSTALL: Final = ["apt-get", "--yes", "--quiet", "--no-install-recommends"]
_IMPATIENT: Final = [
    *("-o", "Acquire::Retries=0", "-o", "Acquire::http::Timeout=10"),
    *("-o", "DPkg::Lock::Timeout=10"),
]
_FETCH_S: Final = 120.0  # 60 MB; 10 s on a good line
_UNPACK_S: Final = 300.0
_TRY_AGAIN_S: Final = 24 * 3600.0


class Board(Protocol):
    """Where progress is told."""

    def say(self, text: str) -> None: ...

    def tick(self, what: str, text: str) -> None: ...


class Installing(threading.Thread):
    """Installs it beside the rest of a set-up; whatever goes wrong, tests run without it."""

    def __init__(self, board: Board, gave_up: Path) -> None:
        super().__init__(daemon=True)
        self.board, self.gave_up = board, gave_up

    def run(self) -> None:
        """Install it if it is missing, and was not in vain lately."""
        if not is_wanted() or _is_fresh(self.gave_up):
            return
        self.board.tick("docker", "installing Debian's docker.io for the tests")
        fault = install()
        self.board.tick("docker", "")
        if fault is None:
            self.board.say("Debian's docker.io is installed for the tests")
        else:
            self.board.say(f"no Docker engine, so its tests are skipped: {fault}")
            self.gave_up.parent.mkdir(exist_ok=True)
            self.gave_up.touch()


def is_wanted() -> bool:
    """Whether there is none, and this machine is one that we may and can install it on."""
    if shutil.which("dockerd") or os.geteuid() != 0:
        return False
    return shutil.which("apt-get") is not None


def install() -> str | None:
    """Why it could not be had; None when it is there."""
    try:
        if (fault := _fetched()) is not None:
            return fault
        # Unpacking goes on when we are ended: half of a package would be the machine's trouble.
        command = [*_INSTALL, "install", "docker.io"]
        ended = subprocess.run(
            command, env=_environ(), capture_output=True, timeout=_UNPACK_S, start_new_session=True
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return None if ended.returncode == 0 and shutil.which("dockerd") else "apt-get install failed"


def _fetched() -> str | None:
    """Fetch the packages, with the lists brought up to date where they are missing or old."""
    end_s = time.monotonic() + _FETCH_S
    fetch = [*_INSTALL, *_IMPATIENT, "--download-only", "install", "docker.io"]
    fault = _asked(fetch, end_s)
    if fault is not None:
        _asked(["apt-get", "--quiet", *_IMPATIENT, "update"], end_s)
        fault = _asked(fetch, end_s)
    return fault


def _asked(command: list[str], end_s: float) -> str | None:
    ended = ask(command, deadline_s=max(0.0, end_s - time.monotonic()), env=_environ())
    if ended.code is None:
        return "fetching docker.io takes too long"
    return None if ended.code == 0 else ended.last_line or "apt-get cannot fetch docker.io"


def _environ() -> dict[str, str]:
    return {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"}


def _is_fresh(file: Path) -> bool:
    try:
        return file.stat().st_mtime > time.time() - _TRY_AGAIN_S
    except OSError:
        return False
