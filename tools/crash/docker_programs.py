"""Programs that declare containers on a Docker host, of the parts that placements are made of."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pulumi

from components import containers
from components.endpoint import Site
from moorage.resources import ContainerSlot, EngineReady
from tests.docker import image, rootfs
from tests.provider.docker_host.harbour import HUB_TOKEN, KEY, MODEL, PORT, SERVER

HOST: Final = "MOORAGE_TEST_DOCKER"  # every worker has one for itself
SECRETS: Final = (KEY, HUB_TOKEN)


def _host() -> tuple[containers.Host, Site]:
    site = Site(root=Path.cwd(), project="demo", stack="local")
    return containers.host(os.environ[HOST], site), site


def _served(*, digest: str = "a", blue_green: bool = False) -> None:
    at, site = _host()
    made_of = containers.image(at, f"{image.NAME}:1", site)
    kept = containers.volume(at, "chat", "cache", site)
    slot = ContainerSlot(
        "chat-slot",
        host=at.address,
        owner=site.owner("chat"),
        service="demo-chat",
        digest=digest,
        image=made_of,
        devices=[["0"], ["1"]] if blue_green else [["0"]],
        blue_green=blue_green,
    )
    made = containers.container(
        "chat",
        slot,
        at=at,
        settings={
            "image": made_of,
            "entrypoints": [rootfs.INTERPRETER, "-u", "-c", SERVER],
            "command": ["0"],
            "envs": pulumi.Output.secret([f"HF_TOKEN={HUB_TOKEN}", f"API_KEY={KEY}"]),
            "ports": [{"internal": PORT, "external": slot.port, "ip": "127.0.0.1"}],
            "volumes": [{"volume_name": kept.name, "container_path": "/cache"}],
            "device_requests": [
                {"driver": "nvidia", "device_ids": slot.device_ids, "capabilities": ["gpu"]}
            ],
            "restart": "unless-stopped",
            "must_run": True,
            "wait": False,
            "stop_signal": "SIGKILL",
        },
        labels={
            "moorage.owner": site.owner("chat"),
            "moorage.service": slot.service,
            "moorage.digest": digest,
        },
        opts=pulumi.ResourceOptions(delete_before_replace=not blue_green),
    )
    EngineReady(
        "chat-ready",
        host=at.address,
        owner=site.owner("chat"),
        container=made.name,
        container_id=made.id,
        url=slot.port.apply(lambda port: f"http://127.0.0.1:{port}"),
        key=pulumi.Output.secret(KEY),
        probe={"path": "/v1/chat/completions", "body": f'{{"model": "{MODEL}"}}'},
        blue_green=blue_green,
        ready_timeout_seconds=60,
    )


PROGRAMS: Final[dict[str, Callable[[], object]]] = {
    "served": _served,
    "served otherwise": lambda: _served(digest="b"),
    "served blue": lambda: _served(blue_green=True),
    "served green": lambda: _served(blue_green=True, digest="b"),
    "host alone": _host,
}
