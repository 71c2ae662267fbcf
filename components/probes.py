"""The smallest request that proves that a model answers, by its task."""

from __future__ import annotations

import json

from moorage.spec.tasks import TASKS


def path(task: str) -> str:
    """Where to ask, under the address of the server."""
    return f"/v1/{TASKS[task].path}"


def body(task: str, model: str) -> str:
    """What to ask of the model, as JSON."""
    if TASKS[task].chats:
        messages = [{"role": "user", "content": "ping"}]
        return json.dumps({"model": model, "messages": messages, "max_tokens": 1})
    return json.dumps({"model": model, "input": "ping"})
