"""The way from this machine to an engine on another one's loopback: an SSH tunnel."""

from __future__ import annotations

from typing import Final

import pulumi

from components.endpoint import Site
from moorage.resources import ContainerSlot, Process

SSH: Final = "ssh://"

_LOOPBACK: Final = "127.0.0.1"
_READY_SECONDS: Final = 60
_OPTIONS: Final = {
    "BatchMode": "yes",  # nobody is there to be asked
    "ConnectTimeout": "10",
    "ExitOnForwardFailure": "yes",
    "ServerAliveInterval": "15",
    "ServerAliveCountMax": "3",
}


def tunnel(
    name: str, host: str, site: Site, slot: ContainerSlot, opts: pulumi.ResourceOptions
) -> Process:
    """A tunnel to one container: while two stand, each has its own."""
    apart = pulumi.ResourceOptions(delete_before_replace=False)
    return Process(
        f"{name}-tunnel",
        directory=slot.name.apply(lambda container: site.directory(f"{name}-to-{container}")),
        owner=site.owner(f"{name}-tunnel"),
        command=slot.port.apply(lambda port: command(host, int(port))),
        ready={"timeout_seconds": _READY_SECONDS},
        opts=pulumi.ResourceOptions.merge(opts, apart),
    )


def command(host: str, port: int) -> list[str]:
    """From a port of this machine, which is chosen later, to a port of the host; pure."""
    where, _, ssh_port = host.removeprefix(SSH).partition(":")
    return [
        *("ssh", "-N", "-T"),
        *(word for name, value in _OPTIONS.items() for word in ("-o", f"{name}={value}")),
        *("-L", f"{_LOOPBACK}:{{port}}:{_LOOPBACK}:{port}"),
        *(("-p", ssh_port) if ssh_port else ()),
        where,
    ]
