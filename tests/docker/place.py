"""A folder, a bridge and a range of addresses for one Docker engine of the tests."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.docker import leftovers

_PLACES: Final = 200


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where an engine lives; whoever holds the lock on it may use it."""

    number: int
    folder: Path
    lock: int  # a file descriptor

    @property
    def socket(self) -> Path:
        """Where the engine listens; short, for the kernel takes no long ones."""
        return self.folder / "s"

    @property
    def pid_file(self) -> Path:
        """There while the daemon runs."""
        return self.folder / "pid"

    @property
    def gpus(self) -> Path:
        """How many GPUs the stand-in of NVIDIA's hook has; without it there is no such hook."""
        return self.folder / "gpus"

    @property
    def programs(self) -> Path:
        """Programs that the daemon starts and that are ours."""
        return self.folder / "bin"

    @property
    def start_wanted(self) -> Path:
        """Made by who wants a stopped daemon to be started again."""
        return self.folder / "start"

    @property
    def settings(self) -> Path:
        """The daemon's configuration file."""
        return self.folder / "daemon.json"

    @property
    def log(self) -> Path:
        """All that the daemon says."""
        return self.folder / "log"

    @property
    def bridge(self) -> str:
        """The network interface that containers are at."""
        return f"mrg-test{self.number}"

    @property
    def address(self) -> str:
        """The bridge's own, in a range that is kept for tests of networks (RFC 2544)."""
        return f"198.18.{self.number}.1"

    @property
    def cgroup(self) -> str:
        """Above the cgroups of all its containers."""
        return f"/moorage-test-{self.number}"

    def last_words(self) -> str:
        """The end of the daemon's log."""
        with suppress(OSError, IndexError):
            return self.log.read_text(encoding="utf-8").splitlines()[-1]
        return "it has not even been started"


@contextmanager
def claimed() -> Iterator[Place]:
    """A place that nobody uses; what a killed engine left there is cleared away first."""
    base = Path(tempfile.gettempdir()) / f"moorage-docker-{os.getuid()}"
    base.mkdir(mode=0o700, exist_ok=True)
    for number in range(1, _PLACES):
        lock = os.open(base / f"{number}.lock", os.O_CREAT | os.O_RDWR, 0o600)
        try:
            with suppress(BlockingIOError):
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                yield _cleared(Place(number=number, folder=base / str(number), lock=lock))
                return
        finally:
            os.close(lock)
    message = f"{_PLACES} Docker engines are running for tests in {base}"
    raise AssertionError(message)


def at(folder: Path) -> Place:
    """The place that a claimed folder is."""
    return Place(number=int(folder.name), folder=folder, lock=-1)


def _cleared(place: Place) -> Place:
    clear(place)
    place.folder.mkdir()
    return place


def clear(place: Place) -> None:
    """Leave nothing of an engine: no process, mount, bridge, cgroup or file."""
    leftovers.kill(place.folder)
    leftovers.unmount(place.folder)
    leftovers.remove_bridges(place.bridge, place.folder / "data")
    leftovers.remove_cgroups(place.cgroup)
    leftovers.remove_files(place.folder)
