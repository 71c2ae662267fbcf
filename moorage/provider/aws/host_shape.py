"""What a GpuHost takes and gives, and what of it no field can judge by itself."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from typing import Any, Final

from moorage.provider.handler import DRIFT, Failure, Field, Shape, State

MARK: Final = "moorage-"  # what our own tags begin with
_NAME: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_REGION: Final = re.compile(r"[a-z]{2,4}(-[a-z]+)+-\d{1,2}")
_OWNER: Final = re.compile(r"[\w.:/=+@ -]{1,256}")
_GROUP: Final = re.compile(r"(sg|pl)-[0-9a-f]{8,17}")
_SUBNET: Final = re.compile(r"subnet-[0-9a-f]{8,17}")
_IMAGE: Final = re.compile(r"ami-[0-9a-f]{8,17}")
_SECRET: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")
_MOST_SUBNETS: Final = 9  # as many as a tag can hold
_MOST_TAGS: Final = 30
_MOST_USER_DATA: Final = 16 * 1024
_MOST_SECRET: Final = 4 * 1024
_WIDEST_PRIVATE: Final = {4: 8, 6: 7}  # 10.0.0.0/8 and fc00::/7; wider ones are others', too


def _matches(pattern: re.Pattern[str], words: str) -> Any:
    return lambda text: None if pattern.fullmatch(text) else f"must be {words}"


def _is_path(path: str) -> str | None:
    return None if path.startswith("/") else "must begin with /"


def _is_source(text: str) -> str | None:
    if _GROUP.fullmatch(text):
        return None
    try:
        network = ipaddress.ip_network(text)
    except ValueError:
        return "must be a network such as 10.0.0.0/16, a security group or a prefix list"
    widest = _WIDEST_PRIVATE[network.version]
    return None if network.prefixlen >= widest else "is half the world; name who may ask"


def _is_short(text: str) -> str | None:
    size = len(text.encode())
    return None if size <= _MOST_USER_DATA else f"has {size} bytes, EC2 takes {_MOST_USER_DATA}"


_TEXT: Final = Field(kind="string", doc="")

_WHERE: Final = {
    "region": Field(
        kind="string",
        doc="The region of AWS.",
        required=True,
        replaces=True,
        rule=_matches(_REGION, "a region such as eu-west-1"),
    ),
    "name": Field(
        kind="string",
        doc="Its name in account and region, at most 63 characters; a replacement needs another.",
        required=True,
        replaces=True,
        rule=_matches(_NAME, "lowercase letters, digits and `-`, at most 63"),
    ),
    "owner": Field(
        kind="string",
        doc="Who declares it, `project/stack/name`, as it is tagged.",
        required=True,
        rule=_matches(_OWNER, "letters, digits and . : / = + @ - _, at most 256"),
    ),
    "subnets": Field(
        kind="list",
        doc="Where it may run, in this order; absent: the default network's, zone by zone.",
        items=Field(kind="string", doc="", rule=_matches(_SUBNET, "a subnet's id")),
        replaces=True,
    ),
    "publicAddress": Field(
        kind="boolean", doc="Whether it gets a public address.", default=False, replaces=True
    ),
    "allowFrom": Field(
        kind="list",
        doc="Who may ask the engine: networks, security groups, prefix lists; nobody else can.",
        items=Field(kind="string", doc="", rule=_is_source),
        required=True,
    ),
}
_MACHINE: Final = {
    "instanceType": Field(
        kind="string", doc="The instance, such as g6e.xlarge.", required=True, replaces=True
    ),
    "market": Field(
        kind="string",
        doc="on-demand, or spot, which may be taken away at two minutes' notice.",
        default="on-demand",
        choices=("on-demand", "spot"),
        replaces=True,
    ),
    "ami": Field(
        kind="string",
        doc="The machine image.",
        replaces=True,
        rule=_matches(_IMAGE, "an image's id"),
    ),
    "amiParameter": Field(
        kind="string",
        doc="The SSM parameter that names the machine image; asked when an instance is made.",
        replaces=True,
        rule=_is_path,
    ),
    "diskGib": Field(
        kind="integer",
        doc="Its encrypted disk, gone with the instance.",
        default=200,
        least=1,
        most=65536,
        replaces=True,
    ),
    "instanceProfile": Field(
        kind="string", doc="The name of the IAM instance profile that it gets.", replaces=True
    ),
    "userData": Field(
        kind="string",
        doc="What cloud-init does when it is made.",
        required=True,
        secret=True,
        replaces=True,
        rule=_is_short,
    ),
    "secrets": Field(
        kind="map",
        doc="Kept as SecureString parameters at /moorage/<name>/<key>; needs an instanceProfile.",
        items=_TEXT,
        secret=True,
    ),
    "stopWhenIdle": Field(
        kind="boolean",
        doc="Whether it stops when it shuts itself down, and may stay so; else it is gone then.",
        default=False,
    ),
    "tags": Field(kind="map", doc="Tags of one's own, on everything.", items=_TEXT),
}
_PROOF: Final = {
    "port": Field(
        kind="integer", doc="Where the engine listens.", default=8000, least=1, most=65535
    ),
    "probe": Field(
        kind="object",
        doc="The request that proves that it serves.",
        required=True,
        fields={
            "path": Field(kind="string", doc="Below its url.", required=True, rule=_is_path),
            "body": Field(kind="string", doc="What is posted; absent: it is a GET."),
        },
    ),
    "key": Field(kind="string", doc="The engine's API key.", secret=True),
    "kv": Field(
        kind="object",
        doc="The closed loop: the KV cache that the plan has proven.",
        fields={
            "tokens": Field(kind="integer", doc="Planned tokens.", required=True, least=1),
            "tolerance": Field(
                kind="number", doc="How far it may be off, as a share.", default=0.05, least=0
            ),
        },
    ),
    "readyTimeoutSeconds": Field(
        kind="number", doc="How long it may take to serve.", default=1800, least=1
    ),
    "needed": Field(
        kind="boolean",
        doc="Whether a run fails when there is no capacity; else the next one tries again.",
        default=True,
    ),
}

_EXAMPLE: Final = """
from moorage.resources import GpuHost

GpuHost(
    "chat",
    region="eu-west-1",
    name="chat-3f9a1c",
    owner="shop/prod/chat",
    instance_type="g6e.xlarge",
    ami_parameter="/aws/service/deeplearning/ami/x86_64/"
    "base-oss-nvidia-driver-gpu-ubuntu-24.04/latest/ami-id",
    allow_from=["10.0.0.0/16"],
    user_data="#cloud-config\\n...",
    probe={"path": "/v1/models"},
)
"""

SHAPE: Final = Shape(
    doc="An EC2 instance with GPUs that serves a model to those that may ask it, and no one else.",
    inputs={**_WHERE, **_MACHINE, **_PROOF},
    outputs={
        "url": Field(kind="string", doc="The engine's address, ending in /v1; none without one."),
        "instanceId": Field(kind="string", doc="The instance."),
        "privateIp": Field(kind="string", doc="Its private address."),
        "publicIp": Field(kind="string", doc="Its public address, if it has one now."),
        "zone": Field(kind="string", doc="The zone it runs in."),
        "subnetId": Field(kind="string", doc="The subnet it runs in."),
        "imageId": Field(kind="string", doc="The machine image it was made of."),
        "state": Field(
            kind="string",
            doc="EC2's word for its state, `asleep` when it stopped when idle, or `none`.",
            required=True,
        ),
        "servedModel": Field(kind="string", doc="The name to ask for."),
        "engineVersion": Field(kind="string", doc="The engine's version, where it tells it."),
        "kvTokens": Field(kind="integer", doc="Tokens that its KV cache holds."),
        "kvDifference": Field(kind="number", doc="How far that is from the plan, as a share."),
        "isImported": Field(
            kind="boolean",
            doc="Whether it was made by hand: what is around it stays.",
            required=True,
        ),
        "drift": DRIFT,
    },
    refresh_before_update=True,
    timeout_s=7200.0,
    example=_EXAMPLE,
    import_id="`<region>/<name>`, or `<region>/i-…` for an instance that was made by hand",
)


def check(inputs: State) -> list[Failure]:
    """What no field can judge by itself."""
    judged = (*_image(inputs), *_sleep(inputs), *_secrets(inputs), *_lists(inputs))
    return [Failure(name=name, reason=reason) for name, reason in judged]


def _image(inputs: State) -> Iterator[tuple[str, str]]:
    if ("ami" in inputs) == ("amiParameter" in inputs):
        yield "ami", "give either ami or amiParameter"


def _sleep(inputs: State) -> Iterator[tuple[str, str]]:
    if inputs["stopWhenIdle"] and inputs["market"] == "spot":
        yield "stopWhenIdle", "a spot instance cannot be stopped; take the market on-demand"


def _secrets(inputs: State) -> Iterator[tuple[str, str]]:
    secrets = inputs.get("secrets", {})
    if secrets and "instanceProfile" not in inputs:
        yield "secrets", "need an instanceProfile that may read /moorage/<name>/* from SSM"
    for name in sorted(secrets):
        if not _SECRET.fullmatch(name):
            yield "secrets", f"{name} is no name of an environment variable"
        elif not 0 < len(secrets[name].encode()) <= _MOST_SECRET:
            yield "secrets", f"{name} must have 1 to {_MOST_SECRET} bytes"


def _lists(inputs: State) -> Iterator[tuple[str, str]]:
    subnets, tags, sources = (inputs.get(name) for name in ("subnets", "tags", "allowFrom"))
    if subnets is not None and not 0 < len(subnets) <= _MOST_SUBNETS:
        yield "subnets", f"name 1 to {_MOST_SUBNETS} of them, or leave it out"
    for name in (*(subnets or ()), *(sources or ())):
        if (*(subnets or ()), *(sources or ())).count(name) > 1:
            yield "subnets" if name in (subnets or ()) else "allowFrom", f"names {name} twice"
            break
    if len(tags or ()) > _MOST_TAGS:
        yield "tags", f"there are {len(tags or ())}, and may be {_MOST_TAGS}"
    for name in sorted(tags or ()):
        if name.lower().startswith((MARK, "aws:")) or name == "Name":
            yield "tags", f"{name} is not yours to set"
