"""ApiKey: a random bearer key, the same until it is replaced."""

from __future__ import annotations

import secrets
from typing import Final

from moorage.errors import MoorageError
from moorage.provider.handler import Context, Created, Field, Found, Handler, Shape, State

_KEY_BYTES: Final = 24

SHAPE: Final = Shape(
    doc="A random bearer key, the same until it is replaced.",
    inputs={
        "prefix": Field(
            kind="string",
            doc="What the key begins with.",
            default="sk-moorage",
            replaces=True,
        ),
    },
    outputs={
        "value": Field(kind="string", doc="The key.", required=True, secret=True, stable=True)
    },
)


def create(inputs: State, context: Context) -> Created:  # noqa: ARG001
    """Draw a key; it exists in state only."""
    value = f"{inputs['prefix']}-{secrets.token_hex(_KEY_BYTES)}"
    return Created(id=secrets.token_hex(8), state={**inputs, "value": value})


def read(id_: str, state: State, inputs: State, context: Context) -> Found | None:  # noqa: ARG001
    """State is all there is."""
    if not state:
        message = f"{id_}: a key cannot be imported, it exists in state only; declare a new one"
        raise MoorageError(message)
    return Found(state=state, inputs=inputs)


def delete(id_: str, state: State, context: Context) -> None:
    """Nothing is left once state forgets it."""


HANDLER: Final = Handler(
    shape=SHAPE,
    create=create,
    read=read,
    delete=delete,
)
