"""A plan becomes resources: what is declared, in which order, and what of it is secret."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pulumi
import pytest
from pulumi.runtime import mocks
from pulumi.runtime.rpc import _special_secret_sig, _special_sig_key

from components import KINDS, refuse_unbuilt
from components.endpoint import Site
from components.gateway import Gateway
from components.model_service import ModelService
from moorage.errors import Exit, MoorageError
from moorage.plan.types import Cost, Placement, Plan, Weights
from moorage.spec.types import Failover, Load, Slo

SITE = Site(root=Path("/checkout"), project="moorage", stack="story")
WEIGHTS = Weights(repo="acme/tiny-gguf", revision="c0ffee", file="tiny.gguf", offline="tiny")
LOCAL = (
    Placement(name="local-1", kind="local", weights=WEIGHTS, options={"parallel": 2}),
    Placement(name="local-2", kind="local", weights=WEIGHTS),
)
OPENAI = Placement(name="openai-2", kind="openai", options={"url": "http://127.0.0.1:11434/v1"})


def a_plan(*placements: Placement, task: str = "text-generation") -> Plan:
    return Plan(
        service="hello",
        team="examples",
        model_id="acme/tiny-gguf",
        task=task,
        max_model_len=2048,
        privacy_tier="internal",
        placements=placements,
        cost=Cost(most_usd=Decimal(0)),
        slo=Slo(),
        failover=Failover(),
        load=Load(),
        spec_path=Path("hello.yaml"),
    )


class Answers(mocks.Mocks):
    """What our provider would answer, as far as a program can see it."""

    def __init__(self) -> None:
        self.seen: dict[str, dict[str, Any]] = {}

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        self.seen[args.name] = dict(args.inputs)
        outputs: dict[str, Any] = {
            "moorage:index:ApiKey": {"value": f"key-of-{args.name}"},
            "moorage:index:ModelFile": {
                "localPath": "/cache/tiny.gguf",
                "servedModel": "served",
                "sha256Actual": "d1935",
            },
            "moorage:index:Process": {
                "url": f"http://127.0.0.1:{args.inputs.get('port') or 9000}",
                "log": "log",
                "pid": 1,
            },
            "moorage:index:OpenAIServer": {"servedModel": "smollm2:135m"},
        }
        return f"{args.name}-id", {**args.inputs, **outputs.get(args.typ, {})}

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]] | None]:
        return {}, None


def declare(program: Callable[[], None]) -> dict[str, dict[str, Any]]:
    """Run a program against the mocks; returns the inputs of every resource by name."""
    answers = Answers()

    async def main() -> None:
        mocks.set_mocks(answers, project="moorage", stack="story")
        await pulumi.runtime.stack.run_pulumi_func(program)

    asyncio.run(main())
    return answers.seen


def revealed(value: dict[str, Any]) -> dict[str, Any]:
    """The plain value of an input that must have been sent as a secret."""
    assert value[_special_sig_key] == _special_secret_sig
    plain: dict[str, Any] = value["value"]
    return plain


def routes_of(seen: dict[str, dict[str, Any]]) -> dict[str, Any]:
    routes: dict[str, Any] = json.loads(revealed(seen["gateway-process"]["files"])["routes.json"])
    return routes


def a_stack(plan: Plan) -> None:
    Gateway("gateway", services=[ModelService(plan, site=SITE)], port=8700, site=SITE)


def test_two_local_placements_share_one_model_file() -> None:
    seen = declare(lambda: a_stack(a_plan(*LOCAL)))
    assert [name for name in seen if "weights" in name] == ["hello-weights-1"]
    assert {"hello-local-1", "hello-local-2"} <= set(seen)


def test_the_gateway_gets_the_backends_in_failover_order() -> None:
    routes = routes_of(declare(lambda: a_stack(a_plan(LOCAL[0], OPENAI))))
    (service,) = routes["services"]
    assert service["models"] == ["hello", "acme/tiny-gguf"]
    assert [backend["name"] for backend in service["backends"]] == ["local-1", "openai-2"]
    assert service["backends"][0]["model"] == "served"
    assert service["backends"][1] == {
        "name": "openai-2",
        "url": "http://127.0.0.1:11434/v1",
        "model": "smollm2:135m",
        "api_key": None,
    }


def test_no_key_is_part_of_a_command_line() -> None:
    seen = declare(lambda: a_stack(a_plan(*LOCAL)))
    for name in ("hello-local-1", "hello-local-2", "gateway-process"):
        assert "key-of" not in json.dumps(seen[name]["command"])
    environment = revealed(seen["hello-local-1"]["environment"])
    assert environment["MOORAGE_ENGINE_KEY"] == "key-of-hello-local-1-key"


def test_other_bytes_under_the_same_path_restart_the_engine() -> None:
    seen = declare(lambda: a_stack(a_plan(*LOCAL)))
    environment = revealed(seen["hello-local-1"]["environment"])
    assert environment["MOORAGE_WEIGHTS_SHA256"] == "d1935"


def test_an_engine_is_sized_by_its_plan() -> None:
    command = declare(lambda: a_stack(a_plan(*LOCAL)))["hello-local-1"]["command"]
    assert command[command.index("--ctx") + 1] == "2048"
    assert command[command.index("--parallel") + 1] == "2"
    assert "--threads" not in command


@pytest.mark.parametrize(
    ("task", "path", "field"),
    [
        ("text-generation", "/v1/chat/completions", "messages"),
        ("feature-extraction", "/v1/embeddings", "input"),
    ],
)
def test_ready_means_that_the_model_answered(task: str, path: str, field: str) -> None:
    ready = declare(lambda: a_stack(a_plan(*LOCAL, task=task)))["hello-local-1"]["ready"]
    assert ready["path"] == path
    assert field in json.loads(ready["body"])


def test_the_gateway_is_ready_when_it_serves_these_very_routes() -> None:
    seen = declare(lambda: a_stack(a_plan(*LOCAL)))["gateway-process"]
    assert len(seen["ready"]["contains"]) == 64
    assert seen["reloadSignal"] == "SIGHUP"


def test_a_missing_key_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("THEIR_KEY", raising=False)
    options = {**OPENAI.options, "api_key_env": "THEIR_KEY"}
    plan = a_plan(Placement(name="openai-1", kind="openai", options=options))
    with pytest.raises(MoorageError, match="openai-1: the environment has no THEIR_KEY"):
        declare(lambda: a_stack(plan))


def test_every_kind_can_be_built() -> None:
    assert all(callable(kind.build) for kind in KINDS.values())


def test_a_kind_that_nothing_builds_yet_is_refused_by_name() -> None:
    endpoint = Placement(name="hf-endpoint-2", kind="hf-endpoint")
    with pytest.raises(MoorageError) as refused:
        refuse_unbuilt([a_plan(LOCAL[0], endpoint)])
    assert str(refused.value).startswith("hello.yaml: hf-endpoint-2: kind hf-endpoint: ")
    assert "not deployed yet" in str(refused.value)
    assert refused.value.exit_code == Exit.PROBLEMS


def test_plans_of_built_kinds_are_let_through() -> None:
    refuse_unbuilt([a_plan(*LOCAL), a_plan(OPENAI)])
