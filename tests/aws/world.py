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
import logging
import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from aiohttp import web

from moorage.twin.process import exports
from moorage.twin.serving import Door, as_process, open_doors
from tests.aws import gaps
from tests.aws.machines import Instance, Machines
from tests.aws.proxy import Answer, Call, Proxy, call_of

CREDENTIALS: Final = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing-and-secret",
    "AWS_EC2_METADATA_DISABLED": "true",
}
IMAGES: Final = "/aws/service/deeplearning/"  # Amazon's public parameters, which moto lacks

_MOTOS: Final = b"172.31."  # its default network
_NETWORKS: Final = range(16, 250)  # 127.N.0.0/16: a world has one for itself
_LOG_BYTES: Final = 4000


@dataclass(kw_only=True)
class World:
    """An account, its machines, and the network that they are in."""

    proxy: Proxy
    network: int
    machines: Machines
    regions: set[str] = field(default_factory=set)  # that were asked
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
        for region in self.regions:
            yield from gaps.instances(region)

    def follow(self) -> None:
        """Let the machines be as their instances are."""
        self.machines.follow(map(self._told, self.instances()))

    def _told(self, instance: Any) -> Instance:
        address = instance.private_ip or ""
        return Instance(
            id=instance.id,
            address=_translated(address.encode(), self.network).decode(),
            is_running=instance.is_running(),
            user_data=_decoded(instance.user_data),
        )

    async def _relay(self, request: web.Request) -> web.Response:
        body, headers = await request.read(), dict(request.headers)
        del headers["Content-Length"]  # the body may be filled in
        call = call_of(headers, body)
        self.regions |= {call.region} if call.service == "ec2" else set()
        answer = self._answered(call) or await asyncio.to_thread(
            self.proxy.answer, call, request.raw_path, headers
        )
        self.follow()
        if answer is None:
            return _dropped(request)
        text = _translated(answer.body, self.network)
        return web.Response(status=answer.status, body=text, headers={"Content-Type": answer.kind})

    def _answered(self, call: Call) -> Answer | None:
        """What moto would answer with a text of its own, or not at all."""
        if call.action == "GetParameter" and call.form["Name"].startswith(IMAGES):
            return _image(call.region, call.form["Name"])
        if call.action == "GetConsoleOutput":
            return self._console(call.form["InstanceId"])
        return None

    def _console(self, instance_id: str) -> Answer:
        text = self.machines.log(instance_id)[-_LOG_BYTES:].decode(errors="replace")
        return Answer(status=200, body=gaps.console(instance_id, text))

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
def made(folder: Path, machines: Machines | None = None) -> Iterator[World]:
    """A world that nobody can ask yet; no machine of it is left."""
    from moto.server import ThreadedMotoServer

    with ExitStack() as kept:
        network = kept.enter_context(_network())
        logging.getLogger("werkzeug").setLevel(logging.ERROR)  # it tells of every request
        server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
        server.start()
        kept.callback(server.stop)
        host, port = server.get_host_and_port()
        proxy = Proxy(moto=f"http://{host}:{port}")
        machines = machines or Machines(folder=folder, environ=_manners())
        kept.callback(machines.clear)
        yield World(proxy=proxy, network=network, machines=machines)


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


def _image(region: str, name: str) -> Answer:
    """Any of the images that moto has."""
    image = next(iter(gaps.backend(region).amis))
    parameter = {"Name": name, "Type": "String", "Value": image, "Version": 1}
    text = json.dumps({"Parameter": parameter}).encode()
    return Answer(status=200, body=text, kind="application/x-amz-json-1.1")


def _decoded(user_data: Any) -> str:
    """moto has it in its own wrapping, as text, or as the text of its base64."""
    if not isinstance(user_data, str):
        return str(user_data.decode()) if user_data else ""
    return user_data if user_data.startswith("#") else base64.b64decode(user_data).decode()


def _dropped(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


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
