"""The stand-in as a plugin: `python -m tests.docker_plugin`."""

from __future__ import annotations

import asyncio
from typing import Any

import grpc

from moorage.errors import MoorageError
from moorage.provider import plugin
from moorage.provider.package import Package
from moorage.provider.servicer import Provider
from moorage.provider.shape import Field
from moorage.provider.values import UNKNOWN, decode
from tests.docker_plugin import container, daemon, image, network, volume

_REGISTRY = Field(
    kind="object",
    doc="A registry and who we are there.",
    fields={
        "address": Field(kind="string", doc="Its address.", required=True),
        "username": Field(kind="string", doc="Our name."),
        "password": Field(kind="string", doc="Our password.", secret=True),
        "configFile": Field(kind="string", doc="Docker's own configuration, which has logins."),
    },
)
PACKAGE = Package(
    name="docker",
    version="5.2.0",
    description="A stand-in of Pulumi's docker plugin for tests",
    handlers={
        "docker:index/container:Container": container.HANDLER,
        "docker:index/network:Network": network.HANDLER,
        "docker:index/remoteImage:RemoteImage": image.HANDLER,
        "docker:index/volume:Volume": volume.HANDLER,
    },
    config={
        "host": Field(kind="string", doc="Where the daemon listens."),
        "sshOpts": Field(kind="list", doc="More options of ssh."),
        "registryAuth": Field(kind="list", doc="Who we are for registries.", items=_REGISTRY),
    },
)


class Docker(Provider):
    """Asks the daemon whether it is there before anything else, as the real one does."""

    async def Configure(self, request: Any, context: Any) -> Any:  # noqa: N802
        """A daemon that does not answer fails even a preview; one behind ssh is not asked yet."""
        answer = await super().Configure(request, context)
        config = decode(request.args).plain
        host = config.get("host")
        if host is not UNKNOWN and not str(host).startswith("ssh://"):
            try:
                await asyncio.to_thread(daemon.ping, config)
            except MoorageError as error:
                await context.abort(grpc.StatusCode.UNKNOWN, str(error))
        return answer


if __name__ == "__main__":
    plugin.main(PACKAGE, servicer=Docker)
