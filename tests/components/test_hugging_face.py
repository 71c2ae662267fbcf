"""Placements at Hugging Face become endpoints and routes, as closed as their tier wants them."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pulumi
import pytest
from msgspec import structs

from components import hf_endpoint, hf_router, refuse_unfurnished
from components.model_service import ModelService
from moorage.errors import MoorageError
from moorage.plan.types import Machine, Passed, Placement, Plan
from moorage.spec.types import App, Pinned
from tests.components.programs import GATEWAY, SITE, a_plan, a_stack, declare, revealed, routes_of
from tests.plan.projects import judge

MACHINE = Machine(
    offer="hf-endpoint/aws/nvidia-l4-x1",
    instance="nvidia-l4-x1",
    vendor="aws",
    region="eu-west-1",
    gpu="nvidia-l4",
    count=1,
    replicas_min=1,
    replicas_max=2,
)
ENDPOINT = Placement(
    name="hf-endpoint-1",
    kind="hf-endpoint",
    engine="vllm",
    version="0.33.0",
    image="vllm/vllm-openai:v0.33.0",
    flags={"max-model-len": 2048, "max-num-seqs": 64},
    env={"VLLM_LOGGING_LEVEL": "INFO"},
    machine=MACHINE,
    options={"visibility": "private", "namespace": "acme", "cache_http_responses": False},
)
ROUTER = Placement(
    name="hf-router-2",
    kind="hf-router",
    routes=("together", "novita"),
    options={"provider": ["together", "novita"], "bill_to": "acme"},
)
OPEN = structs.replace(ROUTER, options={"provider": "auto", "policy": "fastest"})


@pytest.fixture(autouse=True)
def _tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_deploys")
    monkeypatch.setenv("MOORAGE_HF_INFERENCE_TOKEN", "hf_asks")


def endpoint_of(placement: Placement, **said: Any) -> dict[str, Any]:
    plan = a_plan(placement, revision="a" * 40, **said)
    return declare(lambda: a_stack(plan))["hello-hf-endpoint-1"]


def test_an_endpoint_is_declared_in_full() -> None:
    inputs = endpoint_of(ENDPOINT)
    assert inputs.pop("name").startswith("hello-story-")
    assert inputs == {
        "namespace": "acme",
        "owner": "moorage/story/hello-hf-endpoint-1",
        "repository": "acme/tiny-gguf",
        "revision": "a" * 40,
        "task": "text-generation",
        "vendor": "aws",
        "region": "eu-west-1",
        "accelerator": "gpu",
        "instanceType": "nvidia-l4",
        "instanceSize": "x1",
        "minReplica": 1,
        "maxReplica": 2,
        "engine": "vllm",
        "image": "vllm/vllm-openai:v0.33.0",
        "engineOptions": {"maxNumSeqs": 64},
        "args": ["--max-model-len", "2048"],
        "env": {"VLLM_LOGGING_LEVEL": "INFO"},
        "access": "private",
        "cacheHttpResponses": False,
        "readyTimeoutSeconds": 4500,
    }


def test_the_other_options_reach_the_endpoint() -> None:
    more = {
        "scale_to_zero_after": "90m",
        "scaling": {"metric": "hardware-usage", "threshold": 70},
        "domain": "llm.example.com",
        "path": "/chat",
        "private_link": {"account": "123456789012", "region": "eu-west-1"},
    }
    machine = structs.replace(MACHINE, replicas_min=0)
    options = {**ENDPOINT.options, **more}
    inputs = endpoint_of(structs.replace(ENDPOINT, machine=machine, options=options))
    assert inputs["scaleToZeroMinutes"] == 90
    assert (inputs["scalingMetric"], inputs["scalingThreshold"]) == ("hardwareUsage", 70)
    assert (inputs["domain"], inputs["path"]) == ("llm.example.com", "/chat")
    assert inputs["privateLink"] == {"account": "123456789012", "region": "eu-west-1"}


@pytest.mark.parametrize(
    ("scaling", "expected"),
    [
        ({"metric": "pending-requests"}, ("pendingRequests", 1.5)),
        ({"metric": "hardware-usage"}, ("hardwareUsage", 80)),
        ({"threshold": 3}, ("pendingRequests", 3)),
    ],
)
def test_half_a_scaling_is_made_whole(scaling: dict[str, Any], expected: tuple[str, float]) -> None:
    options = {**ENDPOINT.options, "scaling": scaling}
    inputs = endpoint_of(structs.replace(ENDPOINT, options=options))
    assert (inputs["scalingMetric"], inputs["scalingThreshold"]) == expected


def test_a_cpu_instance_is_no_gpu() -> None:
    machine = structs.replace(MACHINE, instance="intel-spr-x4", gpu=None, count=0)
    inputs = endpoint_of(structs.replace(ENDPOINT, machine=machine))
    found = inputs["accelerator"], inputs["instanceType"], inputs["instanceSize"]
    assert found == ("cpu", "intel-spr", "x4")


def test_secrets_come_from_the_named_variables_and_stay_secret(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("THEIR_KEY", "sk-theirs")
    options = {**ENDPOINT.options, "secrets": {"API_KEY": "THEIR_KEY"}}
    inputs = endpoint_of(structs.replace(ENDPOINT, options=options))
    assert revealed(inputs["secrets"]) == {"API_KEY": "sk-theirs"}
    rest = {name: value for name, value in inputs.items() if name != "secrets"}
    assert "sk-theirs" not in json.dumps(rest)


def test_what_the_environment_lacks_is_named_for_every_placement(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("HF_TOKEN", "MOORAGE_HF_INFERENCE_TOKEN", "THEIR_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", "/nonexistent")
    options = {**ENDPOINT.options, "secrets": {"API_KEY": "THEIR_KEY"}}
    plan = a_plan(structs.replace(ENDPOINT, options=options), ROUTER)
    with pytest.raises(MoorageError) as refused:
        refuse_unfurnished([plan])
    token = "nobody is logged in to Hugging Face; hf auth login, or set HF_TOKEN"
    assert str(refused.value).splitlines() == [
        f"hello.yaml: hf-endpoint-1: {token}",
        (
            "hello.yaml: hf-endpoint-1: the environment has no THEIR_KEY;"
            " set it to the secret that the spec names"
        ),
        f"hello.yaml: hf-router-2: {token}",
    ]


def test_the_gateway_asks_with_the_narrow_token_and_bills_as_the_spec_says() -> None:
    routes = routes_of(declare(lambda: a_stack(a_plan(ENDPOINT, ROUTER))))
    first, second, third = routes["services"][0]["backends"]
    assert first["model"] == "as-the-endpoint-says"
    assert first["api_key"] == "hf_asks"
    assert "headers" not in first
    assert [second["name"], third["name"]] == ["hf-router-2-together", "hf-router-2-novita"]
    assert [second["model"], third["model"]] == ["m:together", "m:novita"]
    assert second["headers"] == {"X-HF-Bill-To": "acme"}


def test_without_a_narrow_token_the_deploying_one_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MOORAGE_HF_INFERENCE_TOKEN")
    routes = routes_of(declare(lambda: a_stack(a_plan(ENDPOINT))))
    assert routes["services"][0]["backends"][0]["api_key"] == "hf_deploys"


def test_only_where_nobody_takes_over_a_request_waits_until_an_endpoint_wakes() -> None:
    machine = structs.replace(MACHINE, replicas_min=0)
    sleepy = structs.replace(ENDPOINT, machine=machine)
    alone = routes_of(declare(lambda: a_stack(a_plan(sleepy))))["services"][0]["backends"][0]
    assert alone["headers"] == {"X-Scale-Up-Timeout": "540"}
    assert 540 < alone["timeouts"]["first_byte_s"] < 600
    backed = routes_of(declare(lambda: a_stack(a_plan(sleepy, ROUTER))))
    assert "headers" not in backed["services"][0]["backends"][0]


def test_a_route_is_held_to_the_spec() -> None:
    seen = declare(lambda: a_stack(a_plan(ROUTER)))
    assert seen["hello-hf-router-2-together"] == {
        "model": "acme/tiny-gguf",
        "task": "text-generation",
        "provider": "together",
        "billTo": "acme",
        "minContext": 2048,
    }


def test_a_context_that_may_differ_is_not_asked_for() -> None:
    differs = structs.replace(ROUTER, differs=("revision", "context"))
    seen = declare(lambda: a_stack(a_plan(ENDPOINT, differs)))
    assert "minContext" not in seen["hello-hf-router-2-together"]


def ways(placement: Placement, **said: Any) -> list[tuple[str | None, str | None]]:
    found = hf_router.ways(placement, a_plan(placement, **said))
    return [(way.provider, way.policy) for way in found]


def test_the_router_chooses_only_where_it_can_choose_nobody_who_was_passed_over() -> None:
    passed = structs.replace(OPEN, passed_over=(Passed(name="groq", why="it may train"),))
    pinned = [("together", None), ("novita", None)]
    assert ways(OPEN, privacy_tier="public") == [(None, "fastest")]
    assert ways(OPEN, privacy_tier="internal") == pinned
    assert ways(passed, privacy_tier="public") == pinned
    assert ways(OPEN, privacy_tier="public", regions=("eu",)) == pinned
    assert ways(ROUTER, privacy_tier="public") == pinned


def test_only_of_chats_the_router_may_choose_who_answers() -> None:
    plan = structs.replace(a_plan(OPEN, privacy_tier="public"), task="feature-extraction")
    found = [(way.provider, way.policy) for way in hf_router.ways(OPEN, plan)]
    assert found == [("together", None), ("novita", None)]


def test_one_provider_keeps_the_name_of_its_placement() -> None:
    one = structs.replace(ROUTER, routes=("together",))
    [way] = hf_router.ways(one, a_plan(one))
    assert (way.name, way.provider) == ("hf-router-2", "together")


@pytest.mark.parametrize(
    ("tier", "said", "access"),
    [
        ("public", "", "authenticated"),
        ("public", ", visibility: public", "public"),
        ("internal", "", "authenticated"),
        ("internal", ", visibility: private", "private"),
        ("confidential", "", "private"),
        ("confidential", ", visibility: private", "private"),
    ],
)
def test_a_tier_closes_the_endpoint(tier: str, said: str, access: str, tmp_path: Path) -> None:
    [plan] = planned(tmp_path, tier, said)
    inputs = hf_endpoint.inputs(plan.placements[0], plan=plan, site=SITE)
    assert inputs["access"] == access


@pytest.mark.parametrize(
    ("tier", "said"),
    [
        ("internal", ", visibility: public"),
        ("confidential", ", visibility: authenticated"),
        ("restricted", ""),
        ("restricted", ", visibility: private"),
    ],
)
def test_what_is_too_open_for_a_tier_has_no_plan(tier: str, said: str, tmp_path: Path) -> None:
    assert not planned(tmp_path, tier, said)


def planned(folder: Path, tier: str, said: str) -> tuple[Plan, ...]:
    """The plan of a spec of a tier, as everything else in moorage gets it."""
    facts = Path(__file__).parent.parent / "facts" / "qwen--qwen3-8b.lock.json"
    (folder / "chat.lock.json").write_bytes(facts.read_bytes())
    (folder / "chat.yaml").write_text(
        "apiVersion: moorage/v1\n"
        "kind: ModelService\n"
        "name: chat\n"
        "team: support\n"
        "model: {id: Qwen/Qwen3-8B, revision: b968826d9c46dd6066d109eabc6255188de91218,"
        " max_model_len: 8192}\n"
        f"privacy: {{tier: {tier}}}\n"
        "budget: {monthly_usd: 5000}\n"
        f"providers: [{{kind: hf-endpoint, gpu: nvidia-l4, count: 1{said}}}]\n"
        "serving: {engine: vllm}\n",
        encoding="utf-8",
    )
    return judge(folder).plans


APP = App(options={"hardware": "cpu-basic", "sdk": "gradio", "namespace": "acme"})


def test_an_app_talks_to_the_gateway_with_the_key_of_its_service() -> None:
    space = declare(lambda: a_stack(a_plan(ENDPOINT, app=APP)))["hello-app"]
    assert space["namespace"] == "acme"
    assert space["visibility"] == "private"
    assert space["variables"]["MOORAGE_GATEWAY_URL"] == GATEWAY
    assert "key-of-hello-key" in json.dumps(space["secrets"])
    assert "key-of-hello-key" not in json.dumps({**space, "secrets": None})


def test_without_an_app_there_is_no_space() -> None:
    assert "hello-app" not in declare(lambda: a_stack(a_plan(ENDPOINT)))


def test_an_app_that_could_not_reach_the_gateway_is_refused_before_anything_is_declared() -> None:
    plan = a_plan(ENDPOINT, app=APP)
    refuse_unfurnished([plan], gateway=GATEWAY)
    with pytest.raises(MoorageError) as refused:
        refuse_unfurnished([plan], gateway="http://127.0.0.1:8700/v1")
    says = "hello.yaml: app: a Space does not reach the gateway at http://127.0.0.1:8700/v1"
    assert str(refused.value).startswith(says)
    assert "set moorage:gatewayAddress" in str(refused.value)


@pytest.mark.parametrize("delete_first", [False, True])
def test_an_endpoint_has_time_and_is_replaced_in_the_order_of_the_policy(
    delete_first: bool,
) -> None:
    seen: dict[str, pulumi.ResourceOptions] = {}
    site = dataclasses.replace(SITE, delete_first=delete_first)

    def program() -> None:
        pulumi.runtime.register_stack_transformation(
            lambda args: seen.update({args.name: args.opts})
        )
        ModelService(a_plan(ENDPOINT), site=site)

    declare(program)
    options = seen["hello-hf-endpoint-1"]
    assert bool(options.delete_before_replace) is delete_first
    times = options.custom_timeouts
    assert times is not None
    assert (times.create, times.update, times.delete) == ("90m", "90m", "20m")


def test_the_gateway_asks_for_adapters_where_they_are_loaded() -> None:
    other = Placement(name="openai-2", kind="openai", options={"url": "http://127.0.0.1:9/v1"})
    plan = a_plan(ENDPOINT, other, adapters=(Pinned(id="acme/tone-lora", name="tone"),))
    [service] = routes_of(declare(lambda: a_stack(plan)))["services"]
    assert [each.get("adapters") for each in service["backends"]] == [{"tone": "tone"}, None]


def test_adapters_are_fetched_at_their_commits_by_a_container_of_ones_own() -> None:
    adapter = Pinned(id="acme/tone-lora", revision="b" * 40)
    inputs = endpoint_of(ENDPOINT, adapters=(adapter,), trust_remote_code=True)
    assert inputs["engine"] == "custom"
    assert inputs["engineOptions"] == {"port": 8000, "healthRoute": "/health"}
    assert inputs["command"][:2] == ["python3", "-c"]
    place = f"/cache/hub/beside/adapters/acme/tone-lora/{'b' * 40}"
    args = inputs["args"]
    assert args[:3] == ["vllm", "serve", "/repository"]
    assert args[args.index("--lora-modules") + 1] == f"tone-lora={place}"
    assert {"--enable-lora", "--trust-remote-code"} <= {*args}
    [fetched] = json.loads(inputs["env"]["MOORAGE_BESIDE"])
    assert (fetched["repo"], fetched["revision"]) == ("acme/tone-lora", "b" * 40)
    assert inputs["name"] != endpoint_of(ENDPOINT)["name"], "its replacement could not stand"
