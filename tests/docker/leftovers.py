"""What a Docker engine leaves when it is killed, found and cleared away."""

from __future__ import annotations

import ctypes
import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

import psutil

from tests.docker import bridges

_DETACH: Final = 2  # MNT_DETACH of umount(2)


def kill(folder: Path) -> None:
    """The daemon, its containerd, the shims and all containers, parents first."""
    for process in working_for(folder):
        with suppress(psutil.Error):
            for one in [process, *process.children(recursive=True)]:
                with suppress(psutil.Error):
                    one.kill()


def kill_containers(folder: Path) -> None:
    """The processes in containers only; the shims above them tell the daemon that they ended."""
    for process in working_for(folder):
        with suppress(psutil.Error):
            if "shim" in process.name():
                for one in process.children(recursive=True):
                    with suppress(psutil.Error):
                        one.kill()


def working_for(folder: Path) -> Iterator[psutil.Process]:
    """Every process of Docker whose command line names something in the folder."""
    mine = f"{folder}/"
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            words = process.cmdline()
            docker = words and Path(words[0]).name.startswith(("docker", "containerd"))
            if docker and any(mine in word for word in words):
                yield process


def unmount(folder: Path) -> None:
    """Everything that is mounted in the folder, the innermost first."""
    libc = ctypes.CDLL(None, use_errno=True)
    for point in reversed(_mounted(folder)):
        libc.umount2(os.fsencode(point), _DETACH)


def _mounted(folder: Path) -> list[str]:
    lines = Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()
    points = [line.split()[4] for line in lines]
    return [point for point in points if point.startswith(f"{folder}/")]


def remove_bridges(own: str, data: Path) -> None:
    """The engine's own bridge, and those of networks that somebody made there."""
    with suppress(OSError):
        known = (data / "network" / "files" / "local-kv.db").read_bytes()
        for name in bridges.there():
            if name.startswith("br-") and name.encode() in known:
                bridges.remove(name)
    bridges.remove(own)


def remove_cgroups(name: str) -> None:
    """The empty groups that killed containers leave in every hierarchy."""
    root = Path("/sys/fs/cgroup")
    for top in (root / name.strip("/"), *root.glob(f"*{name}")):
        if top.is_dir():
            for folder, _, _ in os.walk(top, topdown=False):
                with suppress(OSError):
                    Path(folder).rmdir()


def remove_files(folder: Path) -> None:
    """The folder; what a dying process still writes there is removed in a second try."""
    shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():
        unmount(folder)
        shutil.rmtree(folder)
