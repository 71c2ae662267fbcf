"""The driver of a lab: it is asked for operations, such as `up both`, and runs them."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

import pulumi

from crash import docker_programs, endpoint_programs, host_programs
from moorage.deploy import display
from moorage.deploy.driver import PLUGIN, Stack
from moorage.deploy.options import Options
from moorage.errors import MoorageError
from tests.scripted.resources import Berth, Thing

SCRIPTED: Final = (sys.executable, "-m", "tests.scripted")
SECRETS: Final = ("sk-password-of-a", "sk-password-of-b", "token-of-")  # never in plain on a disk


def _thing(**inputs: Any) -> Thing:
    return Thing("a", password=SECRETS[0], **inputs)


def _berth(**inputs: Any) -> Berth:
    return Berth("b", password=pulumi.Output.secret(SECRETS[1]), **inputs)


def _both(**inputs: Any) -> None:
    _berth(note=_thing(**inputs).url, **inputs)


PROGRAMS: Final[dict[str, Callable[[], object]]] = {
    **endpoint_programs.PROGRAMS,
    **host_programs.PROGRAMS,
    **docker_programs.PROGRAMS,
    "both": _both,
    "grown": lambda: _both(size=2),
    "thing": _thing,
    "thing elsewhere": lambda: _thing(zone="z2"),
    "berth": _berth,
    "berth elsewhere": lambda: _berth(zone="z2"),
}


_OURS: Final = (
    endpoint_programs.PROGRAMS.keys()
    | host_programs.PROGRAMS.keys()
    | docker_programs.PROGRAMS.keys()
)
# Docker's plugin looks at nothing twice, so that its calls are the same ones in every run.
_ONE_BY_ONE: Final = Options(parallel=1)


def _run(root: Path, operation: str, program: str) -> dict[str, Any]:
    def declare() -> None:
        PROGRAMS[program]()

    plugin = PLUGIN if program in _OURS else SCRIPTED
    shown = display.choose(sys.stderr, form="plain")
    stack = Stack(root=root, name="local", program=declare, plugin=plugin, display=shown)
    try:
        call = getattr(stack, operation)
        result = call(_ONE_BY_ONE) if program in docker_programs.PROGRAMS else call()
    except MoorageError as error:
        return {"code": int(error.exit_code), "fault": str(error)}
    except Exception:  # noqa: BLE001 (that is what is looked for)
        return {"code": 1, "fault": traceback.format_exc()}
    return {"code": 0, "changed": result.changed}


def serve(requests: Connection, project: Path, log: Path, environ: dict[str, str]) -> None:
    """Answer every request with what came of it; what is shown goes to the log."""
    os.environ.clear()
    os.environ.update({**environ, "MOORAGE_TEST_PROGRAM": str(os.getpid())})
    os.chdir(log.parent)
    os.dup2(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), sys.stderr.fileno())
    with suppress(EOFError):
        while True:
            operation, _, program = requests.recv().partition(" ")
            requests.send(_run(project, operation, program))
