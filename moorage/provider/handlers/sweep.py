"""What every record has lost: the processes of a stack that no state knows of any more.

After a destroy the driver asks for it, with the folder of the stack's processes and the owner tag
that they share; each one taken away is one JSON line `{"id"}`.
"""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from typing import IO, Final

from moorage.provider.handler import Context
from moorage.provider.handlers import berth, process

_LIMIT_S: Final = 60.0


def main(folder: Path, owner_prefix: str, answers: IO[str]) -> int:
    """Take away what lies in the folder and bears the tag; leave everything else."""
    for directory in sorted(folder.iterdir()) if folder.is_dir() else []:
        owner = berth.owner_of(directory)
        if owner.startswith(owner_prefix):
            process.delete(str(directory), {"owner": owner}, _context())
            print(json.dumps({"id": str(directory)}), file=answers, flush=True)
    return 0


def _context() -> Context:
    return Context(
        urn="",
        deadline_s=time.monotonic() + _LIMIT_S,
        cancelled=threading.Event(),
        log=lambda _severity, _text, _ephemeral: None,
    )
