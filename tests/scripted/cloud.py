"""A cloud that is a folder: things are files, every call is written down, faults come by script.

    cloud/things/<key>.json   the things, as the cloud has them
    cloud/calls.log           one line per call: `POST a`, and per handler function: `create a`
    cloud/rules.json          what goes wrong: [{"on": "POST a", "say": "no room", "after": true}]
    cloud/points.log          one line per point at which a process may be killed

A point is before and after every remote call and every call of the engine. The environment names
one by number, MOORAGE_KILL_AT, and in MOORAGE_KILL who is killed there: cli, program, provider.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from moorage.errors import MoorageError

Body = dict[str, Any]


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

    def delete(self, key: str) -> None:
        """Take a thing away."""
        with self._call(f"DELETE {key}"):
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
            due = len(self.points()) == int(os.environ.get("MOORAGE_KILL_AT", "0"))
        if due:
            kill(os.environ["MOORAGE_KILL"].split(","))

    @contextmanager
    def _call(self, call: str) -> Iterator[None]:
        self.point(f"before {call}")
        self.note(call)
        self._fail(call, after=False)
        yield
        self._fail(call, after=True)
        self.point(f"after {call}")

    def _fail(self, call: str, *, after: bool) -> None:
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


def kill(victims: list[str]) -> None:
    """Kill -9, from within the provider: the CLI is its parent, the program the CLI's parent."""
    provider = psutil.Process()
    cli = provider.parent()
    program = cli.parent() if cli else None
    pids = {"program": program, "cli": cli, "provider": provider}
    for name in ("program", "cli", "provider"):
        process = pids[name]
        if name in victims and process is not None:
            os.kill(process.pid, signal.SIGKILL)
