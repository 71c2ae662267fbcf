"""What a host gives to a container, proven by one that cannot run and is thrown away at once.

Its entrypoint does not exist. Docker takes the port and the GPUs before it looks for it, so that
"no such file" means that both were given; nothing of the image has run, and nothing waits.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from moorage.provider.docker_host import labels
from moorage.provider.docker_host.engine import Container, Engine
from moorage.provider.docker_host.faults import Refusal
from moorage.provider.handler import State

_ENTRYPOINT: Final = "/moorage-proof"
_TAKEN: Final = re.compile(r"port is already allocated|address already in use", re.IGNORECASE)
_UNSTARTED: Final = re.compile(rf"{_ENTRYPOINT}.*(no such file|not found)", re.IGNORECASE)


class PortTaken(Refusal):
    """Somebody else listens there."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """What a container is to get; without a port none is asked for."""

    image: str
    device_ids: Sequence[str]
    address: str
    port: int | None


def prove(engine: Engine, inputs: State, asked: Asked) -> None:
    """Raises what Docker says instead, in one line."""
    what = _words(inputs, asked)
    id_ = engine.create(what, _settings(inputs, asked))
    try:
        engine.start(id_, what)
    except Refusal as refusal:
        if _TAKEN.search(refusal.says):
            raise PortTaken(str(refusal), says=refusal.says, status=refusal.status) from None
        if not _UNSTARTED.search(refusal.says):
            raise
    finally:
        engine.throw_away(id_)


def sweep(engine: Engine, inputs: State) -> list[Container]:
    """Throw away what a killed run has left of its proof; all the other containers of the host."""
    there = engine.containers()
    left = [one for one in there if _is_proof(one, inputs)]
    for one in left:
        engine.throw_away(one.id)
    return [one for one in there if one not in left]


def _is_proof(one: Container, inputs: State) -> bool:
    return labels.PROOF in one.labels and one.is_of(inputs["owner"], inputs["service"])


def _words(inputs: State, asked: Asked) -> str:
    gpus = f"GPU {', '.join(asked.device_ids)}" if asked.device_ids else ""
    port = f"port {asked.port} of {asked.address}" if asked.port is not None else ""
    return f"proving {' and '.join(filter(None, (gpus, port)))} for {inputs['service']}"


def _settings(inputs: State, asked: Asked) -> dict[str, Any]:
    marks = {labels.OWNER: inputs["owner"], labels.SERVICE: inputs["service"], labels.PROOF: "yes"}
    host: dict[str, Any] = {"NetworkMode": "none"} if asked.port is None else _published(asked)
    if asked.device_ids:
        gpus = {"Driver": "nvidia", "DeviceIDs": [*asked.device_ids], "Capabilities": [["gpu"]]}
        host["DeviceRequests"] = [gpus]
    return {
        "Image": asked.image,
        "Entrypoint": [_ENTRYPOINT],
        "Cmd": [],
        "Labels": marks,
        "ExposedPorts": {} if asked.port is None else {f"{asked.port}/tcp": {}},
        "HostConfig": host,
    }


def _published(asked: Asked) -> dict[str, Any]:
    binding = {"HostIp": asked.address, "HostPort": str(asked.port)}
    return {"PortBindings": {f"{asked.port}/tcp": [binding]}}
