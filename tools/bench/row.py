"""A row: the resource of the provider's bench, served by our framework; it only echoes."""

from __future__ import annotations

import time
from typing import Final

from moorage.provider import plugin
from moorage.provider.handler import Context, Created, Found, Handler, State
from moorage.provider.schema import Package
from moorage.provider.shape import TEXT, Field, Shape

_TEXT: Final = Field(kind="string", doc="A text.")
SHAPE: Final = Shape(
    doc="A row.",
    inputs={
        "name": Field(kind="string", doc="Its name.", required=True, replaces=True),
        "sleep": Field(kind="number", doc="How long its create blocks, in seconds.", default=0),
        "pause": Field(kind="number", doc="How long its create waits, in seconds.", default=0),
        "region": Field(kind="string", doc="Where.", choices=("eu", "us")),
        "size": Field(kind="integer", doc="How large.", least=1),
        "public": Field(kind="boolean", doc="For everybody."),
        "tags": Field(kind="map", doc="Labels.", items=TEXT),
        "words": Field(kind="list", doc="Words.", items=TEXT),
        "ready": Field(
            kind="object",
            doc="What proves that it serves.",
            fields={"path": _TEXT, "seconds": Field(kind="number", doc="For how long.")},
        ),
        "note": _TEXT,
    },
    outputs={},
)


def create(inputs: State, context: Context) -> Created:
    """Block or wait as long as is asked, and echo."""
    if inputs["sleep"]:
        time.sleep(inputs["sleep"])
    if inputs["pause"]:
        context.pause(inputs["pause"])
    return Created(id=inputs["name"], state=inputs)


def read(id_: str, state: State, inputs: State, context: Context) -> Found | None:  # noqa: ARG001
    """It is as it was."""
    return Found(state=state, inputs=inputs)


def update(id_: str, state: State, inputs: State, context: Context) -> State:  # noqa: ARG001
    """Echo."""
    return inputs


def delete(id_: str, state: State, context: Context) -> None:
    """There is nothing."""


HANDLER: Final = Handler(shape=SHAPE, create=create, read=read, update=update, delete=delete)
PACKAGE: Final = Package(
    name="moorage", version="0.1.0", description="Rows.", handlers={"moorage:index:Row": HANDLER}
)

if __name__ == "__main__":
    plugin.main(PACKAGE)
