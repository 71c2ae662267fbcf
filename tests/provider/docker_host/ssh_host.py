"""A real ssh server on loopback, whose Docker is an engine of the tests."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.docker.engine import Engine
from tests.e2e.checkout import free_port

SSHD: Final = shutil.which("sshd", path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin"]))
_UP_S: Final = 20.0


@dataclass(frozen=True, kw_only=True)
class SshHost:
    """The server, and the folder with what a user of it has at home."""

    folder: Path
    port: int

    @property
    def host(self) -> str:
        """As a spec names it."""
        return f"ssh://root@127.0.0.1:{self.port}"

    @property
    def path(self) -> str:
        """PATH with an ssh that has the user's own settings, and none of this machine's."""
        return os.pathsep.join([str(self.folder / "bin"), os.environ["PATH"]])

    def use_key(self, name: str) -> None:
        """The user's key: `right` is let in, `wrong` is not."""
        self._write("ssh_config", _CLIENT.format(folder=self.folder, key=name))

    def forget_host_key(self) -> None:
        """As a user who was never there."""
        self._write("known_hosts", "")

    def lead_to(self, docker_host: str) -> None:
        """Where Docker's engine is, for whoever comes by ssh."""
        self._write("docker_host", docker_host)

    def set_up(self, docker_host: str) -> None:
        """Keys, settings and the ssh that uses them."""
        for name in ("host", "right", "wrong"):
            key = str(self.folder / name)
            command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key]
            subprocess.run(command, check=True)
        public = (self.folder / "host.pub").read_text(encoding="utf-8")
        self._write("known_hosts", f"[127.0.0.1]:{self.port} {public}")
        self._write("sshd_config", _SERVER.format(folder=self.folder, port=self.port))
        self.lead_to(docker_host)
        (self.folder / "bin").mkdir()
        ssh = f'#!/bin/sh\nexec {shutil.which("ssh")} -F {self.folder}/ssh_config "$@"\n'
        self._write("bin/ssh", ssh)
        (self.folder / "bin/ssh").chmod(0o755)
        self.use_key("right")

    def _write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text, encoding="utf-8")


_SERVER: Final = """
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host
AuthorizedKeysFile {folder}/right.pub
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin yes
ForceCommand DOCKER_HOST=$(cat {folder}/docker_host) sh -c "$SSH_ORIGINAL_COMMAND"
"""
_CLIENT: Final = """
IdentityFile {folder}/{key}
IdentitiesOnly yes
IdentityAgent none
UserKnownHostsFile {folder}/known_hosts
GlobalKnownHostsFile none
"""


def unavailable() -> str | None:
    """Why no ssh server can run here; None where one can."""
    if SSHD is None or shutil.which("ssh") is None:
        return "needs an ssh server and client: Debian's openssh-server has both"
    return None if os.geteuid() == 0 else "needs to be root, to run an ssh server"


@contextmanager
def running(folder: Path, engine: Engine) -> Iterator[SshHost]:
    """The server, until it is needed no more."""
    Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # where it insists on locking itself in
    there = SshHost(folder=folder, port=free_port())
    there.set_up(engine.host)
    command = [str(SSHD), "-D", "-e", "-f", str(folder / "sshd_config")]
    with (folder / "log").open("wb") as log, subprocess.Popen(command, stderr=log) as server:
        try:
            _wait_for(folder / "log")
            yield there
        finally:
            server.terminate()


def _wait_for(log: Path) -> None:
    deadline_s = time.monotonic() + _UP_S
    while "listening" not in log.read_text(encoding="utf-8"):
        assert time.monotonic() < deadline_s, log.read_text(encoding="utf-8")
        time.sleep(0.02)
