"""A cloud that is a folder: things are files, every call is written down, faults come by script.

    cloud/things/<key>.json   the things, as the cloud has them
    cloud/calls.log           one line per call: `POST a`, and per handler function: `create a`
    cloud/rules.json          what goes wrong: [{"on": "POST a", "say": "no room", "after": true}]
    cloud/points.log          one line per point at which a process may be killed

A point is before and after every remote call and every call of the engine. The environment names
one by number, MOORAGE_KILL_AT, and in MOORAGE_KILL who is killed there: cli, program, provider;
or `pause`: then the point waits until the file cloud/paused is taken away. Several points are
separated by semicolons. MOORAGE_TEST_PROGRAM, where it is given, is the pid of the program.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from moorage.errors import MoorageError

Body = dict[str, Any]
GLANCE_S = 0.005


@dataclass(frozen=True, kw_only=True)
class Cloud:
    """The folder; safe for several processes at once."""

    folder: Path

    def get(self, key: str) -> Body | None:
        """The thing, or None."""
        with self._call(f"GET {key}"):
            return self._read(key)

    def post(self, key: str, body: Body) -> None:
        """Make a new thing; a second one of that name is refused, as a cloud would."""
        with self._call(f"POST {key}"):
            if self._read(key) is not None:
                message = f"{key} is taken; choose another name"
                raise MoorageError(message)
            self._write(key, body)

    def put(self, key: str, body: Body) -> None:
        """Change a thing."""
        with self._call(f"PUT {key}"):
            self._write(key, body)

    def delete(self, key: str, *, owner: str) -> None:
        """Take a thing away, when it is this owner's."""
        with self._call(f"DELETE {key}"):
            found = self._read(key)
            if found is not None and found["inputs"]["owner"] == owner:
                self._path(key).unlink(missing_ok=True)

    def things(self) -> dict[str, Body]:
        """All there is."""
        files = sorted((self.folder / "things").glob("*.json"))
        return {path.stem: json.loads(path.read_text()) for path in files}

    def calls(self) -> list[str]:
        """What was called, in order; remote calls in capitals, the engine's in small letters."""
        return self._lines("calls.log")

    def points(self) -> list[str]:
        """The points that were passed."""
        return self._lines("points.log")

    def script(self, *rules: Body) -> None:
        """Say what shall go wrong from now on; each rule strikes once unless it says `times`."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "rules.json").write_text(json.dumps(rules))

    def note(self, call: str) -> None:
        """Write a call down."""
        self._append("calls.log", call)

    def forget(self) -> None:
        """Start the list of calls and points anew."""
        for name in ("calls.log", "points.log"):
            (self.folder / name).unlink(missing_ok=True)

    def point(self, name: str) -> None:
        """A moment at which a process may die, when the environment says so."""
        with self._locked():
            self._append("points.log", name)
            number = str(len(self.points()))
        at = os.environ.get("MOORAGE_KILL_AT", "").split(";")
        if number in at:
            strike(self.folder, os.environ["MOORAGE_KILL"].split(";")[at.index(number)].split(","))

    @contextmanager
    def _call(self, call: str) -> Iterator[None]:
        self.point(f"before {call}")
        self.note(call)
        self.fail(call)
        yield
        self.fail(call, after=True)
        self.point(f"after {call}")

    def fail(self, call: str, *, after: bool = False) -> None:
        """Raise what the script says of a call; `AWAIT <key>` is the wait until it is ready."""
        with self._locked():
            rules = self._rules()
            for rule in rules:
                due = rule["on"] == call and bool(rule.get("after")) == after
                if due and rule.get("times", 1) > 0:
                    rule["times"] = rule.get("times", 1) - 1
                    self.script(*rules)
                    raise MoorageError(str(rule["say"]))

    def _rules(self) -> list[Body]:
        path = self.folder / "rules.json"
        rules: list[Body] = json.loads(path.read_text()) if path.exists() else []
        return rules

    def _path(self, key: str) -> Path:
        return self.folder / "things" / f"{key}.json"

    def _read(self, key: str) -> Body | None:
        path = self._path(key)
        body: Body | None = json.loads(path.read_text()) if path.exists() else None
        return body

    def _write(self, key: str, body: Body) -> None:
        path = self._path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(f".{os.getpid()}")
        draft.write_text(json.dumps(body))
        draft.replace(path)

    def _append(self, name: str, line: str) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / name).open("a") as file:
            file.write(line + "\n")

    def _lines(self, name: str) -> list[str]:
        path = self.folder / name
        return path.read_text().splitlines() if path.exists() else []

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "lock").open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def strike(folder: Path, victims: list[str]) -> None:
    """Kill -9 from within the provider, and return once the victims are gone; or pause."""
    if "pause" in victims:
        _pause(folder / "paused")
        return
    processes = _processes()
    doomed = [processes[name] for name in ("program", "cli") if name in victims]
    others = [process for process in doomed if process is not None]
    with (folder / "killed.log").open("a") as file:
        told = [name for name in victims if processes[name] is not None]
        file.write(" ".join(told) + "\n")
    for process in others:
        process.kill()
    for process in others:
        _await_death(process)
    if "provider" in victims:
        os.kill(os.getpid(), signal.SIGKILL)


def _processes() -> dict[str, psutil.Process | None]:
    """Who takes part. An orphan's parent is anybody, so it is looked at twice."""
    me = psutil.Process()
    cli = next((one for one in me.parents()[:2] if one.name() == "pulumi"), None)
    named = os.environ.get("MOORAGE_TEST_PROGRAM")
    program = cli.parent() if cli is not None else None
    if named is not None:
        program = psutil.Process(int(named)) if psutil.pid_exists(int(named)) else None
    elif program is not None and program.pid == 1:
        program = None
    return {"program": program, "cli": cli, "provider": me}


def _await_death(process: psutil.Process) -> None:
    with suppress(psutil.NoSuchProcess):
        while process.status() != psutil.STATUS_ZOMBIE:
            time.sleep(GLANCE_S)


def _pause(mark: Path) -> None:
    """Wait until somebody takes the mark away."""
    mark.touch()
    while mark.exists():
        time.sleep(GLANCE_S)
