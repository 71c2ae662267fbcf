"""Runs a Docker engine as long as its stdin is open: python -m tests.docker.keeper FOLDER DISK.

Whoever started it may be killed in any way; the pipe closes, and all of the engine is cleared
away. FOLDER is a claimed place, DISK the size of the engine's own disk in MiB, 0 for none.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

from tests.docker import bridges, gpu_hook, leftovers, limits
from tests.docker.place import Place, at, clear

_GLANCE_S: Final = 0.02
# No registry is ever reached: nothing listens on the discard port.
_NOWHERE: Final = {"HTTP_PROXY": "http://127.0.0.1:9", "HTTPS_PROXY": "http://127.0.0.1:9"}
_ENDS_S: Final = 3.0  # under a second on an idle machine; what is left then is killed


def main() -> int:
    """Keep the engine up until stdin ends."""
    folder, disk_mib = sys.argv[1:]
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # the pipe alone says when it is over
    place = at(Path(folder))
    try:
        _keep(place, int(disk_mib))
    finally:
        clear(place)
    return 0


def _keep(place: Place, disk_mib: int) -> None:
    if disk_mib:
        _mount_disk(place.folder / "data", disk_mib)
    bridges.make(place.bridge, place.address)
    place.settings.write_text('{"debug": true}', encoding="utf-8")  # so that every call is logged
    daemon = _start(place)
    try:
        if _comes_up(place, daemon):
            print("up", flush=True)
            daemon = _watch(place, daemon)
        else:
            print(place.last_words(), flush=True)
    finally:
        _end(place, daemon)


def _watch(place: Place, daemon: subprocess.Popen[bytes]) -> subprocess.Popen[bytes]:
    """Until the pipe closes; a daemon that was stopped is started again when that is wanted."""
    while not _is_over(_GLANCE_S * 5):
        daemon.poll()
        if place.start_wanted.exists():
            place.start_wanted.unlink()
            daemon = _start(place)
    return daemon


def _is_over(seconds: float) -> bool:
    ready, _, _ = select.select([sys.stdin], [], [], seconds)
    return bool(ready)


def _start(place: Place) -> subprocess.Popen[bytes]:
    with place.log.open("ab") as log:
        return subprocess.Popen(
            [*_command(place), *_runtime(place)],
            env={**os.environ, **_NOWHERE, "PATH": _path(place)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )


def _command(place: Place) -> list[str]:
    """A daemon that leaves the machine's firewall, forwarding and Docker's own bridge alone.

    Published ports are served by Docker's proxy, which needs none of them.
    """
    folder = place.folder
    return [
        *("dockerd", "--host", f"unix://{place.socket}", "--pidfile", str(place.pid_file)),
        *("--data-root", str(folder / "data"), "--exec-root", str(folder / "x")),
        *("--bridge", place.bridge),  # a --default-address-pool would have it remove docker0
        *("--iptables=false", "--ip-forward=false", "--ip-masq=false"),
        *("--cgroup-parent", place.cgroup, "--config-file", str(place.settings)),
    ]


def _runtime(place: Place) -> list[str]:
    if limits.may_be_raised():
        return []
    path = limits.install(place.programs)
    return ["--add-runtime", f"{limits.NAME}={path}", "--default-runtime", limits.NAME]


def _path(place: Place) -> str:
    """Where the daemon looks for programs: NVIDIA's hook is only there where it has GPUs."""
    path = os.environ.get("PATH", os.defpath)
    if not place.gpus.exists():
        return path
    gpu_hook.install(place.programs, place.gpus)
    return os.pathsep.join([str(place.programs), path])


def _mount_disk(folder: Path, size_mib: int) -> None:
    folder.mkdir()
    options = f"size={size_mib}m"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "moorage", folder], check=True)


def _comes_up(place: Place, daemon: subprocess.Popen[bytes]) -> bool:
    while daemon.poll() is None and not _is_over(_GLANCE_S):
        with socket.socket(socket.AF_UNIX) as client, suppress(OSError):
            client.connect(str(place.socket))
            client.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
            if b"200 OK" in client.recv(64):
                return True
    return False


def _end(place: Place, daemon: subprocess.Popen[bytes]) -> None:
    """End the daemon in an orderly way, with containers that are not asked for their wishes."""
    daemon.terminate()
    deadline_s = time.monotonic() + _ENDS_S
    while daemon.poll() is None and time.monotonic() < deadline_s:
        leftovers.kill_containers(place.folder)
        time.sleep(_GLANCE_S)


if __name__ == "__main__":
    sys.exit(main())
