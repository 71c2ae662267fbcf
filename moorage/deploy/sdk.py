"""Pulumi's SDK in this process, less what is done over and over for nobody."""

from __future__ import annotations

import asyncio
import re
import warnings
from collections.abc import Callable
from typing import Any, Final

import pulumi
from pulumi.runtime.settings import SETTINGS

from moorage.deploy.events import Registered

# The only trace of a resource that waits for another one: what is said of it to a debugger.
_REGISTERING: Final = re.compile(
    r"registering resource: ty=(?P<kind>\S+), name=(?P<name>.*), custom="
)


def quiet(tell: Callable[[Registered], None]) -> None:
    """Mute its warnings of a killed CLI's stream, and of events newer than itself; and its chat.

    What that says of resources is told here: each word would be a call to the engine, for which
    the program waits, and an event of it, five to a resource.

    They come from a thread that may outlive the operation, so this holds until the process ends.
    """
    for start in ("Error in event stream", "Failed to parse engine event"):
        warnings.filterwarnings("ignore", start, UserWarning)

    def debug(msg: str, *_more: Any, **_named: Any) -> None:
        if declared := _REGISTERING.match(msg):
            tell(Registered(kind=declared["kind"], name=declared["name"]))

    pulumi.log.debug = debug


async def settled() -> None:
    """Wait, once, until all is known of what a program has declared, or something of it has failed.

    The SDK waits so, too, and looks through all that it waits for at each thing that is known.
    """
    while outputs := set(SETTINGS.outputs):
        known, _ = await asyncio.wait(outputs, return_when=asyncio.FIRST_EXCEPTION)
        if any(one.cancelled() or one.exception() is not None for one in known):
            return
