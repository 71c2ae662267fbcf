"""What an InferenceEndpoint takes and gives, and what of it no field can judge by itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from moorage.provider.handler import DRIFT, Failure, Field, Shape, State
from moorage.provider.hugging_face.endpoints import endpoint_images
from moorage.provider.hugging_face.endpoints.endpoint_images import ENGINES

_NAME: Final = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
_LONGEST_NAME: Final = 32
_OUR_TAG: Final = "moorage"
# What llama.cpp's container sets by itself; a value of ours would be overlooked, or break it.
_RESERVED: Final = frozenset(
    {
        *("MODEL", "HTTP_THREADS", "N_GPU_LAYERS", "EMBEDDINGS", "HOST", "PORT"),
        *("NO_MMAP", "CTX_SIZE", "N_PARALLEL", "ENDPOINT_METRICS"),
    }
)


def _is_name(name: str) -> str | None:
    if len(name) > _LONGEST_NAME:
        return f"has {len(name)} characters, and may have {_LONGEST_NAME}"
    good = _NAME.fullmatch(name)
    return None if good else "must be lowercase letters, digits and `-`, which is not at its ends"


def _is_path(path: str) -> str | None:
    return None if path.startswith("/") else "must begin with /"


def _is_account(name: str) -> str | None:
    return None if name and "/" not in name else "must be the name of one user or organisation"


_TEXT: Final = Field(kind="string", doc="")
_ANY: Final = Field(kind="any", doc="")

_WHERE: Final = {
    "name": Field(
        kind="string",
        doc="Its name in the account, at most 32 characters.",
        required=True,
        replaces=True,
        rule=_is_name,
    ),
    "namespace": Field(
        kind="string",
        doc="The user or organisation that has and pays it; absent: who the token belongs to.",
        replaces=True,
        rule=_is_account,
    ),
    "owner": Field(
        kind="string",
        doc="Who declares it, `project/stack/name`, as it is marked; absent: as the URN says.",
    ),
    "vendor": Field(kind="string", doc="The cloud: aws, azure, gcp.", required=True, replaces=True),
    "region": Field(kind="string", doc="The cloud's region.", required=True, replaces=True),
}
_MODEL: Final = {
    "repository": Field(kind="string", doc="The model's repository.", required=True),
    "revision": Field(kind="string", doc="The commit that is served."),
    "task": Field(kind="string", doc="What the model is for; absent: as the Hub says."),
    "framework": Field(kind="string", doc="The model's framework, where the engine asks for one."),
    "engine": Field(
        kind="string",
        doc="What serves it.",
        required=True,
        replaces=True,
        choices=tuple(ENGINES),
    ),
    "image": Field(kind="string", doc="The engine's container image, pinned."),
    "engineOptions": Field(kind="map", doc="The engine's own options.", items=_ANY),
    "command": Field(kind="list", doc="The container's command.", items=_TEXT),
    "args": Field(kind="list", doc="The container's arguments.", items=_TEXT),
    "env": Field(kind="map", doc="The container's environment.", items=_TEXT),
    "secrets": Field(
        kind="map",
        doc="The secret part of its environment; none declared: those that others set stay.",
        items=_TEXT,
        secret=True,
    ),
    "registry": Field(
        kind="object",
        doc="Who pulls a private image; for the custom engine. Absent: whom others set stays.",
        fields={
            "username": Field(kind="string", doc="The registry's user.", required=True),
            "password": Field(
                kind="string", doc="The user's password or token.", required=True, secret=True
            ),
        },
    ),
}
_SIZE: Final = {
    "accelerator": Field(
        kind="string", doc="What computes.", required=True, choices=("cpu", "gpu", "neuron")
    ),
    "instanceType": Field(kind="string", doc="The instance, such as nvidia-l40s.", required=True),
    "instanceSize": Field(kind="string", doc="Its size, such as x1.", required=True),
    "minReplica": Field(
        kind="integer", doc="The fewest replicas; 0 lets it sleep.", default=1, least=0
    ),
    "maxReplica": Field(kind="integer", doc="The most replicas.", default=1, least=1),
    "scaleToZeroMinutes": Field(
        kind="integer", doc="Without a request for so long it falls asleep.", least=1
    ),
    "scalingMetric": Field(
        kind="string",
        doc="What more replicas are started for.",
        choices=("pendingRequests", "hardwareUsage"),
    ),
    "scalingThreshold": Field(kind="number", doc="From how much of it on.", least=0),
}
_ACCESS: Final = {
    "access": Field(
        kind="string",
        doc="Who may call it: anybody, any account, or this account alone.",
        required=True,
        replaces=True,
        choices=("public", "authenticated", "private"),
    ),
    "checkAccess": Field(
        kind="boolean", doc="Prove that it refuses who may not call it.", default=True
    ),
    "privateLink": Field(
        kind="object",
        doc="Reached through AWS PrivateLink only.",
        replaces=True,
        fields={
            "account": Field(kind="string", doc="The AWS account.", required=True),
            "region": Field(kind="string", doc="Where the link enters.", required=True),
            "shared": Field(kind="boolean", doc="Whether endpoints share the link."),
        },
    ),
    "domain": Field(kind="string", doc="A domain of one's own."),
    "path": Field(kind="string", doc="The path under that domain.", rule=_is_path),
    "cacheHttpResponses": Field(kind="boolean", doc="Whether answers are cached.", default=False),
    "customRouter": Field(
        kind="object",
        doc="A router of one's own between the replicas.",
        fields={
            "tag": Field(kind="string", doc="The tag of its image.", required=True),
            "env": Field(kind="map", doc="Its environment.", items=_TEXT),
            "port": Field(kind="integer", doc="Its port."),
        },
    ),
}
_REST: Final = {
    "tags": Field(kind="list", doc="Tags of one's own.", items=_TEXT),
    "notifications": Field(kind="any", doc="Who is told of what, in the API's form."),
    "experimentalFeatures": Field(kind="any", doc="Switches of the API, in its form."),
    "network": Field(kind="any", doc="Its network, in the API's form."),
    "paused": Field(kind="boolean", doc="Whether it rests, and costs nothing.", default=False),
    "probe": Field(
        kind="object",
        doc="The request that proves that it serves; absent: one that fits the task.",
        fields={
            "path": Field(kind="string", doc="Below its url.", required=True, rule=_is_path),
            "body": Field(kind="any", doc="What is sent; absent: it is a GET."),
        },
    ),
    "readyTimeoutSeconds": Field(
        kind="number", doc="How long it may take to serve.", default=1800, least=1
    ),
}

_EXAMPLE: Final = """
from moorage.resources import InferenceEndpoint

InferenceEndpoint(
    "chat",
    name="chat-prod",
    namespace="acme",
    vendor="aws",
    region="eu-west-1",
    repository="Qwen/Qwen3-8B",
    accelerator="gpu",
    instance_type="nvidia-l40s",
    instance_size="x1",
    engine="vllm",
    image="vllm/vllm-openai:v0.33.0",
    access="private",
)
"""

SHAPE: Final = Shape(
    doc="An Inference Endpoint of Hugging Face, proven by a real request.",
    inputs={**_WHERE, **_MODEL, **_SIZE, **_ACCESS, **_REST},
    outputs={
        "url": Field(
            kind="string",
            doc="Base URL, ending in /v1 unless the engine is the toolkit; none before it serves.",
        ),
        "servedModel": Field(kind="string", doc="The name to ask for."),
        "status": Field(kind="string", doc="Its state, in Hugging Face's word.", required=True),
        "readyReplicas": Field(kind="integer", doc="How many replicas serve.", required=True),
        "revisionActual": Field(kind="string", doc="The commit that is served."),
        "computeId": Field(kind="string", doc="The instance's id in the catalogue."),
        "createdAt": Field(kind="string", doc="When it was made."),
        "pricePerHour": Field(kind="number", doc="USD for an hour of one replica."),
        "hourlyUsd": Field(
            kind="number", doc="USD for an hour of its fewest replicas, as it is now."
        ),
        "account": Field(kind="string", doc="Who has and pays it.", required=True, stable=True),
        "ownedBy": Field(kind="string", doc="Who it is marked as declared by."),
        "isImported": Field(
            kind="boolean", doc="Whether it came without a mark of ours.", required=True
        ),
        "drift": DRIFT,
    },
    refresh_before_update=True,
    timeout_s=7200.0,
    example=_EXAMPLE,
    import_id="`account/name`, as its page's address ends",
)


def check(inputs: State) -> list[Failure]:
    """What no field can judge by itself."""
    judged = (*_image(inputs), *_scaling(inputs), *_environment(inputs), *_tags(inputs))
    return [Failure(name=name, reason=reason) for name, reason in judged]


def _image(inputs: State) -> Iterator[tuple[str, str]]:
    engine = inputs["engine"]
    if ENGINES[engine].has_image and "image" not in inputs:
        yield "image", f"{engine} needs an image, pinned to a version or digest"
    if not ENGINES[engine].has_image and "image" in inputs:
        yield "image", f"{engine} has an image of its own; drop it, or take the engine custom"
    if "registry" in inputs and engine != "custom":
        yield "registry", "only the custom engine pulls from a private registry"
    options = inputs.get("engineOptions", {})
    for name, reason in endpoint_images.wrong_with(engine, options):
        yield f"engineOptions.{name}", reason


def _scaling(inputs: State) -> Iterator[tuple[str, str]]:
    if inputs["maxReplica"] < inputs["minReplica"]:
        yield "maxReplica", f"must be at least minReplica, which is {inputs['minReplica']}"
    if "scaleToZeroMinutes" in inputs and inputs["minReplica"] > 0:
        yield "scaleToZeroMinutes", "needs minReplica to be 0"
    if ("scalingMetric" in inputs) != ("scalingThreshold" in inputs):
        yield "scalingMetric", "give it together with scalingThreshold"


def _environment(inputs: State) -> Iterator[tuple[str, str]]:
    env, hidden = inputs.get("env", {}), inputs.get("secrets", {})
    for name in sorted(env.keys() & hidden.keys()):
        yield "env", f"{name} is among the secrets, too; keep it in one of them"
    if inputs["engine"] == "llama.cpp":
        for name in sorted(_RESERVED & (env.keys() | hidden.keys())):
            yield "env", f"{name} is set by llama.cpp's container; use engineOptions or args"


def _tags(inputs: State) -> Iterator[tuple[str, str]]:
    tags: list[Any] = inputs.get("tags", [])
    for tag in tags:
        if tag.startswith(_OUR_TAG):
            yield "tags", f"{tag}: tags that begin with {_OUR_TAG} say whose it is"
    if len(set(tags)) < len(tags):
        yield "tags", "names a tag twice"
