"""Editions of the scripted provider: what a package may have become between two runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from moorage.provider.handler import Field, Handler, Shape
from tests.scripted.thing import BERTH, THING, Kind


def handlers(**shapes: Shape) -> Mapping[str, Handler]:
    """The handlers of a package with these types."""
    return {f"moorage:index:{name}": Kind(shape=one).handler() for name, one in shapes.items()}


COLOUR = Field(kind="string", doc="What it looks like.", default="grey")
NEWER = replace(THING, inputs={**THING.inputs, "colour": COLOUR})
LEANER = replace(THING, inputs={k: one for k, one in THING.inputs.items() if k != "note"})

EDITIONS: Mapping[str, Mapping[str, Handler]] = {
    "": handlers(Thing=THING, Berth=BERTH),
    "with a colour": handlers(Thing=NEWER, Berth=BERTH),
    "without the note": handlers(Thing=LEANER, Berth=BERTH),
    "without berths": handlers(Thing=THING),
}
