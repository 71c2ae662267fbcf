"""Pulumi's SDK in this process, less what is done over and over for nobody."""

from __future__ import annotations

import asyncio
import re
import sys
import traceback
import warnings
from collections.abc import Callable
from types import FrameType
from typing import Any, Final

import pulumi
from pulumi.runtime import resource
from pulumi.runtime.proto import source_pb2
from pulumi.runtime.settings import SETTINGS

from moorage.deploy.events import Registered

# The only trace of a resource that waits for another one: what is said of it to a debugger.
_REGISTERING: Final = re.compile(
    r"registering resource: ty=(?P<kind>\S+), name=(?P<name>.*), custom="
)

_CONSTRUCTORS: Final = 3


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
    resource._get_stack_trace = _declared_at  # noqa: SLF001


def _declared_at() -> source_pb2.StackTrace:
    """Where a resource is declared, which the state keeps; the SDK tells every frame beyond, too.

    That is what calls the third `__init__` from here: of Resource, of CustomResource or
    ComponentResource, and of the resource itself.
    """
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001
    depth = 0
    while frame is not None and depth < _CONSTRUCTORS:
        depth += frame.f_code.co_name == "__init__"
        frame = frame.f_back
    if frame is None:
        return source_pb2.StackTrace()
    code = frame.f_code
    told = traceback.FrameSummary(code.co_filename, frame.f_lineno, code.co_name, lookup_line=False)
    position = resource._get_source_position_for_frame(told)  # noqa: SLF001
    return source_pb2.StackTrace(frames=[source_pb2.StackFrame(pc=position)])


async def settled() -> None:
    """Wait, once, until all is known of what a program has declared, or something of it has failed.

    The SDK waits so, too, and looks through all that it waits for at each thing that is known.
    """
    while outputs := set(SETTINGS.outputs):
        known, _ = await asyncio.wait(outputs, return_when=asyncio.FIRST_EXCEPTION)
        if any(one.cancelled() or one.exception() is not None for one in known):
            return
