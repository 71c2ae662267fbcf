"""A world of GPU hosts: moto behind the proxy, every instance on loopback, two engines there."""

from __future__ import annotations

import json
import logging
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Final

import pytest

from moorage.provider.aws import cloud, host_end, host_wait
from moorage.provider.testing.client import Client, InitFailed, Refused
from moorage.provider.testing.stage import is_one_line
from moorage.provider.values import decode
from moorage.twin import serving
from moorage.twin.engine import app, conduct, orders
from moorage.twin.engine.seats import Seats
from tests.aws import gaps, proxy
from tests.aws.proxy import Answer, Call, Fault, Proxy

TOKEN: Final = "moorage:index:GpuHost"
REGION: Final = "eu-west-1"
NAME: Final = "chat-3f9a1c"
ID: Final = f"{REGION}/{NAME}"
OWNER: Final = "shop/prod/chat"
KEY: Final = "sk-of-the-engine"
SECRET: Final = "hf_of-the-user-and-secret"
KV_TOKENS: Final = 65_536
PROFILE: Final = "moorage-gpu"
_ENVIRONMENT: Final = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing-and-secret",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": "/nonexistent",
    "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
}
_PING: Final = {"model": "acme/chat", "messages": [{"role": "user", "content": "ping"}]}
_PRIVATE: Final = re.compile(rb"<privateIpAddress>[^<]*</privateIpAddress>")
_HERE: Final = b"<privateIpAddress>127.0.0.1</privateIpAddress>"


@dataclass(frozen=True, kw_only=True)
class Made:
    """What state knows of a host after a call."""

    id: str
    state: dict[str, Any] = field(repr=False)


@dataclass(kw_only=True)
class Cloud:
    """The account, what is in it, and the engines that its instances have."""

    proxy: Proxy
    port: int
    engine: app.Engine
    loading_port: int
    ami: str = ""
    subnets: tuple[str, ...] = ()

    @property
    def ec2(self) -> Any:
        """moto's memory of the region."""
        return gaps.backend(REGION)

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters of its Systems Manager."""
        found: dict[str, Any] = gaps.backend(REGION, "ssm")._parameters
        return found

    @property
    def live(self) -> list[Any]:
        """Its instances that have not ended."""
        return [one for one in gaps.instances(REGION) if gaps.is_live(one)]

    def inputs(self, **changes: Any) -> dict[str, Any]:
        """Inputs as a program gives them; None takes one away."""
        wanted = {
            "region": REGION,
            "name": NAME,
            "owner": OWNER,
            "instanceType": "g6.xlarge",
            "subnets": list(self.subnets[:2]),
            "ami": self.ami,
            "diskGib": 120,
            "instanceProfile": PROFILE,
            "allowFrom": ["10.0.0.0/16"],
            "userData": f"#cloud-config\n# {KEY}\n",
            "secrets": {"HF_TOKEN": SECRET},
            "port": self.port,
            "probe": {"path": "/v1/chat/completions", "body": json.dumps(_PING)},
            "key": KEY,
            "kv": {"tokens": KV_TOKENS, "tolerance": 0.05},
            "tags": {"team": "shop"},
            "readyTimeoutSeconds": 20,
        }
        return {name: one for name, one in {**wanted, **changes}.items() if one is not None}

    def left(self) -> dict[str, list[str]]:
        """Everything that is there by now, besides what was there before."""
        volumes = self.ec2.volumes.values()
        groups = [group for each in self.ec2.groups.values() for group in each.values()]
        found = {
            "instances": [one.id for one in self.live],
            "groups": [one.id for one in groups if one.name != "default"],
            "templates": list(self.ec2.launch_templates),
            "volumes": [one.id for one in volumes],
            "cards": list(self.ec2.enis),
            "secrets": list(self.parameters),
        }
        return {name: ids for name, ids in found.items() if ids}

    def clear(self) -> None:
        """Have nothing there again, and no fault."""
        self.proxy.faults.clear()
        for one in list(gaps.instances(REGION)):
            if gaps.is_live(one):
                one.terminate()
        self.ec2.reservations.clear()
        for each in self.ec2.groups.values():
            for group in [one for one in each.values() if one.name != "default"]:
                del each[group.id]
        for table in (self.ec2.launch_templates, self.ec2.launch_template_name_to_ids):
            table.clear()
        for table in (self.ec2.volumes, self.ec2.enis):
            table.clear()
        self.parameters.clear()
        self.engine.recover()


@contextmanager
def cloud_of_its_own() -> Iterator[Cloud]:
    """An account with a network, an image and a profile, as a user has them."""
    from moto.server import ThreadedMotoServer

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")
        server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
        logging.getLogger("werkzeug").setLevel("ERROR")
        server.start()
        host, port = server.get_host_and_port()
        _reset()
        try:
            with (
                proxy.serve(f"http://{host}:{port}") as front,
                _engine(is_loading=False) as (engine, url),
                _engine(is_loading=True) as (_, loading_url),
            ):
                made = Cloud(
                    proxy=front, port=_port(url), engine=engine, loading_port=_port(loading_url)
                )
                front.answers.append(_at_home)
                _furnish(made)
                yield made
        finally:
            server.stop()


def environment(made: Cloud) -> dict[str, str]:
    """What leads the handler there."""
    return {**_ENVIRONMENT, "AWS_ENDPOINT_URL": made.proxy.url}


def _engine(*, is_loading: bool) -> Any:
    @contextmanager
    def served() -> Iterator[tuple[app.Engine, str]]:
        order = orders.read(["serve", "acme/chat", "--api-key", KEY], {})
        ways = replace(conduct.read({}, order), kv_tokens=KV_TOKENS)
        engine = app.Engine(
            order=order, conduct=ways, seats=Seats(seats=4, queued=None), is_loading=is_loading
        )
        with serving.in_thread(app.make(engine), host="127.0.0.1", ports=[0]) as [url]:
            yield engine, url

    return served()


def _port(url: str) -> int:
    return int(url.rpartition(":")[2])


def _at_home(call: Call, answer: Answer) -> Answer:
    """Every instance is at 127.0.0.1."""
    if call.service != "ec2":
        return answer
    return replace(answer, body=_PRIVATE.sub(_HERE, answer.body))


def _reset() -> None:
    """What moto knows is of the process: a world before this one may have left something."""
    for service, place in (("ec2", REGION), ("ssm", REGION), ("iam", "aws")):
        gaps.backend(place, service).reset()


def _furnish(made: Cloud) -> None:
    import boto3

    session = boto3.session.Session("testing", "testing-and-secret", region_name=REGION)
    ec2 = session.client("ec2", endpoint_url=made.proxy.moto)
    iam = session.client("iam", endpoint_url=made.proxy.moto)
    disk = [{"DeviceName": "/dev/sda1", "Ebs": {"VolumeSize": 30}}]
    image = ec2.register_image(Name="gpus", RootDeviceName="/dev/sda1", BlockDeviceMappings=disk)
    iam.create_instance_profile(InstanceProfileName=PROFILE)
    subnets = sorted(ec2.describe_subnets()["Subnets"], key=lambda one: one["AvailabilityZone"])
    made.ami = image["ImageId"]
    made.subnets = tuple(one["SubnetId"] for one in subnets)


def hurry(patch: pytest.MonkeyPatch) -> None:
    """Let no pause be longer than moto needs; nothing else is changed."""
    patch.setattr(cloud, "_PAUSES_S", (0.01, 0.01, 0.01, 0.01))
    patch.setattr(cloud, "_LOOKS_S", (0.0, 0.01, 0.02))
    patch.setattr(host_wait, "_PAUSES_S", ())
    patch.setattr(host_wait, "_PAUSE_S", 0.02)
    patch.setattr(host_wait, "_SILENT_S", 0.01)
    patch.setattr(host_wait, "_GLANCE_S", 0.01)
    patch.setattr(host_end, "_PAUSES_S", ())
    patch.setattr(host_end, "_PAUSE_S", 0.02)


@dataclass(frozen=True, kw_only=True)
class World:
    """The account, and the provider that works on it as the engine would."""

    cloud: Cloud
    provider: Client

    def strike(self, **fault: Any) -> Fault:
        """A fault from now on."""
        struck = Fault(**fault)
        self.cloud.proxy.faults.append(struck)
        return struck

    def checked(self, **changes: Any) -> dict[str, Any]:
        """Inputs as the engine gives them."""
        answer, failures = self.provider.check(self.cloud.inputs(**changes))
        assert not failures, failures
        return answer.plain

    def create(self, **changes: Any) -> Made:
        answer = self.provider.create(self.checked(**changes))
        return Made(id=answer.id, state=decode(answer.properties).plain)

    def update(self, made: Made, **changes: Any) -> Made:
        answer = self.provider.update(made.id, made.state, self.checked(**changes))
        return Made(id=made.id, state=decode(answer.properties).plain)

    def read(self, made: Made, **changes: Any) -> Made | None:
        found = self.provider.read(made.id, made.state, self.checked(**changes))
        state = decode(found.properties).plain
        return Made(id=found.id, state=state) if found.HasField("properties") else None

    def drift(self, made: Made, **changes: Any) -> str:
        """What a refresh finds changed."""
        found = self.read(made, **changes)
        assert found is not None, "it was answered as absent"
        return str(found.state.get("drift") or "")

    def delete(self, made: Made) -> None:
        self.provider.delete(made.id, made.state)

    def failed(self, call: Callable[[], object]) -> tuple[str, Made | None]:
        """The line that a call ends with, and what is in state all the same."""
        with pytest.raises((Refused, InitFailed)) as caught:
            call()
        return told(caught.value)


def only(at: World) -> Any:
    """The one instance that is there."""
    [instance] = at.cloud.live
    return instance


def reason(instance: Any, code: str, message: str) -> None:
    """Have EC2 say why it is in its state."""
    instance.state_reason.code, instance.state_reason.message = code, message


def told(error: Exception) -> tuple[str, Made | None]:
    """The same of a call that has ended."""
    line = str(error)
    is_one_line(line)
    for secret in (KEY, SECRET, os.environ["AWS_SECRET_ACCESS_KEY"]):
        assert secret not in line, line
    if isinstance(error, InitFailed):
        return line, Made(id=error.id, state=error.properties.plain)
    return line, None
