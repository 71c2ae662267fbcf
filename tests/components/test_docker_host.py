"""A placement on a Docker host becomes a container behind its slot, and the proof of its engine."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pulumi
import pulumi_docker as docker
import pytest
from msgspec import structs

from components import docker_host, tunnels
from components.container_settings import LOOPBACK, device_sets, settings
from components.engines import server
from moorage.plan.fit.types import Fit
from moorage.plan.types import Placement, Plan
from tests.components.programs import SITE, a_plan, a_stack, declare, revealed, routes_of

OPTIONS = {
    "host": "local",
    "on_change": "downtime",
    "ipc": "private",
    "ready_within": "20m",
    "kv_tolerance": 0.05,
}
PLACEMENT = Placement(
    name="docker-host-1",
    kind="docker-host",
    engine="vllm",
    version="0.33.0",
    image="vllm/vllm-openai:v0.33.0",
    flags={"max-model-len": 2048, "shutdown-timeout": 40},
    env={"VLLM_ENABLE_STARTUP_PLAN": "1"},
    device_ids=("0", "1"),
    fit=Fit(verdict="fits", because="", confidence="derived", kv_tokens=65536),
    options=OPTIONS,
)
Seen = dict[str, dict[str, Any]]


def with_options(**options: Any) -> Placement:
    return structs.replace(PLACEMENT, options={**OPTIONS, **options})


def declared(*placements: Placement, **said: Any) -> Seen:
    plan = planned(*placements, **said)
    return declare(lambda: a_stack(plan))


def planned(*placements: Placement, **said: Any) -> Plan:
    return a_plan(*placements, revision="a" * 40, **said)


@pytest.fixture(scope="module")
def seen() -> Seen:
    return declared(PLACEMENT)


def test_the_container_is_declared_in_full(seen: Seen) -> None:
    inputs = dict(seen["hello-docker-host-1"])
    labels = {row["label"]: row["value"] for row in inputs.pop("labels")}
    slot = seen["hello-docker-host-1-slot"]
    assert labels == {
        "moorage.owner": "moorage/story/hello-docker-host-1",
        "moorage.service": slot["service"],
        "moorage.digest": slot["digest"],
        "moorage.claim": "c1a1",
        "moorage.generation": "1",
    }
    envs = revealed(inputs.pop("envs"))
    assert "VLLM_API_KEY=key-of-hello-docker-host-1-key" in envs
    assert "VLLM_ENABLE_STARTUP_PLAN=1" in envs
    health = inputs.pop("healthcheck")
    assert health["tests"][:2] == ["CMD", "python3"]
    assert health["startPeriod"] == "20m0s"
    volumes = {row["containerPath"]: row["volumeName"] for row in inputs.pop("volumes")}
    assert volumes == {"/cache": seen["hello-docker-local-cache"]["name"]}
    assert inputs.pop("networksAdvanced") == [{"name": seen["docker-local-network"]["name"]}]
    assert inputs == {
        "name": slot["service"],
        "image": "sha256:0a1b",
        "command": [
            *("acme/tiny-gguf", "--host", "0.0.0.0", "--max-model-len", "2048", "--port", "8000"),
            *("--revision", "a" * 40, "--served-model-name", "acme/tiny-gguf"),
            *("--shutdown-timeout", "40"),
        ],
        "ports": [{"internal": 8000, "external": 21000, "ip": LOOPBACK}],
        "deviceRequests": [
            {"driver": "nvidia", "deviceIds": ["0", "1"], "capabilities": ["gpu"]},
        ],
        "shmSize": 8192,
        "ulimits": [
            {"name": "memlock", "soft": -1, "hard": -1},
            {"name": "stack", "soft": 67108864, "hard": 67108864},
        ],
        "restart": "unless-stopped",
        "mustRun": True,
        "wait": False,
        "stopTimeout": 55,
        "destroyGraceSeconds": 55,
        "logDriver": "json-file",
        "logOpts": {"max-size": "50m", "max-file": "3"},
        "securityOpts": ["no-new-privileges:true"],
    }


def test_the_slot_knows_what_the_container_will_be(seen: Seen) -> None:
    slot = dict(seen["hello-docker-host-1-slot"])
    assert slot.pop("service").startswith("hello-story-")
    assert len(slot.pop("digest")) == 64
    assert slot == {
        "host": "local",
        "owner": "moorage/story/hello-docker-host-1",
        "image": "sha256:0a1b",
        "address": LOOPBACK,
        "devices": [["0", "1"]],
        "blueGreen": False,
    }


def test_the_engine_is_proven_and_the_gateway_asks_it(seen: Seen) -> None:
    ready = seen["hello-docker-host-1-ready"]
    assert ready["url"] == "http://127.0.0.1:21000"
    assert ready["kv"] == {"tokens": 65536, "tolerance": 0.05}
    assert json.loads(ready["probe"]["body"])["model"] == "acme/tiny-gguf"
    assert revealed(ready["key"]) == "key-of-hello-docker-host-1-key"
    (backend,) = routes_of(seen)["services"][0]["backends"]
    assert backend["url"] == "http://127.0.0.1:21000/v1"
    assert backend["model"] == "as-the-engine-says"


def test_no_secret_stands_where_arguments_are_seen(
    seen: Seen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("THEIR_TOKEN", "hf_theirs")
    secret = declared(with_options(secrets={"HF_TOKEN": "THEIR_TOKEN"}))
    container = secret["hello-docker-host-1"]
    assert "HF_TOKEN=hf_theirs" in revealed(container.pop("envs"))
    for name in ("hello-docker-host-1", "hello-docker-host-1-slot"):
        assert "hf_theirs" not in json.dumps(secret[name])
        assert "key-of-" not in json.dumps(secret[name])
    assert (
        secret["hello-docker-host-1-slot"]["digest"] != seen["hello-docker-host-1-slot"]["digest"]
    )


@pytest.mark.parametrize(
    ("changed", "is_another"),
    [
        (structs.replace(PLACEMENT, flags={"max-model-len": 4096}), True),
        (structs.replace(PLACEMENT, env={}), True),
        (with_options(user="2000:0"), True),
        (with_options(mounts={"/draft": "/srv/draft"}), True),
        (with_options(ready_within="20m"), False),
        (with_options(port=8001), False),  # the slot sees a port by itself
        (with_options(kv_tolerance=0.2), False),
    ],
)
def test_the_digest_changes_with_what_replaces_the_container(
    seen: Seen, changed: Placement, *, is_another: bool
) -> None:
    found = declared(changed)["hello-docker-host-1-slot"]["digest"]
    assert (found != seen["hello-docker-host-1-slot"]["digest"]) is is_another


def test_one_host_is_declared_once_for_all_that_goes_there(seen: Seen) -> None:
    second = structs.replace(PLACEMENT, name="docker-host-2", device_ids=("2",))
    both = declared(PLACEMENT, second)
    shared = {name for name in both if name.startswith("docker-local")}
    assert shared == {name for name in seen if name.startswith("docker-local")}
    assert len(shared) == 3  # the way to it, its network, and the image there
    caches = {name for name in both if name.startswith("hello-docker-local")}
    assert caches == {"hello-docker-local-cache"}
    assert "host" not in seen["docker-local"], "where it is, is for this environment to say"


def test_two_hosts_that_are_called_almost_alike_are_two() -> None:
    first, second = (with_options(host=f"ssh://gpu{mark}1") for mark in ".-")
    found = declared(first, structs.replace(second, name="docker-host-2"))
    hosts = {
        row["host"]: name
        for name, row in found.items()
        if name.startswith("docker-ssh-gpu-1-") and "sshOpts" in row
    }
    assert set(hosts) == {"ssh://gpu.1", "ssh://gpu-1"}
    for container, host in (
        ("hello-docker-host-1", "ssh://gpu.1"),
        ("hello-docker-host-2", "ssh://gpu-1"),
    ):
        (joined,) = found[container]["networksAdvanced"]
        assert joined == {"name": found[f"{hosts[host]}-network"]["name"]}


def test_a_host_is_told_of_the_logins_for_its_own_images_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    logins = {"ghcr.io": {"auth": "b2Y6dXM="}, "quay.io": {"auth": "b2Y6dXM="}}
    (tmp_path / "config.json").write_text(json.dumps({"auths": logins}), encoding="utf-8")
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    here = structs.replace(PLACEMENT, image="ghcr.io/acme/engine@sha256:0a1b")
    there = structs.replace(
        with_options(host="ssh://box"), name="docker-host-2", image="quay.io/acme/engine:1"
    )
    plan = planned(here, there)
    seen = declare(lambda: a_stack(plan))
    told = {name: seen[name].get("registryAuth", "") for name in ("docker-local", "docker-ssh-box")}
    file = str(tmp_path / "config.json")
    [local] = json.loads(told["docker-local"])
    assert local == {"address": "ghcr.io", "username": "", "password": "", "configFile": file}
    assert "quay.io" in told["docker-ssh-box"]
    assert "b2Y6dXM=" not in json.dumps(told)


def test_an_image_by_its_id_is_not_pulled() -> None:
    found = declared(structs.replace(PLACEMENT, image="sha256:77"))
    assert found["hello-docker-host-1"]["image"] == "sha256:77"
    assert not [name for name in found if "-image-" in name]


def test_weights_of_the_host_are_served_without_asking_the_hub() -> None:
    inputs = declared(with_options(weights_path="/srv/qwen"))["hello-docker-host-1"]
    assert inputs["volumes"][-1] == {
        "containerPath": "/weights",
        "hostPath": "/srv/qwen",
        "readOnly": True,
    }
    assert inputs["command"][0] == "/weights"
    assert "--revision" not in inputs["command"]
    assert "HF_HUB_OFFLINE=1" in revealed(inputs["envs"])


def test_blue_green_has_two_sets_of_gpus_that_take_turns() -> None:
    placement = with_options(on_change="blue-green", spare_device_ids=["2", "3"])
    found = declared(placement)
    assert found["hello-docker-host-1-slot"]["devices"] == [["0", "1"], ["2", "3"]]
    assert found["hello-docker-host-1-slot"]["blueGreen"] is True
    assert found["hello-docker-host-1-ready"]["blueGreen"] is True


def test_a_host_behind_ssh_is_reached_through_a_tunnel_of_the_container_s_own() -> None:
    found = declared(with_options(host="ssh://it@gpu-box-1:2222"))
    assert found["docker-ssh-it-gpu-box-1-2222"]["host"] == "ssh://it@gpu-box-1:2222"
    tunnel = found["hello-docker-host-1-tunnel"]
    container = found["hello-docker-host-1-slot"]["service"]
    assert tunnel["directory"].endswith(f"/story/hello-docker-host-1-to-{container}")
    assert "path" not in tunnel["ready"]
    assert found["hello-docker-host-1-ready"]["url"] == "http://127.0.0.1:9000"


def test_a_private_address_needs_no_tunnel() -> None:
    found = declared(with_options(host="ssh://gpu-box-1", address="10.0.0.12"))
    assert "hello-docker-host-1-tunnel" not in found
    assert found["hello-docker-host-1"]["ports"][0]["ip"] == "10.0.0.12"
    assert found["hello-docker-host-1-ready"]["url"] == "http://10.0.0.12:21000"


def test_a_tunnel_asks_nobody_and_ends_when_it_cannot_forward() -> None:
    command = tunnels.command("ssh://it@box:2222", 21001)
    assert command[-3:] == ["-p", "2222", "it@box"]
    assert command[command.index("-L") + 1] == "127.0.0.1:{port}:127.0.0.1:21001"
    assert {"BatchMode=yes", "ExitOnForwardFailure=yes"} < set(command)


@pytest.mark.parametrize(
    ("options", "gpus", "shm", "ipc"),
    [
        ({}, 0, None, None),
        ({}, 2, 8192, None),
        ({"shm_gib": 1.5}, 2, 1536, None),
        ({"ipc": "host"}, 2, None, "host"),
    ],
)
def test_memory_is_shared_as_the_spec_says(
    options: dict[str, Any], gpus: int, shm: int | None, ipc: str | None
) -> None:
    ids = tuple(map(str, range(gpus)))
    placement = structs.replace(with_options(**options), device_ids=ids)
    found = settings(placement, server(placement, planned(placement)))
    assert (found.get("shm_size"), found.get("ipc_mode")) == (shm, ipc)
    assert ("ulimits" in found) is bool(gpus)
    assert device_sets(placement) == ([list(ids)] if gpus else None)


def test_what_stands_in_the_way_is_told_before_anything_exists(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("THEIR_TOKEN", raising=False)
    monkeypatch.setenv("DOCKER_HOST", "ssh://gpu-box-1")
    found = list(docker_host.lacks(with_options(secrets={"HF_TOKEN": "THEIR_TOKEN"})))
    assert found == [
        "the environment has no THEIR_TOKEN; set it to the secret that the spec names",
        (
            "host local is this machine, and DOCKER_HOST names ssh://gpu-box-1;"
            " write host: ssh://… into the spec, or unset DOCKER_HOST"
        ),
    ]
    monkeypatch.setenv("PATH", "")
    (line,) = docker_host.lacks(with_options(host="ssh://gpu-box-1"))
    assert line.startswith("this machine has no ssh, the way to ssh://gpu-box-1")


def test_the_gateway_hears_of_a_container_only_once_it_is_proven() -> None:
    """Its address depends on the proof, so the routes change after it."""
    behind: list[str] = []

    async def names(url: pulumi.Output[str]) -> list[str]:
        return [resource._name for resource in await url.resources()]

    def program() -> None:
        (endpoint,) = docker_host.build(
            PLACEMENT,
            plan=planned(PLACEMENT),
            site=dataclasses.replace(SITE, shared={}),
            weights=None,
            opts=pulumi.ResourceOptions(),
        )
        listed: pulumi.Output[list[str]] = pulumi.Output.from_input(names(endpoint.url))
        listed.apply(behind.extend)

    declare(program)
    assert "hello-docker-host-1-ready" in behind


def test_a_network_is_not_replaced_for_what_its_daemon_tells_besides(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ignored: list[str] = []
    network: Any = docker.Network

    def made(*called: str, **said: Any) -> Any:
        ignored.extend(said["opts"].ignore_changes)
        return network(*called, **said)

    monkeypatch.setattr(docker, "Network", made)
    assert "docker-local-network" in declared(PLACEMENT)
    assert ignored == ["options"]
