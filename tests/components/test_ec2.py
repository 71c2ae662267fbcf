"""Placements on EC2 become hosts: named after whatever replaces them, open to nobody else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from msgspec import structs

from components import aws, cloud_init, ec2_gpu, engines, refuse_unfurnished
from moorage.errors import MoorageError
from moorage.plan.fit.types import Fit
from moorage.plan.types import Machine, Placement
from tests.components.programs import SITE, a_plan, a_stack, declare, revealed, routes_of

HOST = Placement(
    name="ec2-gpu-1",
    kind="ec2-gpu",
    engine="vllm",
    version="0.33.0",
    image="vllm/vllm-openai:v0.33.0",
    flags={"max-model-len": 2048},
    machine=Machine(
        instance="g6e.xlarge",
        vendor="aws",
        region="eu-north-1",
        gpu="nvidia-l40s",
        count=1,
    ),
    fit=Fit(verdict="fits", because="", confidence="derived", kv_tokens=40_000),
    options={
        "market": "on-demand",
        "disk_gib": 200,
        "public_address": False,
        "allow_from": ["10.0.0.0/16"],
        "kv_tolerance": 0.05,
        "ready_within": "45m",
    },
)


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")


def with_options(**options: Any) -> Placement:
    return structs.replace(HOST, options={**HOST.options, **options})


def that_may_stop(**options: Any) -> Placement:
    """One that is not bound to run always."""
    placement = with_options(stop_when_idle_after="90s", **options)
    assert placement.machine is not None
    machine = structs.replace(placement.machine, replicas_min=0)
    return structs.replace(placement, machine=machine)


def declared(*placements: Placement, **said: Any) -> dict[str, dict[str, Any]]:
    return declare(lambda: a_stack(a_plan(*placements, revision="a" * 40, **said)))


def host_of(placement: Placement = HOST, **said: Any) -> dict[str, Any]:
    return declared(placement, **said)["hello-ec2-gpu-1"]


def name_of(placement: Placement, **said: Any) -> str:
    return str(host_of(placement, **said)["name"])


def test_a_host_is_declared_in_full() -> None:
    inputs = host_of()
    user_data = revealed(inputs.pop("userData"))
    assert inputs.pop("name").startswith("hello-story-")
    assert revealed(inputs.pop("key")) == "key-of-hello-ec2-gpu-1-key"
    body = json.loads(inputs["probe"].pop("body"))
    assert body["model"] == "acme/tiny-gguf"
    assert inputs == {
        "region": "eu-north-1",
        "owner": "moorage/story/hello-ec2-gpu-1",
        "instanceType": "g6e.xlarge",
        "market": "on-demand",
        "publicAddress": False,
        "amiParameter": ec2_gpu.AMI.removeprefix("ssm:"),
        "diskGib": 200,
        "allowFrom": ["10.0.0.0/16"],
        "port": 8000,
        "probe": {"path": "/v1/chat/completions"},
        "kv": {"tokens": 40_000, "tolerance": 0.05},
        "stopWhenIdle": False,
        "needed": True,
        "readyTimeoutSeconds": 2700,
    }
    assert user_data.startswith("#cloud-config\n")


def test_an_instance_runs_what_a_container_runs() -> None:
    plan = a_plan(HOST)
    server = engines.server(HOST, plan)
    told = yaml.safe_load(revealed(host_of()["userData"]))
    files = {one["path"]: one["content"] for one in told["write_files"]}
    settings = files["/etc/moorage/settings"]
    assert "image=vllm/vllm-openai:v0.33.0" in settings
    assert "--max-model-len 2048" in settings
    assert files["/etc/moorage/key"] == f"{server.key_variable}=key-of-hello-ec2-gpu-1-key\n"


@pytest.mark.parametrize(
    "changed",
    [
        with_options(market="spot"),
        with_options(disk_gib=300),
        with_options(ami="ami-0a1b2c3d4e5f60718"),
        with_options(subnets=["subnet-0a1b2c3d4e5f60718"]),
        that_may_stop(),
        structs.replace(HOST, flags={"max-model-len": 1024}),
        structs.replace(HOST, image="vllm/vllm-openai:v0.32.0"),
        structs.replace(HOST, env={"VLLM_LOGGING_LEVEL": "DEBUG"}),
    ],
)
def test_what_replaces_a_host_gives_it_another_name(changed: Placement) -> None:
    assert name_of(changed) != name_of(HOST)


def test_who_may_ask_is_changed_in_place() -> None:
    other = with_options(allow_from=["10.1.0.0/16"], kv_tolerance=0.2, ready_within="1h")
    assert name_of(other) == name_of(HOST)


def test_another_key_is_another_host() -> None:
    plan = a_plan(HOST)
    names = {
        ec2_gpu.identity(HOST, plan=plan, called="ec2-gpu-1", site=SITE, key=key)[0]
        for key in ("one", "other")
    }
    assert len(names) == 2


def test_every_replica_is_a_host_and_a_backend() -> None:
    machine = HOST.machine
    assert machine is not None
    three = structs.replace(HOST, machine=structs.replace(machine, replicas_min=3))
    seen = declared(three)
    found = [name for name in seen if name.startswith("hello-ec2-gpu-1") and "key" not in name]
    hosts = sorted(found)  # they are registered in any order
    assert hosts == [
        "hello-ec2-gpu-1",
        "hello-ec2-gpu-1-replica-2",
        "hello-ec2-gpu-1-replica-3",
    ]
    assert len({seen[name]["name"] for name in hosts}) == 3
    backends = routes_of(seen)["services"][0]["backends"]
    assert [one["name"] for one in backends] == [name.removeprefix("hello-") for name in hosts]


def test_a_host_without_an_address_is_passed_over() -> None:
    [backend] = routes_of(declared(HOST))["services"][0]["backends"]
    assert backend["url"] == "http://asleep.invalid/v1"
    assert backend["model"] == "acme/tiny-gguf"


def test_the_first_may_lack_capacity_and_the_last_may_not() -> None:
    other = structs.replace(HOST, name="ec2-gpu-2")
    seen = declared(HOST, other)
    assert seen["hello-ec2-gpu-1"]["needed"] is False
    assert seen["hello-ec2-gpu-2"]["needed"] is True


def test_secrets_go_to_the_parameter_store_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_READ_TOKEN", "hf_read")
    placement = with_options(secrets={"HF_TOKEN": "HF_READ_TOKEN"}, instance_profile="gpu")
    inputs = host_of(placement)
    user_data = revealed(inputs["userData"])
    assert revealed(inputs["secrets"]) == {"HF_TOKEN": "hf_read"}
    assert "hf_read" not in user_data
    assert f"HF_TOKEN=/moorage/{inputs['name']}/HF_TOKEN" in user_data
    monkeypatch.setenv("HF_READ_TOKEN", "hf_other")
    assert name_of(placement) != inputs["name"]


def test_watchers_come_with_what_they_watch() -> None:
    assert "moorage-spot.service" in revealed(host_of(with_options(market="spot"))["userData"])
    host = host_of(that_may_stop())
    assert host["stopWhenIdle"] is True
    assert "idle_s=90" in revealed(host["userData"])


def test_what_always_runs_is_not_stopped() -> None:
    host = host_of(with_options(stop_when_idle_after="90s"))
    assert host["stopWhenIdle"] is False
    assert "moorage-idle.service" not in revealed(host["userData"])


def test_the_usual_image_is_amazon_s_newest_and_another_may_be_named() -> None:
    assert "amiParameter" not in host_of(with_options(ami="ami-0a1b2c3d4e5f60718"))
    assert host_of(with_options(ami="ssm:/images/gpu"))["amiParameter"] == "/images/gpu"


def test_this_machine_alone_may_ask_where_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4566")
    options = {name: value for name, value in HOST.options.items() if name != "allow_from"}
    assert host_of(structs.replace(HOST, options=options))["allowFrom"] == ["127.0.0.1/32"]


def test_what_the_environment_lacks_is_told_at_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in (*aws._VARIABLES, *aws._FILES):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(aws, "_MAKER", tmp_path / "nobody")
    placement = with_options(secrets={"HF_TOKEN": "HF_READ_TOKEN"})
    with pytest.raises(MoorageError) as caught:
        refuse_unfurnished([a_plan(placement)])
    said = str(caught.value).replace("hello.yaml: ec2-gpu-1: ", "")
    assert said.splitlines() == [
        "there are no AWS credentials; set AWS_PROFILE, or run `aws configure`",
        "the environment has no HF_READ_TOKEN; set it to the secret that the spec names",
    ]


def test_credentials_of_a_file_are_enough(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    file = tmp_path / "credentials"
    file.touch()
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))
    assert not list(ec2_gpu.lacks(HOST))


def test_user_data_has_room_to_spare() -> None:
    size = len(revealed(host_of(with_options(market="spot"))["userData"]).encode())
    assert size < cloud_init.MOST_BYTES / 2
