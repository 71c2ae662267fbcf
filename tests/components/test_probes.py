"""What proves an engine is a question that it answers, in its own words."""

from __future__ import annotations

import json

import pytest

from components import probes
from moorage.provider.serving import ask
from moorage.spec.tasks import TASKS
from tests.provider.serving.engines import KEY, engine


@pytest.mark.parametrize(
    ("words", "name", "task"),
    [
        ((), "vllm", "text-generation"),
        ((), "vllm", "text-ranking"),
        (("--runner", "pooling"), "vllm", "feature-extraction"),
        (("--model-id", "acme/m"), "tei", "text-ranking"),
    ],
)
def test_an_engine_answers_the_question_of_its_task(
    words: tuple[str, ...], name: str, task: str
) -> None:
    with engine(*words, MOORAGE_TWIN_TASK=task) as url:
        model = ask.prove(url, KEY, "/v1/models", None, 5).model
        asked = probes.probe(task, model or "acme/m", engine=name)
        ask.prove(url, KEY, asked["path"], asked["body"], 5)


def test_text_embeddings_inference_has_paths_of_its_own() -> None:
    asked = probes.probe("text-ranking", "m", engine="tei")
    assert asked["path"] == "/rerank"
    assert json.loads(asked["body"]) == {"query": "ping", "texts": ["ping"]}


@pytest.mark.parametrize("task", sorted(TASKS))
def test_every_task_has_a_question(task: str) -> None:
    asked = probes.probe(task, "m", engine="custom")
    assert asked == {"path": "/v1/models"} or json.loads(asked["body"])["model"] == "m"
