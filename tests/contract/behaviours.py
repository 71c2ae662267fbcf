"""What the twin claims of the real service, as its data file lists it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import yaml

import moorage.twin

FILE: Final = Path(moorage.twin.__file__).with_name("behaviours.yaml")
CONFIDENCES: Final = ("verified", "documented", "reported", "inferred")


@dataclass(frozen=True, kw_only=True, slots=True)
class Behaviour:
    """One claim; `unlive` says why it cannot be checked against the real service."""

    id: str
    what: str
    evidence: str
    confidence: str
    unlive: str = ""

    @property
    def is_live(self) -> bool:
        """Whether the real service can be asked."""
        return not self.unlive


@cache
def behaviours() -> tuple[Behaviour, ...]:
    """All of them, in the file's order."""
    rows = yaml.load(FILE.read_text("utf-8"), Loader=yaml.CSafeLoader)
    return tuple(Behaviour(**row) for row in rows)
