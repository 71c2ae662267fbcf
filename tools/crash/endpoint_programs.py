"""Programs that declare Inference Endpoints."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import pulumi

from moorage.resources import InferenceEndpoint

SECRETS: Final = ("sk-in-the-container", "sk-of-another-day")
_MODEL: Final[dict[str, Any]] = {
    "vendor": "aws",
    "region": "eu-west-1",
    "repository": "acme/tiny",
    "revision": "0" * 40,
    "task": "text-generation",
    "accelerator": "gpu",
    "instance_type": "nvidia-l4",
    "instance_size": "x1",
    "engine": "vllm",
    "image": "vllm/vllm-openai:v0.33.0",
}


def _chat(*, opts: pulumi.ResourceOptions | None = None, **inputs: Any) -> InferenceEndpoint:
    """An organisation's, with a secret in its container."""
    wanted = {"name": "demo-chat", "secrets": {"API_KEY": SECRETS[0]}, **_MODEL, **inputs}
    return InferenceEndpoint("chat", namespace="acme", access="private", opts=opts, **wanted)


def _draft(chat: InferenceEndpoint, **env: str) -> InferenceEndpoint:
    """In the account of the token, which has to be asked for; made after the other one."""
    told: dict[str, pulumi.Input[str]] = {"UPSTREAM": chat.url.apply(str), **env}
    return InferenceEndpoint("draft", name="demo-draft", access="authenticated", env=told, **_MODEL)


PROGRAMS: Final[dict[str, Callable[[], object]]] = {
    "chat": _chat,
    "chat and draft": lambda: _draft(_chat()),
    "chat and draft changed": lambda: _draft(
        _chat(max_replica=2, secrets={"API_KEY": SECRETS[1]}), LOG="debug"
    ),
    "chat elsewhere": lambda: _chat(name="demo-chat-us", region="us-east-1"),
    "chat moved": lambda: _chat(
        region="us-east-1", opts=pulumi.ResourceOptions(delete_before_replace=True)
    ),
}
