"""The load generator: Locust in a process of its own, followed by the files it writes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from loadtests.profiles import Profile, Target
from loadtests.rows import Health, Row
from loadtests.settings import KEY_ENV, SETTINGS_ENV, settings_for
from moorage.errors import Exit, MoorageError

_ROOT = Path(__file__).parent.parent
_LOCUSTFILES = Path(__file__).parent / "locustfiles"
_LEAVE_S = 5.0  # how long it may take to write its last rows before it is ended


class Generator:
    """Started on entering, gone on leaving, however the block is left."""

    def __init__(self, profile: Profile, target: Target, folder: Path) -> None:
        self.rows: list[Row] = []
        self.start_s: float | None = None  # when the schedule began
        self.health = Health()
        self._profile = profile
        self._target = target
        self._settings = settings_for(profile, target, folder)
        self._folder = folder
        self._row_lines = Lines(Path(self._settings.rows))
        self._health_lines = Lines(Path(self._settings.health))
        self._log: IO[bytes] | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        for name in (self._settings.rows, self._settings.health):
            Path(name).write_text("", encoding="utf-8")
        settings = self._folder / "settings.json"
        self._settings.write(settings)
        self._log = (self._folder / "locust.log").open("wb")
        self._process = subprocess.Popen(
            self._command(),
            stdin=subprocess.PIPE,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            cwd=self._folder,  # away from any locust.conf of the user
            env=_environment(settings, self._target.api_key),
            start_new_session=True,  # an interrupt is ours to pass on, in our order
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        process = self._running()
        _close(process)
        for end in (process.terminate, process.kill):
            try:
                process.wait(_LEAVE_S)
                break
            except subprocess.TimeoutExpired:
                end()
        process.wait()
        if self._log is not None:
            self._log.close()

    def poll(self) -> None:
        """Take in what it has written since the last look."""
        self.rows += map(Row.from_line, self._row_lines.new())
        for line in self._health_lines.new():
            self._take(json.loads(line))

    def stop(self) -> None:
        """No more arrivals; those in flight are waited for."""
        pipe = self._running().stdin
        try:
            if pipe is not None:
                pipe.write(b"stop\n")
                pipe.flush()
        except OSError:
            return  # it is gone already, which poll() and has_left tell

    @property
    def has_left(self) -> bool:
        return self._running().poll() is not None

    def never_started(self) -> MoorageError:
        said = (
            (self._folder / "locust.log").read_text(encoding="utf-8", errors="replace").split("\n")
        )
        last = next((line.strip() for line in reversed(said) if line.strip()), "it said nothing")
        message = f"the load generator did not start: {last} ({self._folder / 'locust.log'})"
        return MoorageError(message, exit_code=Exit.PROVES_NOTHING)

    def _take(self, event: dict[str, Any]) -> None:
        if event["event"] == "start":
            self.start_s = event["start_s"]
        elif event["event"] == "end":
            self.health = Health.from_mapping({**event, "finished": True})

    def _command(self) -> list[str]:
        locustfile = _LOCUSTFILES / f"{'failover' if self._profile.has_fault else 'smoke'}.py"
        options = ["--headless", "--users=1", "--spawn-rate=1", "--only-summary"]
        leave = ["--stop-timeout=2", "--exit-code-on-error=0"]
        return [sys.executable, "-m", "locust", "-f", str(locustfile), *options, *leave]

    def _running(self) -> subprocess.Popen[bytes]:
        assert self._process is not None, "a generator is used as a context manager"
        return self._process


class Lines:
    """A file that another process appends to, read line by whole line."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._at = 0

    def new(self) -> list[str]:
        with self._path.open("rb") as file:
            file.seek(self._at)
            *whole, _ = file.read().split(b"\n")
        self._at += sum(len(line) + 1 for line in whole)
        return [line.decode() for line in whole if line]


def _environment(settings: Path, api_key: str | None) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LOCUST_")}
    path = os.pathsep.join(filter(None, (str(_ROOT), kept.get("PYTHONPATH"))))
    return kept | {SETTINGS_ENV: str(settings), KEY_ENV: api_key or "", "PYTHONPATH": path}


def _close(process: subprocess.Popen[bytes]) -> None:
    """The end of its input tells it that nobody waits for it any more."""
    try:
        if process.stdin is not None:
            process.stdin.close()
    except OSError:
        return  # what was still to be written can no longer be read
