"""An operation that is disturbed, with what is there before and what it shall reach."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
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
    wound: str = ""  # the call after which it is killed where the run that mends is killed too


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
    lab: Callable[..., Lab]  # an empty one in a `folder`
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
        lab = self.lab(folder=self.folder / "before")
        shutil.rmtree(lab.folder, ignore_errors=True)
        lab.lay_out()
        if self.operation.before is not None:
            _fine(lab, self.operation.before)
        return lab.begun_anew()

    @cached_property
    def _killed(self) -> Lab:
        lab = self.before().copied(self.folder / "killed")
        driver = lab.doomed(self.wound(), "program,cli,provider")
        driver.ask(self.operation.goal)
        driver.end()
        assert lab.quiet(_END_S), lab.folder
        return lab.begun_anew()

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
        wanted = Wanted(things=lab.things(), outputs=outputs_of(lab.deployment(), lab.changing))
        return Ran(calls=lab.points(), writes=writes, wanted=wanted)


def _fine(lab: Lab, command: str) -> None:
    driver = lab.driver()
    answer = driver.ask(command)
    driver.end()
    assert answer.is_fine, f"{answer}; see {lab.folder}"
