"""A declared container in the words of Docker's API."""

from __future__ import annotations

import re
from typing import Any, Final

from moorage.errors import MoorageError
from moorage.provider.handler import State
from tests.docker_plugin import daemon

_MIB: Final = 1024 * 1024
_UNITS_NS: Final = {"h": 3_600_000_000_000, "m": 60_000_000_000, "s": 10**9, "ms": 10**6}
_DURATION: Final = re.compile(r"([0-9.]+)(h|ms|m|s)")


def rendered(inputs: State) -> State:
    """What `POST /containers/create` takes."""
    ports = inputs.get("ports") or []
    config = {
        "Image": inputs["image"],
        "Cmd": inputs.get("command"),
        "Entrypoint": inputs.get("entrypoints"),
        "Env": inputs.get("envs"),
        "User": inputs.get("user"),
        "WorkingDir": inputs.get("workingDir"),
        "Hostname": inputs.get("hostname"),
        "Labels": daemon.labelled(inputs.get("labels")),
        "StopSignal": inputs.get("stopSignal"),
        "StopTimeout": inputs.get("stopTimeout"),
        "ExposedPorts": {_exposed(one): {} for one in ports},
        "Healthcheck": _health(inputs.get("healthcheck")),
        "HostConfig": _given(_host(inputs)),
    }
    return _given(config)


def duration_ns(text: str) -> int:
    """A duration as Go reads it."""
    return round(sum(float(number) * _UNITS_NS[unit] for number, unit in _DURATION.findall(text)))


def as_go(nanoseconds: int) -> str:
    """A duration as Go writes it, from whole seconds on: `90s` is told as `1m30s`."""
    seconds = nanoseconds // _UNITS_NS["s"]
    hours, minutes, rest = seconds // 3600, seconds // 60 % 60, seconds % 60
    return (
        f"{hours}h{minutes}m{rest}s" if hours else f"{minutes}m{rest}s" if minutes else f"{rest}s"
    )


def _host(inputs: State) -> State:
    capabilities = inputs.get("capabilities") or {}
    return {
        "AutoRemove": inputs["rm"],
        "Binds": [_bind(one) for one in inputs.get("volumes") or []],
        "CapAdd": capabilities.get("adds"),
        "CapDrop": capabilities.get("drops"),
        "DeviceRequests": _devices(inputs),
        "ExtraHosts": [f"{one['host']}:{one['ip']}" for one in inputs.get("hosts") or []],
        "GroupAdd": inputs.get("groupAdds"),
        "Init": inputs.get("init", False),
        "IpcMode": inputs.get("ipcMode"),
        "LogConfig": {"Type": inputs.get("logDriver", ""), "Config": inputs.get("logOpts") or {}},
        "Memory": inputs.get("memory", 0) * _MIB,
        "NetworkMode": inputs["networkMode"],
        "PortBindings": _bindings(inputs.get("ports") or []),
        "ReadonlyRootfs": inputs["readOnly"],
        "RestartPolicy": {
            "Name": inputs["restart"],
            "MaximumRetryCount": inputs.get("maxRetryCount", 0),
        },
        "Runtime": inputs.get("runtime"),
        "SecurityOpt": inputs.get("securityOpts"),
        "ShmSize": inputs.get("shmSize", 0) * _MIB,
        "Tmpfs": inputs.get("tmpfs"),
        "Ulimits": [
            {"Name": one["name"], "Soft": one["soft"], "Hard": one["hard"]}
            for one in inputs.get("ulimits") or []
        ],
    }


def _given(values: State) -> State:
    return {name: value for name, value in values.items() if value is not None}


def _devices(inputs: State) -> list[State]:
    if inputs.get("gpus") == "all":
        return [{"Count": -1, "Capabilities": [["gpu"]]}]
    if "gpus" in inputs:
        raise MoorageError("of `gpus` the stand-in knows `all` only; name them in device_requests")
    return [
        {
            "Driver": one["driver"],
            "Count": one["count"],
            "DeviceIDs": one.get("deviceIds") or [],
            "Capabilities": [one.get("capabilities") or []],
            "Options": one.get("options") or {},
        }
        for one in inputs.get("deviceRequests") or []
    ]


def _exposed(port: State) -> str:
    return f"{port['internal']}/{port['protocol']}"


def _bindings(ports: list[State]) -> State:
    bindings: dict[str, list[Any]] = {}
    for one in ports:
        bound = {"HostIp": one["ip"], "HostPort": str(one.get("external") or "")}
        bindings.setdefault(_exposed(one), []).append(bound)
    return bindings


def _bind(volume: State) -> str:
    source = volume.get("volumeName") or volume.get("hostPath")
    mode = "ro" if volume.get("readOnly") else "rw"
    return f"{source}:{volume['containerPath']}:{mode}"


def _health(declared: State | None) -> State | None:
    if not declared:
        return None
    return {
        "Test": declared.get("tests") or [],
        "Interval": duration_ns(declared["interval"]),
        "Timeout": duration_ns(declared["timeout"]),
        "StartPeriod": duration_ns(declared["startPeriod"]),
        "Retries": declared["retries"],
    }
