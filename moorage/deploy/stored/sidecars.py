"""Pulumi's file backend keeps a `.attrs` file beside each of its files; a kill can leave it empty.

The file itself is replaced atomically, its sidecar is not (gocloud.dev/blob/fileblob, setAttrs):
every later run fails with "failed to load checkpoint: EOF". It holds a content type and a checksum
that nothing needs; without it the file reads as before.

A kill before the file itself is in its place leaves a draft, NAME.TIME.tmp, and Pulumi takes any
file in the folder of locks for a lock.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

DRAFT_S: Final = 2.0  # a lock is a line or two: whoever still writes it by then is dead
_GLANCE_S: Final = 0.05


def mend(folder: Path, project: str, stack: str) -> None:
    """Remove the broken sidecars of a stack's files in a backend's folder, and drafts of locks.

    Safe beside a run that is writing one: what it writes then is the same as none.
    """
    for draft in (folder / "locks" / "organization" / project / stack).glob("*.tmp"):
        _remove_dead(draft)
    for sidecar in _sidecars(folder, project, stack):
        if not _is_whole(sidecar):
            sidecar.unlink(missing_ok=True)


def _sidecars(folder: Path, project: str, stack: str) -> Iterator[Path]:
    yield from folder.glob("meta.yaml.attrs")
    yield from (folder / "stacks" / project).glob(f"{stack}.json*.attrs")
    yield from (folder / "locks" / "organization" / project / stack).glob("*.attrs")


def _remove_dead(draft: Path) -> None:
    """Remove a draft that nobody will put in its place, once that is sure."""
    with suppress(FileNotFoundError):
        written_s = draft.stat().st_mtime
        while draft.exists() and abs(time.time() - written_s) < DRAFT_S:
            time.sleep(_GLANCE_S)
        draft.unlink()


def _is_whole(sidecar: Path) -> bool:
    try:
        json.loads(sidecar.read_bytes())
    except FileNotFoundError:
        return True
    except ValueError:
        return False
    return True
