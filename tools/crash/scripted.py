"""Labs whose cloud is a folder: the scripted provider kills, within its calls, who shall die."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Self

from crash import programs
from crash.lab import Driver, Lab
from crash.operations import Operation
from tests.scripted.cloud import Cloud

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
class ScriptedLab(Lab):
    """Its cloud goes with its folder."""

    @property
    def cloud(self) -> Cloud:
        """The cloud of this lab."""
        return Cloud(folder=self.mark)

    @property
    def secrets(self) -> tuple[str, ...]:
        """The passwords, and the tokens that the cloud makes."""
        return programs.SECRETS

    def things(self) -> dict[str, Any]:
        """The things of the folder."""
        return self.cloud.things()

    def calls(self) -> list[str]:
        """Remote calls in capitals, the engine's in small letters."""
        return self.cloud.calls()

    def points(self) -> list[str]:
        """Before and after every remote call and every call of the engine."""
        return self.cloud.points()

    def doomed(self, number: int, victims: str) -> Driver:
        """The provider is told by its environment."""
        return self.driver(MOORAGE_KILL_AT=str(number), MOORAGE_KILL=victims)

    def was_struck(self) -> bool:
        """The provider notes it before it strikes."""
        return (self.mark / "killed.log").exists()

    def begun_anew(self) -> Self:
        """The things and the calls stay."""
        for name in ("points.log", "killed.log"):
            (self.mark / name).unlink(missing_ok=True)
        return self
