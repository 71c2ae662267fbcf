"""The tests' EC2: an instance is a machine whose engine answers, for as long as it runs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from components import cloud_init
from components.cloud_init import Instance
from components.engines import Server
from tests.aws.world import CREDENTIALS, IMAGES, World, live

pytestmark = [pytest.mark.slow]

KEY = "key-of-the-engine"
SERVER = Server(
    args=("acme/tiny", "--max-model-len", "512", "--port", "8000"),
    key_variable="VLLM_API_KEY",
    model="acme/tiny",
)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, str]]:
    with live(tmp_path_factory.mktemp("aws")) as found:
        yield found


@pytest.fixture(scope="module")
def client(world: tuple[World, str]) -> Callable[[str], Any]:
    import boto3

    def made(service: str) -> Any:
        known = {
            "aws_access_key_id": CREDENTIALS["AWS_ACCESS_KEY_ID"],
            "aws_secret_access_key": CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        }
        return boto3.client(service, region_name="eu-north-1", endpoint_url=world[1], **known)

    return made


def run(ec2: Any, ssm: Any, **said: Any) -> str:
    subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
    name = f"{IMAGES}ami/x86_64/base/latest/ami-id"
    instance = Instance(
        region="eu-north-1", image="vllm/vllm-openai:v0.33.0", server=SERVER, **said
    )
    answer = ec2.run_instances(
        ImageId=ssm.get_parameter(Name=name)["Parameter"]["Value"],
        InstanceType="g6e.xlarge",
        MinCount=1,
        MaxCount=1,
        SubnetId=subnet,
        UserData=cloud_init.render(instance, key=KEY),
    )
    return str(answer["Instances"][0]["InstanceId"])


def told(ec2: Any, instance_id: str) -> Any:
    found = ec2.describe_instances(InstanceIds=[instance_id])
    return found["Reservations"][0]["Instances"][0]


def status(address: str) -> int | None:
    try:
        headers = {"authorization": f"Bearer {KEY}"}
        return httpx.get(f"http://{address}:8000/v1/models", headers=headers).status_code
    except httpx.TransportError:
        return None


def becomes(wanted: Any, ask: Callable[[], Any]) -> bool:
    end_s = time.monotonic() + 20
    while time.monotonic() < end_s:
        if ask() == wanted:
            return True
        time.sleep(0.05)
    return False


def test_an_engine_answers_at_its_instance_s_address(client: Callable[[str], Any]) -> None:
    ec2 = client("ec2")
    instance_id = run(ec2, client("ssm"))
    address = told(ec2, instance_id)["PrivateIpAddress"]
    assert address.startswith("127.")
    assert becomes(200, lambda: status(address))
    ec2.stop_instances(InstanceIds=[instance_id])
    assert status(address) is None
    ec2.start_instances(InstanceIds=[instance_id])
    assert becomes(200, lambda: status(address))
    said = ec2.get_console_output(InstanceId=instance_id)["Output"]
    assert "acme/tiny" in said
    assert KEY not in said
    ec2.terminate_instances(InstanceIds=[instance_id])
    assert status(address) is None


@pytest.mark.thorough
def test_an_idle_machine_stops_itself(client: Callable[[str], Any]) -> None:
    ec2 = client("ec2")
    instance_id = run(ec2, client("ssm"), idle_s=1)
    assert becomes("stopped", lambda: told(ec2, instance_id)["State"]["Name"])
    assert told(ec2, instance_id)["StateReason"]["Code"] == "Client.InstanceInitiatedShutdown"
    ec2.terminate_instances(InstanceIds=[instance_id])


@pytest.mark.thorough
def test_an_instance_that_is_taken_back_drains_and_is_gone(
    client: Callable[[str], Any], world: tuple[World, str]
) -> None:
    ec2 = client("ec2")
    instance_id = run(ec2, client("ssm"), is_spot=True)
    address = told(ec2, instance_id)["PrivateIpAddress"]
    assert becomes(200, lambda: status(address))
    httpx.post(f"{world[1]}/_world/interrupt/{instance_id}?after_s=5").raise_for_status()
    assert becomes(None, lambda: status(address))
    assert told(ec2, instance_id)["State"]["Name"] == "running"
    assert becomes("terminated", lambda: told(ec2, instance_id)["State"]["Name"])


def test_a_machine_fetches_its_secrets_and_says_where_it_cannot(
    client: Callable[[str], Any],
) -> None:
    ec2, ssm = client("ec2"), client("ssm")
    instance_id = run(ec2, ssm, secrets={"HF_TOKEN": "/moorage/demo/HF_TOKEN"})
    address = told(ec2, instance_id)["PrivateIpAddress"]

    def console() -> str:
        return str(ec2.get_console_output(InstanceId=instance_id).get("Output", ""))

    assert becomes(True, lambda: "ParameterNotFound" in console())
    ssm.put_parameter(Name="/moorage/demo/HF_TOKEN", Type="SecureString", Value="hf_secret")
    assert becomes(200, lambda: status(address))
    assert "hf_secret" not in console()
    ec2.terminate_instances(InstanceIds=[instance_id])
