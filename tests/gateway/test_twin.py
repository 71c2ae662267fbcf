"""In front of Inference Endpoints as their twin behaves: asleep, waking, paused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from moorage.twin import face
from tests.gateway.backends import says
from tests.gateway.conftest import Serve, StartBackend
from tests.gateway.running import Service, ask, backend, said, service

KEY = "acme/sleepy"


@pytest.fixture
def twin() -> Iterator[face.Twin]:
    with face.serve(face.Scenario(timings=face.Timings(wake_s=0.5))) as twin:
        twin.plant("acme", "sleepy", **_asleep())
        yield twin


def _asleep() -> dict[str, Any]:
    scaling = {"minReplica": 0, "maxReplica": 1, "scaleToZeroTimeout": 15}
    compute = {"accelerator": "cpu", "instanceType": "intel-spr", "instanceSize": "x1"}
    image = {"vLLM": {"url": "vllm/vllm-openai:v0.33.0"}}
    model = {"repository": "acme/tiny", "framework": "custom", "image": image}
    task = {"task": "text-generation"}
    return {"compute": {**compute, "scaling": scaling}, "model": {**model, **task}}


def put_to_sleep(twin: face.Twin) -> None:
    headers = {"Authorization": f"Bearer {twin.world.scenario.deploys}"}
    url = f"{twin.urls['endpoints']}/v2/endpoint/{KEY}/scale-to-zero"
    httpx.post(url, headers=headers, timeout=10).raise_for_status()
    twin.wait_for(KEY, "scaledToZero")


def endpoint(twin: face.Twin, **more: object) -> dict[str, object]:
    """As a stack declares it, without a sibling or with one."""
    known = {"model": "acme/tiny", "api_key": twin.world.scenario.calls}
    return backend("endpoint", f"{twin.urls['engines']}/{KEY}/v1", **{**known, **more})


def behind(*backends: dict[str, object]) -> Service:
    return {**service("http://127.0.0.1:9/v1"), "backends": list(backends)}


def test_alone_a_request_waits_until_it_is_awake(twin: face.Twin, serve: Serve) -> None:
    put_to_sleep(twin)
    client = serve(behind(endpoint(twin, headers={"X-Scale-Up-Timeout": "5"})))
    assert said(ask(client))
    assert twin.endpoints[KEY].state == "running"


def test_with_a_sibling_that_one_answers_while_it_wakes(
    twin: face.Twin, start: StartBackend, serve: Serve
) -> None:
    put_to_sleep(twin)
    sibling = backend("sibling", start(says("from the sibling")).url)
    client = serve(behind(endpoint(twin), sibling))
    assert said(ask(client)) == "from the sibling"
    twin.wait_for(KEY, "running")
    twin.clock.advance(1)
    answer = ask(client)
    assert answer.headers["x-moorage-backend"] == "endpoint"


def test_a_paused_one_is_no_fault_of_the_request(
    twin: face.Twin, start: StartBackend, serve: Serve
) -> None:
    twin.pause("acme", "sleepy")
    twin.wait_for(KEY, "paused")
    sibling = backend("sibling", start(says("from the sibling")).url)
    client = serve(behind(endpoint(twin), sibling))
    twin.clock.advance(1)
    assert said(ask(client)) == "from the sibling"
