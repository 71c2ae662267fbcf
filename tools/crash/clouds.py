"""Labs whose cloud is a region of the tests' EC2: it kills, at its requests, who shall die.

A region stays while one lab after another uses it; each lab begins with what it was left with.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from copy import deepcopy
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final, Self

from aiohttp import web

from crash.host_programs import PROFILE, SECRETS
from crash.live import Live, LiveLab
from moorage.twin.serving import open_doors
from tests.aws import gaps
from tests.aws.machines import Instance, Machines
from tests.aws.proxy import call_of
from tests.aws.world import World, environment, made

_PORT: Final = 8000
_HOST: Final = "moorage-host"  # the tag that names a host
_PARAMETERS: Final = "/moorage/"


class _Engine(BaseHTTPRequestHandler):
    """One that serves at once."""

    def do_GET(self) -> None:
        body = b'{"data": [{"id": "tiny"}]}'
        self.send_response(200 if self.path == "/v1/models" else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


class _Server(ThreadingHTTPServer):
    def handle_error(self, *_: object) -> None:
        """An asker that was killed."""


@dataclass(kw_only=True)
class Answering(Machines):
    """Machines that do nothing but answer: what is tried is how they are bought and ended."""

    _open: dict[str, _Server] = field(default_factory=dict)

    def follow(self, instances: Iterable[Instance]) -> None:
        """Listen where an instance runs, and nowhere else."""
        wanted = {one.id: one for one in instances if one.is_running}
        for gone in self._open.keys() - wanted.keys():
            server = self._open.pop(gone)
            server.shutdown()
            server.server_close()
        for new in wanted.keys() - self._open.keys():
            server = _Server((wanted[new].address, _PORT), _Engine)
            threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
            self._open[new] = server


@dataclass(frozen=True, kw_only=True)
class Kept:
    """What a lab was left with, and what was called until then."""

    region: Any  # moto's own
    parameters: dict[str, Any]
    asked: dict[str, Any]
    answers: dict[str, bytes]
    calls: tuple[str, ...] = ()


@dataclass(kw_only=True)
class LiveCloud(Live):
    """A region that is listened to, and counts the points at which somebody may die."""

    world: World
    region: str
    url: str = ""

    @property
    def _parameters(self) -> dict[str, Any]:
        found: dict[str, Any] = _backends("ssm")[self.region]._parameters  # noqa: SLF001
        return found

    def kept(self) -> Kept:
        """How it is now."""
        memory = self.world.proxy.gaps
        return Kept(
            region=deepcopy(_backends("ec2")[self.region]),
            parameters={name: deepcopy(one) for name, one in self._parameters.items()},
            asked=dict(memory._asked),  # noqa: SLF001  of the same house
            answers=dict(memory._answers),  # noqa: SLF001
            calls=tuple(self.calls),
        )

    def restore(self, kept: Kept) -> None:
        """Be as it was left, with no point passed."""
        _backends("ec2")[self.region] = deepcopy(kept.region)
        self._parameters.clear()
        self._parameters.update(deepcopy(kept.parameters))
        memory = self.world.proxy.gaps
        memory._asked, memory._answers = dict(kept.asked), dict(kept.answers)  # noqa: SLF001
        self.begin(kept.calls)
        self.world.follow()

    def things(self) -> dict[str, Any]:
        """What there is of every host, by its id."""
        found: dict[str, Any] = defaultdict(lambda: defaultdict(list))
        region = gaps.backend(self.region)
        for instance in gaps.instances(self.region):
            if gaps.is_live(instance):
                told = (instance.state, instance.instance_type, instance.lifecycle)
                self._of(found, instance)["instances"].append(told)
        for template in region.launch_templates.values():
            self._of(found, template)["templates"].append(template.name)
        for groups in region.groups.values():
            for group in groups.values():
                if group.name != "default":
                    rules = sorted(str(rule.ip_range) for rule in group.ingress_rules)
                    self._of(found, group)["groups"].append(rules)
        for volume in region.volumes.values():
            self._of(found, volume)["volumes"].append(volume.encrypted)
        for name in self._parameters:
            if name.startswith(_PARAMETERS):
                host = f"{self.region}/{name.split('/')[2]}"
                found[host]["parameters"].append(name)
        return {host: dict(parts) for host, parts in found.items()}

    def _of(self, found: dict[str, Any], thing: Any) -> Any:
        tags = {tag["key"]: tag["value"] for tag in thing.get_tags()}
        return found[f"{self.region}/{tags.get(_HOST, 'nobody')}"]

    @web.middleware
    async def watch(self, request: web.Request, handler: Any) -> web.StreamResponse:
        """Answer a request, with points before and after; a write has one within."""
        call = call_of(dict(request.headers), await request.read())
        before = self._alive()
        if self.is_asker_dead(f"before {call.action}"):
            return _unanswered(request)
        answer: web.StreamResponse = await handler(request)
        self._note(before)
        if call.is_write and self.is_asker_dead(f"within {call.action}"):
            return _unanswered(request)
        with suppress(ConnectionError):
            await answer.prepare(request)
            await answer.write_eof()
        self.is_asker_dead(f"after {call.action}")
        return answer

    def _alive(self) -> dict[str, str]:
        live = [one for one in gaps.instances(self.region) if gaps.is_live(one)]
        return {one.id: next(iter(self._of(defaultdict(str), one)), "") or one.id for one in live}

    def _note(self, before: dict[str, str]) -> None:
        now = self._alive()
        self.calls += [f"POST {now[one]}" for one in now.keys() - before.keys()]
        self.calls += [f"DELETE {before[one]}" for one in before.keys() - now.keys()]


@dataclass(frozen=True, kw_only=True)
class HostLab(LiveLab):
    """A lab on a region that is lent to it."""

    live: LiveCloud
    kept: Kept

    @classmethod
    def empty(cls, *, folder: Path, environ: dict[str, str], cloud: LiveCloud, kept: Kept) -> Self:
        """One without hosts."""
        cloud.restore(kept)
        return cls(folder=folder, environ=environ, live=cloud, kept=kept)

    @property
    def secrets(self) -> tuple[str, ...]:
        """What is in user data and in the parameter store."""
        return SECRETS

    @property
    def changing(self) -> tuple[str, ...]:
        """What another instance is told by."""
        return "instanceId", "privateIp", "url", "publicIp"

    def things(self) -> dict[str, Any]:
        """What there is of every host."""
        return self.live.things()

    def copied(self, folder: Path) -> Self:
        """The region is lent to the copy."""
        self.live.restore(self.kept)
        return super().copied(folder)


@contextmanager
def live_cloud(folder: Path, region: str) -> Iterator[LiveCloud]:
    """A region that is listened to while the block runs."""
    with made(folder, Answering(folder=folder)) as world:
        cloud, door = LiveCloud(world=world, region=region), world.door()
        world.regions.add(region)
        door.app.middlewares.insert(0, cloud.watch)
        with open_doors([door]) as [url]:
            world.listens_at(url)
            cloud.url = url
            _furnish(url, region)
            yield cloud


def _furnish(url: str, region: str) -> None:
    """What is there before anybody deploys: a role for instances, and the default network."""
    import boto3

    known = environment(url)
    keys = {
        "aws_access_key_id": known["AWS_ACCESS_KEY_ID"],
        "aws_secret_access_key": known["AWS_SECRET_ACCESS_KEY"],
    }
    iam = boto3.client("iam", region_name=region, endpoint_url=url, **keys)
    with suppress(iam.exceptions.EntityAlreadyExistsException):
        iam.create_instance_profile(InstanceProfileName=PROFILE)
    boto3.client("ec2", region_name=region, endpoint_url=url, **keys).describe_subnets()


def _backends(service: str) -> Any:
    from moto.backends import get_backend

    return get_backend(service)[gaps.ACCOUNT]  # type: ignore[call-overload]


def _unanswered(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()
