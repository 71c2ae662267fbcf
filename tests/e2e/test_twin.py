"""The stack `twin`: an endpoint with the router behind it, on the real engine and a whole life."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.checkout import Ended, ask, ask_at, free_port
from tests.e2e.twins import TwinStack, a_twin_stack

pytestmark = [pytest.mark.engine, pytest.mark.slow]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwinStack]:
    with a_twin_stack(tmp_path_factory.mktemp("twin")) as stack:
        yield stack


@pytest.fixture(scope="module")
def first_up(stack: TwinStack) -> Ended:
    return stack.fine("up")


def one_clear_line(ended: Ended, code: int, *words: str) -> None:
    assert ended.code == code, ended.said
    assert "Traceback" not in ended.said
    last = ended.err.strip().splitlines()[-1]
    for word in words:
        assert word in last


def backend(stack: TwinStack) -> str:
    answer = ask(stack.outputs())
    assert answer.status_code == 200, answer.text
    return answer.headers["x-moorage-backend"]


def test_without_a_token_nothing_is_created(stack: TwinStack) -> None:
    ended = stack.moorage("up", HF_TOKEN="", MOORAGE_HF_INFERENCE_TOKEN="")
    one_clear_line(ended, 1, "1 problem")
    assert "set HF_TOKEN to a token of Hugging Face" in ended.err
    assert not stack.twin.writes()


def test_hardware_that_is_not_there_stops_it_before_anything_is_created(stack: TwinStack) -> None:
    stack.edit("region: eu-west-1", "region: us-east-2")
    ended = stack.moorage("up")
    stack.edit("region: us-east-2", "region: eu-west-1")
    one_clear_line(ended, 1, "1 problem")
    assert "nvidia-l4-x1 in aws us-east-2" in ended.err
    assert "nobody has it" in ended.err
    assert not stack.twin.writes()


@pytest.mark.thorough
def test_a_service_that_does_not_answer_is_named(stack: TwinStack) -> None:
    stack.twin.fault(path="/v2/provider/", does="answer", status=503, times=None)
    ended = stack.moorage("up")
    stack.twin.clear_faults()
    one_clear_line(ended, 3, "/v2/provider/acme does not answer: it answers 503")
    assert not stack.twin.writes()


def test_a_preview_creates_nothing(stack: TwinStack) -> None:
    ended = stack.fine("preview")
    assert "InferenceEndpoint chat-hf-endpoint-1 would be created" in ended.said
    assert not stack.twin.writes()
    assert not stack.twin.endpoints()


def test_up_deploys_an_endpoint_that_answers(first_up: Ended, stack: TwinStack) -> None:
    assert "0 problems, 0 warnings" in first_up.err
    raw = stack.twin.the_endpoint()
    assert raw["type"] == "private"
    assert raw["model"]["image"]["vLLM"]["url"] == "vllm/vllm-openai:v0.33.0"
    assert raw["model"]["args"] == ["--gpu-memory-utilization", "0.92", "--max-model-len", "4096"]
    assert raw["compute"]["scaling"]["maxReplica"] == 2
    assert len(raw["name"]) <= 32
    assert backend(stack) == "hf-endpoint-1"


def test_a_space_stands_in_front_of_it(first_up: Ended, stack: TwinStack) -> None:
    space = stack.app()
    assert space["private"]
    assert space["sdk"] == "gradio"
    assert space["runtime"]["stage"] == "RUNNING"
    assert space["variables"]["MOORAGE_GATEWAY_URL"]["value"] == "https://llm.example.com/v1"
    assert stack.outputs()["api_key"] not in str(space)


def test_embeddings_and_images_are_asked_of_their_providers_in_order(
    first_up: Ended, stack: TwinStack
) -> None:
    asked: dict[str, tuple[str, dict[str, Any], str]] = {
        "vectors": ("/embeddings", {"input": ["a", "b"]}, "scaleway"),
        "paint": ("/images/generations", {"prompt": "a boat", "n": 1}, "nscale"),
    }
    services = {name: stack.outputs(service=name) for name in asked}

    def answered() -> dict[str, str]:
        found = {}
        for name, (path, body, _) in asked.items():
            answer = ask_at(services[name], path, body)
            assert answer.status_code == 200, answer.text
            assert answer.json()["data"]
            found[name] = answer.headers["x-moorage-backend"].removeprefix("hf-router-1-")
        return found

    assert answered() == dict.fromkeys(asked, "together")
    stack.twin.fault(host="router", path="^/together/", does="answer", status=429, times=None)
    assert answered() == {name: second for name, (_, _, second) in asked.items()}
    stack.twin.clear_faults()
    tested = stack.fine("test", "--profile", "ready")
    for name in ("chat", *asked):
        assert f"PASS: ready of {name}" in tested.said


def test_up_again_changes_and_writes_nothing(first_up: Ended, stack: TwinStack) -> None:
    stack.twin.forget()
    assert "nothing changed" in stack.fine("up").said
    assert "nothing changed" in stack.fine("preview", "--refresh").said
    assert not stack.twin.writes()


def test_no_token_is_told_or_kept_in_plain(first_up: Ended, stack: TwinStack) -> None:
    """The gateway's routes alone hold the narrow one, for nobody else to read."""
    said = first_up.said + stack.fine("outputs", "--all", "--json").said
    said += " ".join(" ".join(process.cmdline()) for process in stack.checkout.processes())
    files = [path for path in (stack.checkout.root / ".moorage").rglob("*") if path.is_file()]
    assert files
    for token in stack.twin.tokens:
        assert token not in said
        holding = [path for path in files if token.encode() in path.read_bytes()]
        assert {path.name for path in holding} <= {"routes.json"}
        assert all(path.stat().st_mode & 0o077 == 0 for path in holding)
    deploying = stack.twin.tokens[0].encode()
    assert not [path for path in files if deploying in path.read_bytes()]


def test_other_replicas_and_flags_are_changed_in_place(first_up: Ended, stack: TwinStack) -> None:
    before = stack.twin.the_endpoint()
    stack.edit("replicas: {min: 1, max: 2}", "replicas: {min: 1, max: 3}")
    stack.edit("budget: {monthly_usd: 1500", "budget: {monthly_usd: 2500")
    stack.edit("serving: {engine: vllm}", "serving: {engine: vllm, args: {enforce-eager: true}}")
    ended = stack.fine("up")
    assert "updated InferenceEndpoint chat-hf-endpoint-1" in ended.said
    after = stack.twin.the_endpoint()
    assert after["name"] == before["name"]
    assert after["compute"]["scaling"]["maxReplica"] == 3
    assert "--enforce-eager" in after["model"]["args"]


@pytest.mark.thorough
def test_another_order_of_providers_is_another_order_of_backends(
    first_up: Ended, stack: TwinStack
) -> None:
    stack.twin.forget()
    stack.edit("provider: [together, novita]", "provider: [novita]")
    ended = stack.fine("up")
    assert "created RouterRoute chat-hf-router-2" in ended.said
    assert "deleted RouterRoute chat-hf-router-2-together" in ended.said
    assert not stack.twin.writes()


@pytest.mark.thorough
def test_other_hardware_of_the_space_is_changed_in_place(first_up: Ended, stack: TwinStack) -> None:
    before = stack.app()
    stack.edit("hardware: cpu-basic", "hardware: cpu-upgrade")
    assert "updated Space chat-app" in stack.fine("up").said
    after = stack.app()
    assert after["id"] == before["id"]
    assert after["runtime"]["hardware"]["requested"] == "cpu-upgrade"


@pytest.mark.thorough
def test_another_region_is_another_endpoint_and_nobody_waits(
    first_up: Ended, stack: TwinStack
) -> None:
    before = stack.twin.the_endpoint()
    stack.edit("region: eu-west-1", "region: us-east-1")
    stack.twin.forget()
    ended = stack.fine("up")
    assert "InferenceEndpoint chat-hf-endpoint-1" in ended.said
    after = stack.twin.the_endpoint()
    assert after["name"] != before["name"]
    assert after["provider"]["region"] == "us-east-1"
    made, gone = (
        next(n for n, one in enumerate(stack.twin.writes()) if one.startswith(method))
        for method in ("POST /v2/endpoint/acme", "DELETE")
    )
    assert made < gone, "the old one went before the new one stood"
    assert backend(stack) == "hf-endpoint-1"


@pytest.mark.thorough
def test_a_pause_by_a_person_is_seen_survived_and_healed(first_up: Ended, stack: TwinStack) -> None:
    [key] = stack.twin.endpoints()
    stack.twin.pause(key)
    seen = stack.fine("refresh")
    assert "it was paused by somebody" in seen.said
    assert backend(stack).startswith("hf-router-2")
    healed = stack.fine("up")
    assert "was paused; it is declared to run, and is resumed" in healed.said
    assert stack.twin.endpoints()[key]["status"]["state"] == "running"
    assert backend(stack) == "hf-endpoint-1"


@pytest.mark.thorough
def test_scaling_that_somebody_changed_is_seen_and_set_back(
    first_up: Ended, stack: TwinStack
) -> None:
    [(key, raw)] = stack.twin.endpoints().items()
    declared = raw["compute"]["scaling"]["maxReplica"]
    scaling = {**raw["compute"]["scaling"], "maxReplica": 7}
    stack.twin.put(key, compute={**raw["compute"], "scaling": scaling})
    seen = stack.fine("refresh")
    assert "maxReplica" in seen.said
    assert "7" in seen.said
    stack.fine("up")
    assert stack.twin.endpoints()[key]["compute"]["scaling"]["maxReplica"] == declared


@pytest.mark.thorough
def test_what_the_state_has_forgotten_is_imported(first_up: Ended, stack: TwinStack) -> None:
    [key] = stack.twin.endpoints()
    stack.fine("state", "remove", "gateway-process")
    stack.fine("state", "remove", "chat-hf-endpoint-1")
    ended = stack.fine("import", "--parent", "chat", "InferenceEndpoint", "chat-hf-endpoint-1", key)
    assert "the program declares it the same way" in ended.said
    stack.twin.forget()
    up = stack.fine("up")  # the gateway goes on, and is found again by its marks
    assert "InferenceEndpoint" not in up.said
    assert not stack.twin.writes()
    assert backend(stack) == "hf-endpoint-1"


def test_what_is_here_is_healed_while_hugging_face_does_not_answer(
    first_up: Ended, stack: TwinStack
) -> None:
    [gateway] = [one for one in stack.checkout.processes() if "moorage.gateway" in one.cmdline()]
    gateway.kill()
    gateway.wait(10)
    nowhere = f"http://127.0.0.1:{free_port()}"
    silent = {"HF_ENDPOINT": nowhere, "MOORAGE_HF_ENDPOINTS_URL": nowhere}
    one_clear_line(stack.moorage("up", **silent), 3, "does not answer", "--no-preflight")
    stack.twin.forget()
    ended = stack.moorage("up", "--no-preflight", **silent)
    assert ended.code == 0, ended.said
    assert "it is taken to be as it was: acme/chat" in ended.said
    assert not stack.twin.writes()
    assert backend(stack) == "hf-endpoint-1"
    refreshed = stack.moorage("refresh", **silent)
    assert refreshed.code == 1, "a look that was asked for has to see"
    stack.fine("preview", "--expect-no-changes")


@pytest.mark.thorough
def test_an_endpoint_that_somebody_deleted_is_made_again(first_up: Ended, stack: TwinStack) -> None:
    [key] = stack.twin.endpoints()
    stack.twin.remove(key)
    assert backend(stack).startswith("hf-router-2")
    stack.fine("up", "--refresh")
    assert list(stack.twin.endpoints()) == [key]
    assert backend(stack) == "hf-endpoint-1"


def test_destroy_leaves_nothing(first_up: Ended, stack: TwinStack) -> None:
    name = stack.app()["id"].partition("/")[2]
    stack.fine("destroy")
    assert not stack.twin.endpoints()
    assert stack.twin.space(name) is None
    assert not stack.checkout.processes()
