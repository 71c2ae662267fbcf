"""What a container is made with, as far as it follows from the plan alone; pure.

A change of anything here replaces the container, for Docker changes hardly anything in place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import pulumi_docker as docker

from components import engines
from components.engines import Server
from moorage.plan.types import Placement
from moorage.spec import units

LOOPBACK: Final = "127.0.0.1"

_MS_PER_SECOND: Final = 1000
_PATIENCE_SECONDS: Final = 15  # what Docker waits beyond an engine's own last words, until it kills
_SHM_MIB_PER_GPU: Final = 4096  # for the queues between processes; taken only as far as it is used
_MIB_PER_GIB: Final = 1024
_LOGS: Final = {"max-size": "50m", "max-file": "3"}
_LOCKED: Final = [  # pinned memory for transfers to GPUs, and room for their libraries' stacks
    {"name": "memlock", "soft": -1, "hard": -1},
    {"name": "stack", "soft": 67_108_864, "hard": 67_108_864},
]


def settings(placement: Placement, server: Server) -> dict[str, Any]:
    """Everything but its image, its name, its volumes, its place on the host and its secrets."""
    grace = server.shutdown_seconds + _PATIENCE_SECONDS
    found = {
        "entrypoints": list(server.entrypoint) or None,
        "command": list(server.args),
        "user": placement.options.get("user"),
        "ipc_mode": "host" if _shares_memory(placement) else None,
        "shm_size": _shm_mib(placement),
        "ulimits": _LOCKED if placement.device_ids else None,
        "healthcheck": _health(placement, server),
        "restart": "unless-stopped",
        "must_run": True,
        "wait": False,  # what stands behind it knows better when it serves, or that it never will
        "stop_timeout": grace,
        "destroy_grace_seconds": grace,
        "log_driver": "json-file",
        "log_opts": _LOGS,
        "security_opts": ["no-new-privileges:true"],
    }
    return {name: value for name, value in found.items() if value is not None}


def device_sets(placement: Placement) -> list[list[str]] | None:
    """The GPUs that the container may get: with blue-green two sets, which take turns."""
    if not placement.device_ids:
        return None
    spare = placement.options.get("spare_device_ids")
    return [list(placement.device_ids), *([list(spare)] if spare else [])]


def binds(placement: Placement) -> Iterator[docker.ContainerVolumeArgsDict]:
    """Folders of the host, which nobody writes to."""
    options = placement.options
    folders = dict(options.get("mounts", {}))
    if "weights_path" in options:
        folders[engines.LOCAL_WEIGHTS] = options["weights_path"]
    for inside, folder in sorted(folders.items()):
        yield {"container_path": inside, "host_path": folder, "read_only": True}


def address(placement: Placement) -> str:
    """The host's address that the engine's port is bound to."""
    return str(placement.options.get("address", LOOPBACK))


def is_blue_green(placement: Placement) -> bool:
    """Whether the new container serves before the old one goes."""
    return placement.options.get("on_change") == "blue-green"


def ready_seconds(placement: Placement) -> int:
    """How long the engine may take to serve."""
    return round(units.duration_ms(placement.options["ready_within"]) / _MS_PER_SECOND)


def secrets(placement: Placement) -> Mapping[str, str]:
    """The container's variables that are secret, each with the variable here that holds it."""
    found: Mapping[str, str] = placement.options.get("secrets", {})
    return found


def _shares_memory(placement: Placement) -> bool:
    return placement.options.get("ipc") == "host"


def _shm_mib(placement: Placement) -> int | None:
    if _shares_memory(placement):
        return None
    if "shm_gib" in placement.options:
        return round(float(placement.options["shm_gib"]) * _MIB_PER_GIB)
    return len(placement.device_ids) * _SHM_MIB_PER_GPU or None


def _health(placement: Placement, server: Server) -> dict[str, Any] | None:
    """For people who look at `docker ps`; nothing of ours believes it, as it cannot see a hang."""
    if not server.health_command:
        return None
    return {
        "tests": ["CMD", *server.health_command],
        "interval": "30s",
        "timeout": "10s",
        "retries": 3,
        "start_period": _as_docker_tells(ready_seconds(placement)),
    }


def _as_docker_tells(seconds: int) -> str:
    """The plugin reads `30m0s` back and compares texts: `1800s` would differ at every run."""
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    longest = [f"{hours}h"] if hours else []
    return "".join([*longest, *([f"{minutes}m"] if hours or minutes else []), f"{rest}s"])
