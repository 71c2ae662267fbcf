"""A stand-in of NVIDIA's container hook: Docker believes in its runtime where one is on PATH.

Docker starts it before a container that asks for GPUs. It gives nothing, and refuses devices that
are not there in the words of nvidia-container-cli.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Final

from tests.docker import script

_NAME: Final = "nvidia-container-runtime-hook"


def install(folder: Path, gpus: Path) -> None:
    """Put it into a folder for PATH; `gpus` is the file that says how many there are."""
    call = f"refuse_unknown(Path({str(gpus)!r}))"
    script.write(folder / _NAME, refuse_unknown, _asked, call=call)


def refuse_unknown(gpus: Path) -> None:
    """End badly when the container asks for a GPU that is not there."""
    known = [str(number) for number in range(int(gpus.read_text(encoding="utf-8")))]
    for device in _asked(json.load(sys.stdin)):
        if device not in known and device != "all":
            sys.exit(f"nvidia-container-cli: device error: {device}: unknown device")


def _asked(state: dict[str, str]) -> list[str]:
    """The devices that Docker names in the container's environment."""
    config = json.loads(Path(state["bundle"], "config.json").read_text(encoding="utf-8"))
    told = dict(entry.split("=", 1) for entry in config["process"]["env"])
    return [one for one in told.get("NVIDIA_VISIBLE_DEVICES", "").split(",") if one]
