"""The cache of CLI versions: asking a binary of 130 MB costs a quarter second each time."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

# A wrapper script may run another CLI tomorrow; a binary of this size stays what it is.
SMALLEST_BINARY_BYTES = 10_000_000


def recall(path: Path, environ: Mapping[str, str]) -> str | None:
    """The version that this very file told before."""
    said = _load(environ).get(_mark(path))
    return said if isinstance(said, str) else None


def keep(path: Path, said: str, environ: Mapping[str, str]) -> None:
    """Remember what a binary told; a cache that cannot be written is no fault."""
    mark = _mark(path)
    known = _load(environ)
    if not mark or known.get(mark) == said:
        return
    file = _file(environ)
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        draft = file.with_name(f"{file.name}.{os.getpid()}")
        draft.write_text(json.dumps({**known, mark: said}), encoding="utf-8")
        draft.replace(file)


def _mark(path: Path) -> str:
    try:
        stat = path.stat()
    except OSError:
        return ""
    if stat.st_size < SMALLEST_BINARY_BYTES:
        return ""
    return f"{path.resolve()}:{stat.st_size}:{stat.st_mtime_ns}"


def _load(environ: Mapping[str, str]) -> dict[str, object]:
    try:
        known = json.loads(_file(environ).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def _file(environ: Mapping[str, str]) -> Path:
    home = Path(environ.get("HOME", "~")).expanduser()
    return Path(environ.get("XDG_CACHE_HOME") or home / ".cache") / "moorage" / "pulumi-cli.json"
