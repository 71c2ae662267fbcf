"""A runtime for machines that may not raise limits: containers get what the machine itself has.

Engines with GPUs ask for pinned memory without limit, which a root without CAP_SYS_RESOURCE, as in
many sandboxes, cannot give to anybody.
"""

from __future__ import annotations

import json
import os
import resource
from pathlib import Path
from typing import Final

from tests.docker import script

NAME: Final = "runc-within-limits"


def may_be_raised() -> bool:
    """Whether this process can have any limit that it likes."""
    _, hard = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    try:
        resource.setrlimit(resource.RLIMIT_MEMLOCK, (resource.RLIM_INFINITY,) * 2)
    except (PermissionError, ValueError):
        return False
    resource.setrlimit(resource.RLIMIT_MEMLOCK, (hard, hard))
    return True


def install(folder: Path) -> Path:
    """Put the runtime into a folder; where it is."""
    path = folder / NAME
    script.write(path, run_within_limits, _lowered, call="run_within_limits(sys.argv)")
    return path


def run_within_limits(words: list[str]) -> None:
    """Start runc for a container whose limits are none that we cannot give."""
    if "--bundle" in words:
        path = Path(words[words.index("--bundle") + 1], "config.json")
        config = json.loads(path.read_text(encoding="utf-8"))
        asked = config["process"].get("rlimits", [])
        config["process"]["rlimits"] = [_lowered(one) for one in asked]
        path.write_text(json.dumps(config), encoding="utf-8")
    os.execvp("runc", ["runc", *words[1:]])


def _lowered(limit: dict[str, int]) -> dict[str, int]:
    """A limit within our own hard one; the kernel's word for none is the greatest number."""
    _, hard = resource.getrlimit(getattr(resource, str(limit["type"])))
    most = hard if hard != resource.RLIM_INFINITY else limit["hard"]
    return {**limit, "hard": min(limit["hard"], most), "soft": min(limit["soft"], most)}
