"""A plan becomes resources: what is declared, in which order, and what of it is secret."""

from __future__ import annotations

import json

import pytest

from components import KINDS, refuse_unfurnished
from moorage.errors import MoorageError
from moorage.plan.types import Placement, Weights
from tests.components.programs import a_plan, a_stack, declare, revealed, routes_of

WEIGHTS = Weights(repo="acme/tiny-gguf", revision="c0ffee", file="tiny.gguf", offline="tiny")
LOCAL = (
    Placement(name="local-1", kind="local", weights=WEIGHTS, options={"parallel": 2}),
    Placement(name="local-2", kind="local", weights=WEIGHTS),
)
OPENAI = Placement(name="openai-2", kind="openai", options={"url": "http://127.0.0.1:11434/v1"})


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


def test_what_the_environment_lacks_is_named_before_anything_is_declared(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("THEIR_KEY", raising=False)
    options = {**OPENAI.options, "api_key_env": "THEIR_KEY"}
    plan = a_plan(LOCAL[0], Placement(name="openai-2", kind="openai", options=options))
    says = "hello.yaml: openai-2: the environment has no THEIR_KEY; set it to the server's key"
    with pytest.raises(MoorageError) as refused:
        refuse_unfurnished([plan])
    assert str(refused.value) == says
    monkeypatch.setenv("THEIR_KEY", "sk-theirs")
    refuse_unfurnished([plan])
    server = declare(lambda: a_stack(plan))["hello-openai-2"]
    assert revealed(server["apiKey"]) == "sk-theirs"


def test_every_kind_can_be_built() -> None:
    assert all(callable(kind.build) for kind in KINDS.values())
