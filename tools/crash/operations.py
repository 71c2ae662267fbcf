"""The operations that are disturbed, each with what is there before and what it shall reach."""

from __future__ import annotations

import shutil
import threading
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Final

from crash.lab import Answer, Lab
from crash.verdict import Wanted, outputs_of
from crash.watch import Watch

_END_S: Final = 30.0


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One operation on one stack; commands are those of crash.programs."""

    before: str | None  # what was deployed earlier
    goal: str  # what is disturbed, and what mends
    wound: str  # the call after which it is killed where the run that mends is killed too


OPERATIONS: Final = {
    "create": Operation(before=None, goal="up both", wound="after POST b"),
    "update": Operation(before="up both", goal="up grown", wound="after PUT a-z1"),
    "replace": Operation(before="up thing", goal="up thing elsewhere", wound="after POST a-z2"),
    "replace-berth": Operation(
        before="up berth", goal="up berth elsewhere", wound="after DELETE b"
    ),
    "delete": Operation(before="up both", goal="up thing", wound="after DELETE b"),
    "destroy": Operation(before="up both", goal="destroy both", wound="after DELETE b"),
}


@dataclass(frozen=True, kw_only=True)
class Ran:
    """An undisturbed run: what it called, how often it changed files, and what it reached."""

    calls: list[str]
    writes: int
    wanted: Wanted


@dataclass(kw_only=True)
class Stage:
    """An operation in a folder: labs to start from, made when they are first needed."""

    folder: Path
    operation: Operation
    environ: dict[str, str]
    own: Stage | None = None  # where the backend is a folder outside the checkout: without that
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def before(self) -> Lab:
        """A lab in which the operation can begin."""
        with self._lock:
            return self._before

    def killed(self) -> Lab:
        """A lab in which all was killed in the middle of the operation."""
        with self._lock:
            return self._killed

    def undisturbed(self) -> Ran:
        """What the operation does when nothing disturbs it; the same on every backend."""
        if self.own is not None:
            return self.own.undisturbed()
        with self._lock:
            return self._undisturbed

    def mended(self) -> Ran:
        """What the run does that comes after the death of all."""
        with self._lock:
            return self._mended

    def wound(self) -> int:
        """The number of the call at which that death is."""
        calls = self.undisturbed().calls
        return len(calls) - calls[::-1].index(self.operation.wound)

    @cached_property
    def _before(self) -> Lab:
        lab = Lab(
            folder=self.folder / "before", environ=self.environ, is_shared=self.own is not None
        )
        shutil.rmtree(lab.folder, ignore_errors=True)
        lab.lay_out()
        if self.operation.before is not None:
            _fine(lab, self.operation.before)
        return _begun_anew(lab)

    @cached_property
    def _killed(self) -> Lab:
        lab = self.before().copied(self.folder / "killed")
        driver = lab.driver(MOORAGE_KILL_AT=str(self.wound()), MOORAGE_KILL="program,cli,provider")
        driver.ask(self.operation.goal)
        driver.end()
        assert lab.quiet(_END_S), lab.folder
        return _begun_anew(lab)

    @cached_property
    def _undisturbed(self) -> Ran:
        return self._ran(self.before().copied(self.folder / "undisturbed"))

    @cached_property
    def _mended(self) -> Ran:
        return self._ran(self.killed().copied(self.folder / "mended"))

    def _ran(self, lab: Lab) -> Ran:
        lab.home.mkdir(exist_ok=True)
        watch = Watch(lab.home)
        driver = lab.driver()
        driver.tell(self.operation.goal)
        told: list[Answer] = []
        reader = threading.Thread(target=lambda: told.append(driver.answer()))
        reader.start()
        writes = watch.count(reader.is_alive)
        watch.close()
        driver.end()
        assert told[0].is_fine, f"{told[0]}; see {lab.folder}"
        wanted = Wanted(things=lab.cloud.things(), outputs=outputs_of(lab.deployment()))
        return Ran(calls=lab.cloud.points(), writes=writes, wanted=wanted)


def _fine(lab: Lab, command: str) -> None:
    driver = lab.driver()
    answer = driver.ask(command)
    driver.end()
    assert answer.is_fine, f"{answer}; see {lab.folder}"


def _begun_anew(lab: Lab) -> Lab:
    for name in ("points.log", "killed.log"):
        (lab.cloud.folder / name).unlink(missing_ok=True)
    return lab
