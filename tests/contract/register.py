"""The checks, by the id of the behaviour that each is of."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from typing import Any, Final

from moorage.twin import face
from moorage.twin.face import Repo, Scenario
from tests.contract.place import Place

Run = Callable[[Place], None]

LLM: Final = "acme/tiny-chat"
PROVIDERS: Final[dict[str, dict[str, Any]]] = {
    "together": {
        "status": "live",
        "task": "conversational",
        "providerId": "acme/tiny-chat-turbo",
        "context_length": 4096,
        "pricing": {"input": 0.2, "output": 0.6},
        "throughput": 90,
    },
    "novita": {
        "status": "live",
        "task": "conversational",
        "providerId": "novita/tiny-chat",
        "context_length": 4096,
        "pricing": {"input": 0.1, "output": 0.3},
        "throughput": 40,
    },
    "featherless-ai": {"status": "error", "task": "conversational", "providerId": LLM},
}


def _one(provider: str, task: str, own_id: str) -> dict[str, dict[str, str]]:
    return {provider: {"status": "live", "task": task, "providerId": own_id}}


REPOS: Final = {
    LLM: Repo(files={"config.json": b"{}", "tiny.gguf": b"GGUF"}, providers=PROVIDERS),
    "acme/embedder": Repo(
        files={"config.json": b"{}"},
        pipeline_tag="feature-extraction",
        providers=_one("hf-inference", "feature-extraction", "acme/embedder"),
    ),
    "acme/ranker": Repo(files={"config.json": b"{}"}, pipeline_tag="text-ranking"),
    "acme/painter": Repo(
        files={"config.json": b"{}"},
        pipeline_tag="text-to-image",
        providers=_one("hf-inference", "text-to-image", "acme/painter")
        | _one("together", "text-to-image", "together/painter")
        | _one("fal-ai", "text-to-image", "fal-ai/painter"),
    ),
    "zoe/closed": Repo(files={"w.gguf": b"GGUF" + bytes(1000)}, gated="manual"),
    "zoe/hidden": Repo(files={"w.gguf": b"GGUF"}, private=True),
    "zoe/open": Repo(files={"w.gguf": b"GGUF" + bytes(1000)}, refs={"v1": "a" * 40}),
}
VLLM: Final = {
    "repository": LLM,
    "image": {"vLLM": {"url": "docker.io/vllm/vllm-openai:v0.33.0"}},
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Check:
    """How one behaviour is checked, and the twin that it is checked on."""

    id: str
    run: Run
    scenario: Scenario


CHECKS: Final[dict[str, Check]] = {}


def check(id_: str, scenario: Scenario | None = None) -> Callable[[Run], Run]:
    """Register a check of a behaviour."""

    def register(run: Run) -> Run:
        if id_ in CHECKS:
            message = f"two checks of {id_}"
            raise ValueError(message)
        CHECKS[id_] = Check(id=id_, run=run, scenario=scenario or Scenario())
        return run

    return register


@contextmanager
def twin(scenario: Scenario) -> Iterator[Place]:
    """A twin that has our repositories, as a place to check."""
    told = replace(scenario, repos={**REPOS, **scenario.repos})
    with face.serve(told) as running:
        place = Place(
            urls=running.urls,
            token=told.deploys,
            narrow=told.calls,
            foreign=told.foreign,
            account="acme",
            model=VLLM,
        )
        with closing(place):
            yield place
