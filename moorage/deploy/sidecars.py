"""Pulumi's file backend keeps a `.attrs` file beside each of its files; a kill can leave it empty.

The file itself is replaced atomically, its sidecar is not (gocloud.dev/blob/fileblob, setAttrs):
every later run fails with "failed to load checkpoint: EOF". It holds a content type and a checksum
that nothing needs; without it the file reads as before.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path


def mend(folder: Path, project: str, stack: str) -> None:
    """Remove the broken sidecars of a stack's files in a backend's folder.

    Safe beside a run that is writing one: what it writes then is the same as none.
    """
    for sidecar in _sidecars(folder, project, stack):
        if not _is_whole(sidecar):
            sidecar.unlink(missing_ok=True)


def _sidecars(folder: Path, project: str, stack: str) -> Iterator[Path]:
    yield from folder.glob("meta.yaml.attrs")
    yield from (folder / "stacks" / project).glob(f"{stack}.json*.attrs")
    yield from (folder / "locks" / "organization" / project / stack).glob("*.attrs")


def _is_whole(sidecar: Path) -> bool:
    try:
        json.loads(sidecar.read_bytes())
    except FileNotFoundError:
        return True
    except ValueError:
        return False
    return True
