"""A model behind the router, as the twin serves it to the tests of routes."""

from __future__ import annotations

from typing import Any

from moorage.twin import face

MODEL = "acme/chat"
EMBEDDER = "acme/vectors"


def row(task: str = "conversational", **said: Any) -> dict[str, Any]:
    known = {"status": "live", "task": task, "providerId": "theirs/chat"}
    return {**known, "context_length": 16384, "pricing": {"input": 0.1, "output": 0.4}, **said}


def scenario(**providers: dict[str, Any]) -> face.Scenario:
    """Two providers that will do, and those that are given."""
    usual = {"together": row(), "novita": row(pricing={"input": 0.2, "output": 0.3})}
    chat = face.Repo(providers={**usual, **providers})
    vectors = face.Repo(
        pipeline_tag="feature-extraction",
        providers={
            "together": row("feature-extraction", providerId="theirs/vectors"),
            "hf-inference": row("feature-extraction"),
        },
    )
    return face.Scenario(repos={MODEL: chat, EMBEDDER: vectors})
