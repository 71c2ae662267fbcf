"""Our plugin, started while there is still something else to do, for a run that only looks.

The engine would start one for what stands and then one for the program, and wait for each. A
preview has nothing under way that could outlive it, so nothing depends on who ends its plugin.
"""

from __future__ import annotations

import os
import select
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cached_property
from typing import Final

from moorage.deploy.stored.snapshot import Deployment, resources
from moorage.errors import GOES_ON

ATTACHED: Final = "PULUMI_DEBUG_PROVIDERS"  # where the engine is told of plugins that run already
_NAME: Final = "moorage"
_STARTS_S: Final = 10.0
_ENDS_S: Final = 2.0


class Beside:
    """A plugin that runs already; without a process, none: the engine starts its plugins itself."""

    def __init__(self, process: subprocess.Popen[bytes] | None = None) -> None:
        self._process = process

    def expect(self, standing: Deployment) -> None:
        """Tell it, once, the types that it will be asked about: it loads what it needs for them."""
        if self._process is None or self._process.stdin is None or self._process.stdin.closed:
            return
        types = sorted({one["type"] for one in resources(standing)})
        with suppress(OSError), self._process.stdin as told:  # it has ended: the engine will see
            told.write(" ".join(types).encode())

    @cached_property
    def settings(self) -> Mapping[str, str]:
        """By what the engine finds it; nothing where it did not start."""
        if self._process is None or self._process.stdout is None:
            return {}
        told, _, _ = select.select([self._process.stdout], [], [], _STARTS_S)
        port = self._process.stdout.readline().decode().strip() if told else ""
        return {ATTACHED: f"{_NAME}:{port}"} if port.isdigit() else {}


@contextmanager
def plugin(command: Sequence[str], *, goes_on: bool) -> Iterator[Beside]:
    """The plugin that a command starts, for as long as it is needed.

    `goes_on` is whether what does not answer is taken to be as it was. Nothing is started where
    somebody attaches a plugin of their own.
    """
    if os.environ.get(ATTACHED):
        yield Beside()
        return
    with subprocess.Popen(
        [*command, f"--beside={os.getpid()}"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # the engine starts it once more where it fails, and tells why
        env={**os.environ, **({GOES_ON: "1"} if goes_on else {})},
        start_new_session=True,  # a Ctrl-C is for the CLI, which passes it on
    ) as process:
        try:
            yield Beside(process)
        finally:
            _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_ENDS_S)
    except subprocess.TimeoutExpired:
        process.kill()
