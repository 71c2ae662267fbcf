"""What an EngineReady takes and gives."""

from __future__ import annotations

from typing import Final

from moorage.provider.docker_host import hosts
from moorage.provider.handler import DRIFT, Field, Shape

_V1: Final = "/v1"


def _is_base(url: str) -> str | None:
    if not url.startswith(("http://", "https://")):
        return "must begin with http:// or https://"
    return "must be the engine's base, without /v1" if url.rstrip("/").endswith(_V1) else None


def _is_path(path: str) -> str | None:
    return None if path.startswith("/") else "must begin with /"


_EXAMPLE: Final = """
from moorage.resources import ApiKey, EngineReady

EngineReady(
    "chat",
    host="ssh://gpu-box-1",
    owner="shop/prod/chat",
    container="chat",
    container_id="0123456789ab",  # what docker.Container has as its id
    url="http://127.0.0.1:21000",
    key=ApiKey("chat-key").value,
    probe={
        "path": "/v1/chat/completions",
        "body": '{"model": "chat", "messages": [{"role": "user", "content": "ping"}]}',
    },
    kv={"tokens": 65536, "tolerance": 0.05},
)
"""

SHAPE: Final = Shape(
    doc="A container's engine, proven by a real request and held to the KV cache of its plan.",
    inputs={
        "host": Field(
            kind="string",
            doc="`local` (DOCKER_HOST of the environment, else the default socket), or its address"
            " as ssh://, unix:// or tcp://.",
            required=True,
            replaces=True,
            rule=hosts.fault,
        ),
        "owner": Field(
            kind="string",
            doc="Whose the container is, as its label `moorage.owner` says.",
            required=True,
            replaces=True,
        ),
        "container": Field(kind="string", doc="The container's name.", required=True),
        "containerId": Field(kind="string", doc="The container's id.", required=True),
        "url": Field(
            kind="string",
            doc="The engine's address without /v1, as it is reached from here.",
            required=True,
            rule=_is_base,
        ),
        "key": Field(kind="string", doc="Bearer key of the engine.", secret=True),
        "probe": Field(
            kind="object",
            doc="The request that proves that it serves.",
            required=True,
            fields={
                "path": Field(kind="string", doc="Below the url.", required=True, rule=_is_path),
                "body": Field(kind="string", doc="JSON to POST; without it it is a GET."),
            },
        ),
        "kv": Field(
            kind="object",
            doc="What the plan has proven of the engine's KV cache.",
            fields={
                "tokens": Field(
                    kind="integer", doc="How many tokens it holds.", required=True, least=0
                ),
                "tolerance": Field(
                    kind="number", doc="What share of them may be missing.", default=0.05, least=0
                ),
            },
        ),
        "blueGreen": Field(
            kind="boolean",
            doc="Whether another container serves meanwhile; then one that fails is stopped.",
            default=False,
        ),
        "readyTimeoutSeconds": Field(
            kind="number", doc="How long it may take to serve.", default=1800, least=1
        ),
    },
    outputs={
        "servedModel": Field(kind="string", doc="The name that it answers under."),
        "status": Field(kind="string", doc="The container's state, in Docker's word."),
        "engineVersion": Field(kind="string", doc="The engine's version, where it tells one."),
        "kvTokens": Field(kind="integer", doc="Tokens that its KV cache holds, where it tells."),
        "kvDifference": Field(
            kind="number", doc="Share of the planned tokens that it has more; below 0: less."
        ),
        "startedAt": Field(kind="string", doc="When the container was started (RFC 3339)."),
        "drift": DRIFT,
    },
    refresh_before_update=True,
    timeout_s=7200.0,
    example=_EXAMPLE,
)
