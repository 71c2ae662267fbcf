"""EC2 as a process of this machine: moto's account, and a machine on loopback for each instance.

`python -m tests.aws.world` prints what to export; then `moorage up --stack ec2` buys instances
whose engines answer. What moto tells of its network is told as one of 127.0.0.0/8, so that the
address of an instance is one that can be asked. `/_world/…` is for what no caller of AWS can do: a
machine that shuts itself down, an instance that is taken back.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import os
import shutil
import socket
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import aiohttp
from aiohttp import web

from moorage.twin.process import exports
from moorage.twin.serving import Door, as_process, open_doors
from tests.aws.machines import Instance, Machines

ACCOUNT: Final = "123456789012"  # moto's own
CREDENTIALS: Final = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing-and-secret",
    "AWS_EC2_METADATA_DISABLED": "true",
}
IMAGES: Final = "/aws/service/deeplearning/"  # Amazon's public parameters, which moto lacks

_MOTOS: Final = b"172.31."  # its default network
_NETWORKS: Final = range(16, 250)  # 127.N.0.0/16: a world has one for itself
_HOP: Final = ("connection", "content-length", "transfer-encoding", "host", "content-encoding")
_OUTPUT: Final = (
    "<GetConsoleOutputResponse><instanceId>{id}</instanceId>"
    "<output>{text}</output></GetConsoleOutputResponse>"
)
_LOG_BYTES: Final = 4000


@dataclass(kw_only=True)
class World:
    """An account, its machines, and the network that they are in."""

    moto: str
    network: int
    machines: Machines
    taken_back: set[str] = field(default_factory=set)

    def door(self, port: int = 0) -> Door:
        """Where AWS is asked."""
        app = web.Application(client_max_size=1 << 24)
        app.router.add_post("/_world/shutdown/{id}", self._shutdown)
        app.router.add_post("/_world/interrupt/{id}", self._interrupt)
        app.router.add_post("/_world/drained/{id}", self._drained)
        app.router.add_route("*", "/_world/imds/{id}/{path:.*}", self._metadata)
        app.router.add_route("*", "/{path:.*}", self._relay)
        return Door(app=app, host="127.0.0.1", ports=(port,))

    def listens_at(self, url: str) -> None:
        """Machines ask for their own secrets there, and tell of themselves."""
        self.machines.environ = {**self.machines.environ, **environment(url), "MOORAGE_CLOUD": url}

    def instances(self) -> Iterator[Any]:
        """Every instance of every region, as moto has it."""
        from moto.ec2.models import ec2_backends

        for region in list(ec2_backends[ACCOUNT].values()):
            for reservation in list(region.reservations.values()):
                yield from reservation.instances

    def follow(self) -> None:
        """Let the machines be as their instances are."""
        self.machines.follow(map(self._told, self.instances()))

    def _told(self, instance: Any) -> Instance:
        address = instance.private_ip or ""
        return Instance(
            id=instance.id,
            address=_translated(address.encode(), self.network).decode(),
            is_running=instance.is_running(),
            user_data=instance.user_data.decode() if instance.user_data else "",
        )

    async def _relay(self, request: web.Request) -> web.Response:
        body = await request.read()
        answer = self._answered(request.headers, body) or await self._of_moto(request, body)
        self.follow()
        return answer

    def _answered(self, headers: Mapping[str, str], body: bytes) -> web.Response | None:
        """What moto would answer with a text of its own, or not at all."""
        if headers.get("X-Amz-Target") == "AmazonSSM.GetParameter":
            name = json.loads(body)["Name"]
            return _image(name) if name.startswith(IMAGES) else None
        words = dict(part.partition(b"=")[::2] for part in body.split(b"&"))
        if words.get(b"Action") == b"GetConsoleOutput":
            return self._console(words[b"InstanceId"].decode())
        return None

    async def _of_moto(self, request: web.Request, body: bytes) -> web.Response:
        headers = {
            name: value for name, value in request.headers.items() if name.lower() not in _HOP
        }
        url = f"{self.moto}{request.raw_path}"
        async with (
            aiohttp.ClientSession(auto_decompress=True) as session,
            session.request(request.method, url, data=body, headers=headers) as answer,
        ):
            told = {
                name: value for name, value in answer.headers.items() if name.lower() not in _HOP
            }
            text = _translated(await answer.read(), self.network)
            return web.Response(status=answer.status, headers=told, body=text)

    def _console(self, instance_id: str) -> web.Response:
        text = base64.b64encode(self.machines.log(instance_id)[-_LOG_BYTES:]).decode()
        said = _OUTPUT.format(id=instance_id, text=text)
        return web.Response(text=said, content_type="text/xml")

    # --- what only the inside of a cloud can do

    async def _shutdown(self, request: web.Request) -> web.Response:
        """A machine shuts itself down; the instance stops, or is gone, as it was asked for."""
        instance = self._named(request)
        if instance.instance_initiated_shutdown_behavior == "terminate":
            instance.terminate()
        else:
            instance.stop()
        word = "Client.InstanceInitiatedShutdown"
        instance.state_reason.code = word
        instance.state_reason.message = f"{word}: Instance initiated shutdown"
        self.follow()
        return web.Response()

    async def _interrupt(self, request: web.Request) -> web.Response:
        """Amazon wants a spot instance back: it has a notice, and then is gone."""
        instance = self._named(request)
        self.taken_back.add(instance.id)
        after_s = float(request.query.get("after_s", "120"))
        asyncio.get_running_loop().call_later(after_s, self._reclaim, instance)
        return web.Response()

    def _reclaim(self, instance: Any) -> None:
        instance.terminate()
        word = "Server.SpotInstanceTermination"
        instance.state_reason.code = word
        instance.state_reason.message = f"{word}: Spot instance termination"
        self.follow()

    async def _drained(self, request: web.Request) -> web.Response:
        """A machine has stopped its engine, and does not start it again."""
        await asyncio.to_thread(self.machines.drain, request.match_info["id"])
        return web.Response()

    async def _metadata(self, request: web.Request) -> web.Response:
        """The metadata that a machine asks for, by version 2 only."""
        path = request.match_info["path"]
        if request.method == "PUT" and path == "latest/api/token":
            return web.Response(text="token")
        if request.headers.get("X-aws-ec2-metadata-token") != "token":
            return web.Response(status=401)
        if request.match_info["id"] in self.taken_back and path.endswith("/instance-action"):
            return web.json_response({"action": "terminate"})
        return web.Response(status=404)

    def _named(self, request: web.Request) -> Any:
        wanted = request.match_info["id"]
        return next(one for one in self.instances() if one.id == wanted)


def environment(url: str) -> dict[str, str]:
    """What a caller of this world needs."""
    return {"AWS_ENDPOINT_URL": url, **CREDENTIALS}


@contextmanager
def made(folder: Path) -> Iterator[World]:
    """A world that nobody can ask yet; no machine of it is left."""
    from moto.server import ThreadedMotoServer

    with ExitStack() as kept:
        network = kept.enter_context(_network())
        server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
        server.start()
        kept.callback(server.stop)
        host, port = server.get_host_and_port()
        machines = Machines(folder=folder, environ=_manners())
        kept.callback(machines.clear)
        yield World(moto=f"http://{host}:{port}", network=network, machines=machines)


@contextmanager
def live(folder: Path) -> Iterator[tuple[World, str]]:
    """A world that listens while the block runs, and its address."""
    with made(folder) as world, open_doors([world.door()]) as [url]:
        world.listens_at(url)
        yield world, url


def _translated(text: bytes, network: int) -> bytes:
    return text.replace(_MOTOS, b"127.%d." % network)


@contextmanager
def _network() -> Iterator[int]:
    """One that no other world has: a socket on it is held."""
    for number in _NETWORKS:
        with suppress(OSError), socket.create_server((f"127.{number}.255.254", 9)):
            yield number
            return
    raise RuntimeError("every network of this machine is in use")


def _image(name: str) -> web.Response:
    """Any of the images that moto has."""
    from moto.ec2.models import ec2_backends

    image = next(iter(ec2_backends[ACCOUNT]["us-east-1"].amis))
    parameter = {"Name": name, "Type": "String", "Value": image, "Version": 1}
    return web.json_response({"Parameter": parameter}, content_type="application/x-amz-json-1.1")


def _manners() -> dict[str, str]:
    """How engines behave, as whoever starts the world wants it; scripts look often."""
    told = {name: value for name, value in os.environ.items() if name.startswith("MOORAGE_TWIN_")}
    return {"MOORAGE_EVERY_S": "0.2", **told}


def main() -> None:
    """Be the world until a signal."""
    parser = argparse.ArgumentParser(prog="python -m tests.aws.world", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="where AWS is asked (a free one)")
    args = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="moorage-aws-"))

    try:
        with made(folder) as world:

            def announce(urls: list[str]) -> None:
                world.listens_at(urls[0])
                print(exports(environment(urls[0])))
                print("# the world is ready", flush=True)

            as_process([world.door(args.port)], announce=announce)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
