"""A Docker host and EC2 behind one gateway: each takes over from the other."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from tests.aws.world import environment, live
from tests.docker.engine import Engine
from tests.e2e.checkout import ask
from tests.e2e.clouds import Cloud
from tests.e2e.docked import SPEC, DockedStack, a_docked_stack

# One worker after another: containers of all their engines publish ports of this one machine.
pytestmark = [pytest.mark.engine, pytest.mark.slow, pytest.mark.xdist_group("docked")]

_KV_TOKENS = "170000"  # what the plan has proven for an instance, and a little more
_EC2 = {
    "kind": "ec2-gpu",
    "region": "eu-north-1",
    "instance": "g6e.xlarge",
    "public_address": False,
}


@pytest.fixture
def both(
    docker_engine: Engine, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[DockedStack, Cloud]]:
    with (
        live(tmp_path_factory.mktemp("aws")) as (world, url),
        a_docked_stack(
            tmp_path_factory.mktemp("hosts"), [docker_engine], name="hosts", gpu="nvidia-l4"
        ) as docked,
    ):
        manners = {"MOORAGE_TWIN_KV_TOKENS": _KV_TOKENS}
        world.machines.environ = {**world.machines.environ, **manners}
        _add_instance(docked.checkout.root / SPEC)
        known = {**docked.checkout.environ, **environment(url)}
        checkout = dataclasses.replace(docked.checkout, environ=known)
        yield dataclasses.replace(docked, checkout=checkout), Cloud(world=world, url=url)


def _add_instance(path: Path) -> None:
    spec = yaml.safe_load(path.read_text(encoding="utf-8"))
    spec["providers"].append(_EC2)
    spec["budget"] = {"monthly_usd": 3500}
    path.write_text(yaml.safe_dump(spec, sort_keys=False), encoding="utf-8")


def becomes(wanted: str, asked: Callable[[], str]) -> bool:
    """Whether another one answers soon, and nobody gets anything but an answer meanwhile."""
    end_s = time.monotonic() + 30
    while time.monotonic() < end_s:
        if asked() == wanted:
            return True
    return False


@pytest.mark.thorough
def test_each_takes_over_from_the_other(both: tuple[DockedStack, Cloud]) -> None:
    stack, cloud = both
    stack.fine("up")
    service = stack.outputs()

    def asked() -> str:
        answer = ask(service)
        assert answer.status_code == 200, answer.text
        return answer.headers["x-moorage-backend"]

    assert asked() == "docker-host-1"
    stack.the_container().stop(timeout=0)
    assert becomes("ec2-gpu-2", asked)
    stack.fine("up")
    assert becomes("docker-host-1", asked)
    cloud.client().stop_instances(InstanceIds=[cloud.the_instance("ec2-gpu-2")["InstanceId"]])
    assert asked() == "docker-host-1"
    stack.fine("up")
    assert cloud.the_instance("ec2-gpu-2")["State"]["Name"] == "running"
    stack.fine("destroy")
    assert not cloud.left()
    assert not stack.containers()
