"""Deaths of CLI, program and provider, disks that fail, two runs at once: on scripted things."""

from __future__ import annotations

import argparse
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path
from typing import Final

from crash import sweep
from crash.operations import Stage
from crash.scripted import OPERATIONS, ScriptedLab
from crash.sweep import Sweep
from crash.ways import SHARED, WAYS

_SAMPLE: Final = ("create/provider/9", "replace/all/16")


def run(folder: Path, args: argparse.Namespace) -> tuple[int, int]:
    """Try the points; returns how many there were, and how many were clean."""
    stages = _stages(folder, sweep.environ(cheap=args.sample))

    def lend(operation: str, way: str) -> AbstractContextManager[Stage]:
        return nullcontext(stages[operation, way in SHARED])

    whole = Sweep(operations=OPERATIONS, ways=WAYS, sample=_SAMPLE, lend=lend)
    return sweep.run(whole, folder, args)


def _stages(folder: Path, environ: dict[str, str]) -> dict[tuple[str, bool], Stage]:
    """Every operation, on a backend of the checkout's own and on a shared one."""
    lab = partial(ScriptedLab, environ=environ)
    stages: dict[tuple[str, bool], Stage] = {}
    for name, operation in OPERATIONS.items():
        own = Stage(folder=folder / "own" / name, operation=operation, lab=lab)
        place, abroad = folder / "shared" / name, partial(lab, is_shared=True)
        shared = Stage(folder=place, operation=operation, lab=abroad, own=own)
        stages |= {(name, False): own, (name, True): shared}
    return stages
