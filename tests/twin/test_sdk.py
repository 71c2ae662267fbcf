"""Hugging Face's own client takes the twin for the real thing, traps included."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from huggingface_hub import HfApi, InferenceClient, InferenceEndpointStatus, constants
from huggingface_hub.errors import BadRequestError, HfHubHTTPError, InferenceEndpointError

from moorage.twin import face
from moorage.twin.face import Repo, Scenario, Start, Twin

LIVE = {"status": "live", "task": "conversational", "providerId": "acme/turbo"}
REPOS = {"acme/tiny": Repo(files={"config.json": b"{}"}, providers={"together": LIVE})}
VLLM = {"vLLM": {"url": "docker.io/vllm/vllm-openai:v0.33.0"}}


@pytest.fixture
def twin(monkeypatch: pytest.MonkeyPatch) -> Iterator[Twin]:
    bad = Start(name="broken", message="no memory")
    with face.serve(Scenario(repos=REPOS, starts=(bad,))) as running:
        address = f"{running.urls['endpoints']}/v2"
        monkeypatch.setattr(constants, "INFERENCE_ENDPOINTS_ENDPOINT", address)
        yield running


def create(twin: Twin, name: str = "one", **more: Any) -> Any:
    asked = {
        "repository": "acme/tiny",
        "framework": "custom",
        "vendor": "aws",
        "region": "eu-west-1",
        "accelerator": "gpu",
        "instance_type": "nvidia-l4",
        "instance_size": "x1",
        "custom_image": VLLM,
        "namespace": "acme",
        "token": "hf_twin_ann",  # the endpoint keeps it for its own calls
        **more,
    }
    return api(twin).create_inference_endpoint(name, **asked)


def eventually_gone(endpoint: Any) -> bool:
    """A GET may still find it for a moment."""
    for _ in range(1000):
        try:
            endpoint.fetch()
        except HfHubHTTPError as error:
            return error.response.status_code == 404
    return False


def api(twin: Twin) -> HfApi:
    return HfApi(endpoint=twin.urls["hub"], token="hf_twin_ann")


def test_an_endpoint_is_created_awaited_called_and_deleted(twin: Twin) -> None:
    endpoint = create(twin, secrets={"KEY": "p-o-r-t"}, env={"A": "1"})
    assert endpoint.status == InferenceEndpointStatus.PENDING
    endpoint.wait(timeout=20, refresh_every=1)
    assert endpoint.status == InferenceEndpointStatus.RUNNING
    said = endpoint.client.chat_completion(
        [{"role": "user", "content": "hello"}], model="acme/tiny", max_tokens=3
    )
    assert said.usage.completion_tokens == 3
    assert "p-o-r-t" not in str(endpoint.raw)
    endpoint.delete()
    assert eventually_gone(endpoint)


def test_pause_resume_and_sleep_are_told(twin: Twin) -> None:
    endpoint = create(twin, min_replica=0)
    endpoint.wait(timeout=20, refresh_every=1)
    assert endpoint.pause().status == InferenceEndpointStatus.PAUSED
    assert endpoint.url is None
    assert endpoint.resume().status == InferenceEndpointStatus.PENDING
    endpoint.wait(timeout=20, refresh_every=1)
    assert endpoint.resume(running_ok=True).status == InferenceEndpointStatus.RUNNING
    assert endpoint.scale_to_zero().status == InferenceEndpointStatus.SCALED_TO_ZERO


def test_an_update_keeps_what_it_does_not_name(twin: Twin) -> None:
    endpoint = create(twin, env={"A": "1"})
    endpoint.wait(timeout=20, refresh_every=1)
    changed = api(twin).update_inference_endpoint("one", namespace="acme", max_replica=2)
    assert changed.raw["compute"]["scaling"]["maxReplica"] == 2
    assert changed.raw["model"]["env"] == {"A": "1"}


def test_a_failed_start_is_the_clients_own_error(twin: Twin) -> None:
    endpoint = create(twin, "broken")
    with pytest.raises(InferenceEndpointError, match="failed to deploy"):
        endpoint.wait(timeout=20, refresh_every=1)


def test_a_variant_in_another_case_is_the_clients_bad_request(twin: Twin) -> None:
    with pytest.raises(BadRequestError, match="unknown variant"):
        create(twin, custom_image={"vllm": {"url": "a/b:1"}})


def test_the_first_page_is_all_that_the_client_lists(twin: Twin) -> None:
    """Why nobody may take a name for free because a list lacks it."""
    for number in range(21):
        twin.plant("acme", f"one-{number}")
    assert len(api(twin).list_inference_endpoints(namespace="acme")) == 20


def test_the_hardware_is_listed_with_its_quota(twin: Twin) -> None:
    twin.plant("acme", "one")
    rows = api(twin).list_inference_endpoints_hardware(namespace="acme")
    cheap = next(row for row in rows if row.instance_type == "nvidia-l4")
    assert cheap.price_per_hour > 0


def test_the_router_speaks_to_the_openai_side_of_the_client(twin: Twin) -> None:
    client = InferenceClient(base_url=f"{twin.urls['router']}/v1", api_key="hf_twin_narrow")
    said = client.chat.completions.create(
        model="acme/tiny:together", messages=[{"role": "user", "content": "hello"}], max_tokens=2
    )
    assert said.choices[0].message.content == "I am"


def test_a_client_reads_a_stream_to_its_end(twin: Twin) -> None:
    client = InferenceClient(base_url=f"{twin.urls['router']}/v1", api_key="hf_twin_narrow")
    pieces = client.chat.completions.create(
        model="acme/tiny:together",
        messages=[{"role": "user", "content": "hello"}],
        max_tokens=3,
        stream=True,
    )
    text = "".join(piece.choices[0].delta.content or "" for piece in pieces)
    assert text == "I am a"
