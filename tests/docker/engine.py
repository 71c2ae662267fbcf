"""Docker engines of the tests' own: no container, image or network of anybody else is touched."""

from __future__ import annotations

import os
import re
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import docker

from tests.docker.place import Place, claimed

_CALL: Final = re.compile(r'msg="Calling ([A-Z]+ [^"]+)"')
_UP_S: Final = 60.0  # 1 s on an idle machine
_DOWN_S: Final = 60.0


@dataclass(frozen=True, kw_only=True)
class Engine:
    """A Docker engine that runs for a test, and how it is reached and spoilt."""

    place: Place
    client: docker.DockerClient

    @property
    def host(self) -> str:
        """What DOCKER_HOST and `docker:host` are set to."""
        return f"unix://{self.place.socket}"

    @property
    def environ(self) -> Mapping[str, str]:
        """What a process needs to find this engine where nothing else names one."""
        return {"DOCKER_HOST": self.host}

    def claim_gpus(self, count: int) -> None:
        """From now on the stand-in of NVIDIA's hook has so many GPUs to give."""
        self.place.gpus.write_text(str(count), encoding="utf-8")

    def calls(self) -> list[str]:
        """What was asked of it, such as `GET /v1.41/containers/json`, since it began."""
        log = self.place.log.read_text(encoding="utf-8", errors="replace")
        return _CALL.findall(log)

    def stop(self) -> None:
        """End the daemon as a person does who stops the service; its containers end with it."""
        os.kill(self._pid(), signal.SIGTERM)
        _wait(lambda: not self.place.pid_file.exists(), "the Docker engine does not stop")

    def start(self) -> None:
        """Start the daemon again, with all that it had."""
        self.place.start_wanted.touch()
        _wait(self._answers, "the Docker engine does not start again")

    def _pid(self) -> int:
        return int(self.place.pid_file.read_text(encoding="utf-8"))

    def _answers(self) -> bool:
        try:
            return bool(self.client.ping())
        except (docker.errors.APIError, OSError):
            return False


def unavailable() -> str | None:
    """Why this machine cannot run an engine for tests; None where it can."""
    if shutil.which("dockerd") is None:
        return "needs Docker's engine: install docker.io (`make test` does so on Debian, as root)"
    if os.geteuid() != 0:
        return "needs to be root, to run a Docker engine of its own"
    return None


@contextmanager
def running(*, gpus: int | None = None, disk_mib: int | None = None) -> Iterator[Engine]:
    """A Docker engine of its own; `gpus` has it believe in NVIDIA's runtime, with so many GPUs.

    `disk_mib` gives it a disk of that size instead of the machine's.
    """
    with claimed() as place:
        if gpus is not None:
            place.gpus.write_text(str(gpus), encoding="utf-8")
        with _kept(place, disk_mib), _connected(place) as engine:
            yield engine


@contextmanager
def _kept(place: Place, disk_mib: int | None) -> Iterator[None]:
    """The process that runs the daemon for us; it cleans up when our end of the pipe closes."""
    command = [sys.executable, "-m", "tests.docker.keeper", str(place.folder), str(disk_mib or 0)]
    keeper = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        pass_fds=[place.lock],
        start_new_session=True,
        cwd=Path(__file__).parents[2],
    )
    assert keeper.stdin is not None
    assert keeper.stdout is not None
    try:
        ready, _, _ = select.select([keeper.stdout], [], [], _UP_S)
        said = keeper.stdout.readline() if ready else place.last_words()
        assert said == "up\n", f"no Docker engine: {said}"
        yield
    finally:
        keeper.stdin.close()
        keeper.stdout.close()
        keeper.wait(_DOWN_S)


@contextmanager
def _connected(place: Place) -> Iterator[Engine]:
    client: Any = docker.DockerClient(base_url=f"unix://{place.socket}", timeout=30)
    try:
        yield Engine(place=place, client=client)
    finally:
        client.close()


def _wait(done: Any, message: str) -> None:
    deadline_s = time.monotonic() + _UP_S
    while not done():
        assert time.monotonic() < deadline_s, message
        time.sleep(0.02)
