"""Disks that are full or cannot be written, where the machine lets us mount one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final

_INSIDE: Final = "MOORAGE_CRASH_MOUNTS"
_SIZE: Final = "8m"
_PART: Final = 4096


def enter() -> None:
    """Start this program anew where its mounts are its own and end with it, if that may be."""
    if _INSIDE in os.environ:
        return
    flags = "-m" if os.getuid() == 0 else "-rm"
    probe = f"mount -t tmpfs -o size={_SIZE} tmpfs /mnt"
    unshare = shutil.which("unshare")
    if unshare is None or not _works(unshare, flags, "sh", "-c", probe):
        return
    words = [unshare, flags, sys.executable, *sys.orig_argv[1:]]
    os.execve(unshare, words, {**os.environ, _INSIDE: "yes"})  # noqa: S606 (no shell is wanted)


def may() -> bool:
    """Whether this process can mount."""
    return _INSIDE in os.environ


def small(folder: Path) -> None:
    """Put the folder on a small disk of its own."""
    kept = folder.with_name(folder.name + ".kept")
    folder.rename(kept)
    folder.mkdir(mode=0o700)
    _mount("-t", "tmpfs", "-o", f"size={_SIZE},mode=700", "tmpfs", str(folder))
    shutil.copytree(kept, folder, dirs_exist_ok=True)
    shutil.rmtree(kept)


def fill(folder: Path) -> None:
    """Leave no room on the folder's disk."""
    path = folder / "ballast"
    with suppress(OSError), path.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(_PART))


def freeze(folder: Path) -> None:
    """Let nobody write into the folder from now on."""
    _mount("--bind", str(folder), str(folder))
    _mount("-o", "remount,bind,ro", str(folder))


def thaw(folder: Path) -> None:
    """Let it be written again."""
    _run("umount", "--lazy", str(folder))


def keep(folder: Path) -> None:
    """Take the small disk away and leave its files for a look."""
    kept = folder.with_name(folder.name + ".kept")
    shutil.copytree(folder, kept)
    _run("umount", "--lazy", str(folder))
    folder.rmdir()
    kept.rename(folder)


def _mount(*words: str) -> None:
    _run("mount", *words)


def _run(*words: str) -> None:
    subprocess.run(words, check=True, capture_output=True)


def _works(*words: str) -> bool:
    return subprocess.run(words, check=False, capture_output=True).returncode == 0
