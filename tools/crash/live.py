"""Labs on what stands in for a remote side: a point is passed there, and whoever is doomed dies."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Self

from crash.lab import Driver, Lab


@dataclass(frozen=True, kw_only=True)
class _Doom:
    number: int
    victims: str
    kill: Callable[[], None]


@dataclass(kw_only=True)
class Live:
    """What is listened to, and counts the points at which somebody may die."""

    calls: list[str] = field(default_factory=list)
    points: list[str] = field(default_factory=list)
    was_struck: bool = False
    _doom: _Doom | None = None

    def kept(self) -> Any:
        """How it is now."""
        raise NotImplementedError

    def begin(self, calls: Iterable[str]) -> None:
        """Have passed no point, after these calls."""
        self.calls[:], self.points[:] = calls, ()
        self._doom, self.was_struck = None, False

    def doom(self, number: int, victims: str, kill: Callable[[], None]) -> None:
        """Kill at the point of that number."""
        self._doom = _Doom(number=number, victims=victims, kill=kill)

    def is_asker_dead(self, point: str) -> bool:
        """Pass a point, and kill where that is due."""
        self.points.append(point)
        if self._doom is None or len(self.points) != self._doom.number:
            return False
        self.was_struck = True
        self._doom.kill()
        return "provider" in self._doom.victims


@dataclass(frozen=True, kw_only=True)
class LiveLab(Lab):
    """A lab on something live that is lent to it; `kept` is how its copies find that."""

    live: Live
    kept: Any

    def calls(self) -> list[str]:
        """What changed the remote side, in order."""
        return list(self.live.calls)

    def points(self) -> list[str]:
        """The points that were passed since it was lent."""
        return list(self.live.points)

    def doomed(self, number: int, victims: str) -> Driver:
        """The live side is told whom to kill."""
        driver = self.driver()
        self.live.doom(number, victims, partial(self.kill, driver, victims))
        return driver

    def was_struck(self) -> bool:
        """The live side notes it before it strikes."""
        return self.live.was_struck

    def begun_anew(self) -> Self:
        """Whoever copies this lab finds what there is now."""
        return replace(self, kept=self.live.kept())
