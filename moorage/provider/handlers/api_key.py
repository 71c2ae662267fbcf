"""ApiKey: a random bearer key, the same until it is replaced."""

from __future__ import annotations

import os
import re
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Final

from moorage.errors import MoorageError
from moorage.provider.handler import Context, Created, Field, Found, Handler, Shape, State

_KEY_BYTES: Final = 24
_OURS: Final = re.compile(rf"(?P<prefix>.+)-[0-9a-f]{{{2 * _KEY_BYTES}}}")
_PREFIX: Final = "sk-moorage"

SHAPE: Final = Shape(
    doc="A random bearer key, the same until it is replaced.",
    inputs={
        "prefix": Field(
            kind="string",
            doc="What the key begins with.",
            default=_PREFIX,
            replaces=True,
        ),
    },
    outputs={
        "value": Field(kind="string", doc="The key.", required=True, secret=True, stable=True)
    },
    import_id="`env:NAME` or `file:PATH`, from where an existing key is read; never the key itself",
)


def create(inputs: State, context: Context) -> Created:  # noqa: ARG001
    """Draw a key; it exists in state only."""
    value = f"{inputs['prefix']}-{secrets.token_hex(_KEY_BYTES)}"
    return Created(id=_new_id(), state={**inputs, "value": value})


def read(id_: str, state: State, inputs: State, context: Context) -> Found | None:  # noqa: ARG001
    """State is all there is; a key that exists elsewhere comes in by where it lies.

    Pulumi keeps the id that was given to import in plain, so it never is the key, nor made of it.
    """
    if state:
        return Found(state=state, inputs=inputs)
    value = _lying(id_)
    if not value:
        return None
    ours = _OURS.fullmatch(value)
    declared = {"prefix": ours["prefix"] if ours else _PREFIX}
    return Found(id=_new_id(), state={**declared, "value": value}, inputs=declared)


def delete(id_: str, state: State, context: Context) -> None:
    """Nothing is left once state forgets it."""


def _new_id() -> str:
    return secrets.token_hex(8)


def _lying(where: str) -> str | None:
    kind, _, name = where.partition(":")
    if kind == "env" and name:
        return os.environ.get(name, "").strip()
    if kind == "file" and name:
        with suppress(FileNotFoundError):
            return _text(Path(name)).strip()
        return None
    message = f"{where}: a key is imported as env:NAME or file:PATH, from where it is read"
    raise MoorageError(message)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        message = f"{path}: cannot read the key: {reason}"
        raise MoorageError(message) from None


HANDLER: Final = Handler(
    shape=SHAPE,
    create=create,
    read=read,
    delete=delete,
)
