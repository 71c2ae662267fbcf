"""The stand-in behaves as the real plugin was measured to, on a real engine."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
import pytest

from moorage.provider.testing import client as testing
from moorage.provider.testing.client import Client, EngineEar, InitFailed, Refused
from moorage.provider.values import decode
from tests.docker import registry
from tests.docker.engine import Engine
from tests.docker.image import PORT
from tests.docker_plugin.__main__ import PACKAGE
from tests.e2e.checkout import free_port


@dataclass
class Harbour:
    """The stand-in, asked as the engine asks it, and the Docker engine behind it."""

    client: Client
    engine: Engine
    image: str

    def checked(self, **inputs: Any) -> dict[str, Any]:
        given = {"name": "a-test", "image": self.image, "command": ["some/model"], **inputs}
        declared, failures = self.client.check(given)
        assert not failures
        return declared.plain

    def made(self, **inputs: Any) -> tuple[str, dict[str, Any], dict[str, Any]]:
        declared = self.checked(**inputs)
        answer = self.client.create(declared)
        return answer.id, decode(answer.properties).plain, declared

    def container(self) -> Any:
        return self.engine.client.containers.get("a-test")


@pytest.fixture
def harbour(docker_engine: Engine, docker_image: str) -> Iterator[Harbour]:
    with EngineEar() as ear, testing.served(ear) as start:
        client = start(PACKAGE)
        client.token = "docker:index/container:Container"
        client.configure({"host": docker_engine.host})
        yield Harbour(client=client, engine=docker_engine, image=docker_image)
    with suppress(docker.errors.NotFound):
        docker_engine.client.containers.get("a-test").remove(force=True)


def test_a_container_is_as_it_was_declared(harbour: Harbour) -> None:
    port = free_port()
    harbour.made(
        envs=["VLLM_API_KEY=sk-of-a-test"],
        ports=[{"internal": PORT, "external": port, "ip": "127.0.0.1"}],
        labels=[{"label": "moorage.owner", "value": "us"}],
        deviceRequests=[{"driver": "nvidia", "deviceIds": ["1"], "capabilities": ["gpu"]}],
        volumes=[{"volumeName": "cache", "containerPath": "/cache"}],
        uploads=[{"file": "/etc/template.jinja", "content": "{{ messages }}"}],
        securityOpts=["no-new-privileges"],
        logDriver="json-file",
        logOpts={"max-size": "10m", "max-file": "3"},
        restart="unless-stopped",
        user="1000:1000",
        shmSize=64,
        stopTimeout=30,
    )
    attrs = harbour.container().attrs
    config, host = attrs["Config"], attrs["HostConfig"]
    assert "VLLM_API_KEY=sk-of-a-test" in config["Env"]
    assert (config["Cmd"], config["User"], config["StopTimeout"]) == (
        ["some/model"],
        "1000:1000",
        30,
    )
    assert config["Labels"] == {"moorage.owner": "us"}
    assert host["PortBindings"] == {f"{PORT}/tcp": [{"HostIp": "127.0.0.1", "HostPort": str(port)}]}
    assert host["DeviceRequests"][0]["DeviceIDs"] == ["1"]
    assert host["Binds"] == ["cache:/cache:rw"]
    assert host["LogConfig"] == {
        "Type": "json-file",
        "Config": {"max-file": "3", "max-size": "10m"},
    }
    assert (host["ShmSize"], host["SecurityOpt"]) == (64 << 20, ["no-new-privileges"])
    assert host["RestartPolicy"]["Name"] == "unless-stopped"
    stream, _ = harbour.container().get_archive("/etc/template.jinja")
    assert b"{{ messages }}" in b"".join(stream)


def test_a_refresh_of_what_is_as_declared_tells_no_difference(harbour: Harbour) -> None:
    id_, state, declared = harbour.made(
        envs=["A=1", "B=2"],
        healthcheck={"tests": ["NONE"], "interval": "1m30s"},
        ports=[{"internal": PORT}],
    )
    found = harbour.client.read(id_, state, declared)
    old = decode(found.inputs).plain
    assert not harbour.client.diff(old, declared).detailedDiff
    turned = {**declared, "envs": ["B=2", "A=1"]}
    assert not harbour.client.diff(old, turned).detailedDiff, "the order of a set is no difference"


def test_a_duration_in_other_words_than_go_s_differs_after_every_refresh(harbour: Harbour) -> None:
    health = {"tests": ["NONE"], "interval": "90s", "startPeriod": "30m0s"}
    id_, state, declared = harbour.made(healthcheck=health)
    found = harbour.client.read(id_, state, declared)
    told = harbour.client.diff(decode(found.inputs).plain, declared)
    assert list(told.detailedDiff) == ["healthcheck.interval"]


def test_a_killed_container_is_replaced_after_a_refresh_as_its_ports_are_gone(
    harbour: Harbour,
) -> None:
    id_, state, declared = harbour.made(ports=[{"internal": PORT, "external": free_port()}])
    harbour.container().kill()
    found = harbour.client.read(id_, state, declared)
    told = harbour.client.diff(decode(found.inputs).plain, declared)
    assert "mustRun" in told.detailedDiff
    assert told.replaces
    assert told.deleteBeforeReplace


@pytest.mark.thorough
def test_a_killed_container_without_ports_is_started_again_by_an_update(harbour: Harbour) -> None:
    id_, state, declared = harbour.made()
    harbour.container().kill()
    found = harbour.client.read(id_, state, declared)
    assert not harbour.client.diff(decode(found.inputs).plain, declared).replaces
    harbour.client.update(id_, decode(found.properties).plain, declared)
    assert harbour.container().status == "running"


@pytest.mark.thorough
def test_a_removed_container_is_absent_and_can_still_be_deleted(harbour: Harbour) -> None:
    id_, state, declared = harbour.made()
    harbour.container().remove(force=True)
    assert not harbour.client.read(id_, state, declared).HasField("properties")
    harbour.client.delete(id_, state)


@pytest.mark.thorough
def test_a_taken_port_leaves_a_container_that_the_next_run_replaces(harbour: Harbour) -> None:
    port = free_port()
    other = harbour.engine.client.containers.run(
        harbour.image, ["m"], ports={f"{PORT}/tcp": ("127.0.0.1", port)}, detach=True
    )
    with pytest.raises(InitFailed, match=r"Unable to start container.*already") as failed:
        harbour.made(ports=[{"internal": PORT, "external": port, "ip": "127.0.0.1"}])
    declared = failed.value.inputs.plain
    told = harbour.client.diff(declared, declared, **failed.value.properties.plain)
    assert told.replaces
    other.remove(force=True)


@pytest.mark.thorough
def test_an_edit_of_the_health_check_is_told_as_made_and_changes_nothing(harbour: Harbour) -> None:
    id_, state, declared = harbour.made(healthcheck={"tests": ["CMD", "a"], "interval": "5s"})
    edited = {**declared, "healthcheck": {**declared["healthcheck"], "interval": "9s"}}
    assert not harbour.client.diff(declared, edited).replaces
    harbour.client.update(id_, state, edited)
    assert harbour.container().attrs["Config"]["Healthcheck"]["Interval"] == 5 * 10**9


@pytest.mark.thorough
def test_a_restart_policy_is_changed_in_place(harbour: Harbour) -> None:
    id_, state, declared = harbour.made()
    harbour.client.update(id_, state, {**declared, "restart": "always"})
    assert harbour.container().attrs["HostConfig"]["RestartPolicy"]["Name"] == "always"


@pytest.mark.thorough
def test_a_delete_gives_no_grace_unless_some_is_declared(harbour: Harbour) -> None:
    id_, state, _ = harbour.made(entrypoints=["/bin/false"], start=False, destroyGraceSeconds=5)
    began_s = time.monotonic()
    harbour.client.delete(id_, state)
    assert time.monotonic() - began_s < 4
    with pytest.raises(docker.errors.NotFound):
        harbour.container()


@pytest.mark.thorough
def test_a_daemon_that_does_not_answer_is_told_of_in_one_line(harbour: Harbour) -> None:
    harbour.client.configure({"host": "unix:///nowhere.sock"})
    with pytest.raises(Refused, match=r"make sure that unix:///nowhere\.sock is reachable"):
        harbour.made()


@pytest.mark.thorough
def test_an_image_that_is_there_is_not_pulled_and_one_that_is_not_is_told_of(
    harbour: Harbour,
) -> None:
    harbour.client.token = "docker:index/remoteImage:RemoteImage"
    answer = harbour.client.create({"name": "moorage-test/engine:1", "keepLocally": True})
    assert decode(answer.properties).plain["imageId"] == harbour.image
    with pytest.raises(Refused, match=r"unable to pull image 127\.0\.0\.1:9/nothing:at-all"):
        harbour.client.create({"name": "127.0.0.1:9/nothing:at-all", "keepLocally": True})


def test_networks_and_volumes_are_made_joined_and_removed(harbour: Harbour) -> None:
    harbour.client.token = "docker:index/network:Network"
    network = harbour.client.create({"name": "a-network"})
    harbour.client.token = "docker:index/container:Container"
    id_, state, _ = harbour.made(networksAdvanced=[{"name": "a-network", "aliases": ["engine"]}])
    assert [*harbour.container().attrs["NetworkSettings"]["Networks"]] == ["a-network"]
    harbour.client.delete(id_, state)
    harbour.client.token = "docker:index/network:Network"
    harbour.client.delete(network.id, decode(network.properties).plain)
    assert not harbour.engine.client.networks.list(names=["a-network"])
    harbour.client.token = "docker:index/volume:Volume"
    volume = harbour.client.create({"name": "a-volume"})
    harbour.client.delete(volume.id, decode(volume.properties).plain)
    assert "a-volume" not in [one.name for one in harbour.engine.client.volumes.list()]


def test_an_image_that_wants_a_login_is_pulled_with_dockers_own(
    harbour: Harbour, tmp_path: Path
) -> None:
    with registry.serving() as private:
        file = tmp_path / "config.json"
        file.write_text(json.dumps(registry.settings(private.address)), encoding="utf-8")
        harbour.client.token = "docker:index/remoteImage:RemoteImage"
        wanted = {"name": private.image, "keepLocally": False}
        with pytest.raises(Refused, match="unable to pull image"):
            harbour.client.create(wanted)
        known = {"address": private.address, "username": "", "configFile": str(file)}
        harbour.client.configure({"host": harbour.engine.host, "registryAuth": [known]})
        made = harbour.client.create(wanted)
        harbour.client.delete(made.id, decode(made.properties).plain)


def test_a_network_with_options_of_its_daemon_would_be_replaced(harbour: Harbour) -> None:
    """As of a daemon with `default-network-opts`."""
    told = {"com.docker.network.bridge.enable_icc": "false"}
    own = {"com.docker.network.enable_ipv6": "false"}
    made = harbour.engine.client.networks.create("a-network", options={**told, **own})
    harbour.client.token = "docker:index/network:Network"
    try:
        declared = harbour.client.check({"name": "a-network", "options": told})[0].plain
        found = harbour.client.read(made.id, declared, declared)
        assert harbour.client.diff(decode(found.inputs).plain, declared).replaces
    finally:
        made.remove()
