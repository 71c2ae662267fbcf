"""The driver of a lab: `python -m crash.programs FOLDER` runs `operation program` per line."""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pulumi

from moorage.deploy import display
from moorage.deploy.driver import Stack
from moorage.errors import MoorageError
from tests.scripted.resources import Berth, Thing

PLUGIN: Final = (sys.executable, "-m", "tests.scripted")
SECRETS: Final = ("sk-password-of-a", "sk-password-of-b", "token-of-")  # never in plain on a disk


def _thing(**inputs: Any) -> Thing:
    return Thing("a", password=SECRETS[0], **inputs)


def _berth(**inputs: Any) -> Berth:
    return Berth("b", password=pulumi.Output.secret(SECRETS[1]), **inputs)


def _both(**inputs: Any) -> None:
    _berth(note=_thing(**inputs).url, **inputs)


PROGRAMS: Final[dict[str, Callable[[], object]]] = {
    "both": _both,
    "grown": lambda: _both(size=2),
    "thing": _thing,
    "thing elsewhere": lambda: _thing(zone="z2"),
    "berth": _berth,
    "berth elsewhere": lambda: _berth(zone="z2"),
}


def _run(root: Path, operation: str, program: str) -> dict[str, Any]:
    def declare() -> None:
        PROGRAMS[program]()

    shown = display.choose(sys.stderr, form="plain")
    stack = Stack(root=root, name="local", program=declare, plugin=PLUGIN, display=shown)
    try:
        result = getattr(stack, operation)()
    except MoorageError as error:
        return {"code": int(error.exit_code), "fault": str(error)}
    except Exception:  # noqa: BLE001 (that is what is looked for)
        return {"code": 1, "fault": traceback.format_exc()}
    return {"code": 0, "changed": result.changed}


def main(root: Path) -> None:
    """Answer every line with what came of it."""
    os.environ["MOORAGE_TEST_PROGRAM"] = str(os.getpid())
    for line in sys.stdin:
        operation, _, program = line.strip().partition(" ")
        print(json.dumps(_run(root, operation, program)), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
