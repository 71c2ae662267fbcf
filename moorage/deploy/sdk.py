"""Pulumi's SDK in this process, less what is done over and over for nobody."""

from __future__ import annotations

import asyncio
import warnings
from typing import Any, Final

import pulumi
from pulumi.runtime.settings import SETTINGS

from moorage.deploy.events import DECLARED

_debug: Final = pulumi.log.debug


def quiet() -> None:
    """Mute its warnings of a killed CLI's stream, and of events newer than itself; and its chat.

    They come from a thread that may outlive the operation, so this holds until the process ends.
    """
    for start in ("Error in event stream", "Failed to parse engine event"):
        warnings.filterwarnings("ignore", start, UserWarning)
    pulumi.log.debug = _said


async def settled() -> None:
    """Wait, once, until all is known of what a program has declared, or something of it has failed.

    The SDK waits so, too, and looks through all that it waits for at each thing that is known.
    """
    while outputs := set(SETTINGS.outputs):
        known, _ = await asyncio.wait(outputs, return_when=asyncio.FIRST_EXCEPTION)
        if any(one.cancelled() or one.exception() is not None for one in known):
            return


def _said(msg: str, *more: Any, **named: Any) -> None:
    """Each word to a debugger is a call to the engine, and an event of it: four to a resource."""
    if msg.startswith(DECLARED):
        _debug(msg, *more, **named)
