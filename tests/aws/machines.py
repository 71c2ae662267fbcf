"""What runs on instances: the service of their user data, each on an address of loopback.

Files of the user data are laid out in a folder and its scripts are run as systemd would run them;
only `docker` and `aws` are stand-ins, for no machine of a test has images or GPUs.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import yaml

ROOT: Final = Path(__file__).parents[2]
_STAND_INS: Final = Path(__file__).parent / "bin"
# As systemd does it: what ends is started again, and an engine's end is told.
_FOREVER: Final = 'while "$@" || true; do [ $# = 1 ] || "$1" ended; sleep 0.3; done'
_DRAIN_S: Final = 10.0
_KNOWN: Final = ("LANG", "HOME")

Service = subprocess.Popen[bytes]


@dataclass(frozen=True, kw_only=True)
class Instance:
    """An instance as the cloud tells of it."""

    id: str
    address: str
    is_running: bool
    user_data: str


@dataclass(kw_only=True)
class Machines:
    """The machines of a cloud, which do what it says of its instances."""

    folder: Path
    environ: Mapping[str, str] = field(default_factory=dict)  # where a machine finds its cloud
    _running: dict[str, dict[str, Service]] = field(default_factory=dict)

    def follow(self, instances: Iterable[Instance]) -> None:
        """Start and end machines until they are as told."""
        wanted = {one.id: one for one in instances if one.is_running}
        for gone in self._running.keys() - wanted.keys():
            self._end(gone)
        for new in wanted.keys() - self._running.keys():
            self._running[new] = self._boot(wanted[new])

    def clear(self) -> None:
        """End them all."""
        self.follow(())

    def drain(self, instance_id: str) -> None:
        """End the engine of one once it is through with its requests, and leave the rest."""
        engine = self._running.get(instance_id, {}).pop("engine", None)
        if engine is not None:
            os.killpg(engine.pid, signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                engine.wait(_DRAIN_S)
            _end(engine)

    def log(self, instance_id: str) -> bytes:
        """What its engine has said, as the console of the instance shows it."""
        path = self.folder / instance_id / "engine.log"
        return path.read_bytes() if path.exists() else b""

    def _boot(self, instance: Instance) -> dict[str, Service]:
        """What the user data asks for at a first start, and systemd at every other."""
        root = self.folder / instance.id
        told = yaml.safe_load(instance.user_data) or {}
        for file in told.get("write_files", []):
            _write(root, file)
        units = [path.stem for path in root.glob("etc/systemd/system/moorage-*.service")]
        names = [unit.removeprefix("moorage-") for unit in units]
        return {name: self._service(root, instance, name) for name in names}

    def _service(self, root: Path, instance: Instance, name: str) -> Service:
        script = root / "usr/local/lib/moorage" / name
        words = ["start"] if name == "engine" else []
        with (root / f"{name}.log").open("ab") as log:
            return subprocess.Popen(
                ["bash", "-c", _FOREVER, "systemd", str(script), *words],
                env=self._environ(root, instance),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _environ(self, root: Path, instance: Instance) -> dict[str, str]:
        kept = {name: os.environ[name] for name in _KNOWN if name in os.environ}
        key = (root / "etc/moorage/key").read_text().strip()
        settings = (root / "etc/moorage/settings").read_text().splitlines()
        port = next(line.removeprefix("port=") for line in settings if line.startswith("port="))
        return {
            **kept,
            **self.environ,
            key.partition("=")[0]: key.partition("=")[2],
            "PATH": f"{_STAND_INS}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "MOORAGE_SETTINGS": str(root / "etc/moorage/settings"),
            "MOORAGE_HOME": str(root / "var/lib/moorage"),
            "MOORAGE_RUN": str(root),
            "MOORAGE_DISKS": str(root / "dev/disk"),
            "MOORAGE_PYTHON": sys.executable,
            "MOORAGE_ADDRESS": instance.address,
            "MOORAGE_INSTANCE": instance.id,
            "MOORAGE_IMDS": f"{self.environ.get('MOORAGE_CLOUD')}/_world/imds/{instance.id}",
            "MOORAGE_METRICS": f"http://{instance.address}:{port}/metrics",
        }

    def _end(self, instance_id: str) -> None:
        for service in self._running.pop(instance_id).values():
            _end(service)


def _end(service: Service) -> None:
    with suppress(ProcessLookupError):
        os.killpg(service.pid, signal.SIGKILL)
    service.wait()


def _write(root: Path, file: Mapping[str, str]) -> None:
    path = root / file["path"].lstrip("/")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(file["content"])
    path.chmod(int(file["permissions"], 8))
