"""The smallest request that proves that a model answers, by its task and its engine."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from moorage.spec.tasks import TASKS

_PING: Final = "ping"
_ONE: Final[Mapping[str, Any]] = {"max_tokens": 1}
_BODIES: Final[Mapping[str, Mapping[str, Any]]] = {
    "chat/completions": {"messages": [{"role": "user", "content": _PING}], **_ONE},
    "completions": {"prompt": _PING, **_ONE},
    "embeddings": {"input": _PING},
    "rerank": {"query": _PING, "documents": [_PING]},
    "classify": {"input": _PING},
    "images/generations": {"prompt": _PING, "n": 1},
}
# Where an engine answers elsewhere, or to other words.
_OWN: Final[Mapping[tuple[str, str], tuple[str, Mapping[str, Any]]]] = {
    ("tei", "text-ranking"): ("/rerank", {"query": _PING, "texts": [_PING]}),
    ("tei", "text-classification"): ("/predict", {"inputs": _PING}),
    ("vllm", "text-classification"): ("/classify", {"input": _PING}),
    ("vllm", "token-classification"): ("/pooling", {"input": _PING}),
}


def probe(task: str, model: str, *, engine: str | None = None) -> dict[str, str]:
    """Path and body; the list of the models alone where no short question is known."""
    if (own := _OWN.get((engine or "", task))) is not None:
        path, said = own
        return {"path": path, "body": json.dumps(said)}
    usual = TASKS[task].path
    if usual not in _BODIES:
        return {"path": "/v1/models"}
    return {"path": f"/v1/{usual}", "body": json.dumps({"model": model, **_BODIES[usual]})}
