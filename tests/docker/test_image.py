"""The image that tests make themselves runs, as anybody, and is small."""

from __future__ import annotations

import time

import docker
import httpx
import pytest

from tests.docker import image
from tests.docker.engine import Engine
from tests.e2e.checkout import free_port


def test_it_serves_on_a_published_port_as_a_user_without_rights(
    docker_engine: Engine, docker_image: str
) -> None:
    port = free_port()
    container = docker_engine.client.containers.run(
        docker_image,
        ["some/model", "--served-model-name", "served"],
        user="1000:1000",
        ports={f"{image.PORT}/tcp": ("127.0.0.1", port)},
        detach=True,
    )
    transport = httpx.HTTPTransport(retries=8)
    with httpx.Client(transport=transport, base_url=f"http://127.0.0.1:{port}") as client:
        assert _patiently(client).json()["data"][0]["id"] == "served"
    container.stop()
    assert container.wait()["StatusCode"] == 0, "it does not end by itself when it is told to"
    container.remove()


def _patiently(client: httpx.Client) -> httpx.Response:
    """Docker's proxy accepts before the server listens, and hangs up."""
    for _ in range(200):
        try:
            return client.get("/v1/models")
        except httpx.TransportError:
            time.sleep(0.05)
    pytest.fail("the server does not answer")


@pytest.mark.thorough
def test_it_is_small_and_another_edition_has_another_id(
    docker_engine: Engine, docker_image: str
) -> None:
    assert docker_engine.client.images.get(docker_image).attrs["Size"] < 150_000_000
    assert image.another(docker_engine, "2") != docker_image


@pytest.mark.thorough
def test_gpus_that_are_not_there_are_refused_in_nvidias_words(
    docker_engine: Engine, docker_image: str
) -> None:
    wanted = docker.types.DeviceRequest(driver="nvidia", device_ids=["2"], capabilities=[["gpu"]])
    container = docker_engine.client.containers.create(docker_image, device_requests=[wanted])
    with pytest.raises(docker.errors.APIError, match="device error: 2: unknown device"):
        container.start()
    container.remove()


@pytest.mark.thorough
def test_an_engine_may_ask_for_pinned_memory_without_limit_on_any_machine(
    docker_engine: Engine, docker_image: str
) -> None:
    unlimited = docker.types.Ulimit(name="memlock", soft=-1, hard=-1)
    container = docker_engine.client.containers.create(docker_image, ["m"], ulimits=[unlimited])
    container.start()
    container.remove(force=True)
