"""Whose a thing of AWS is, and how it was declared, as its tags say."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from moorage.provider.aws.cloud import Record
from moorage.provider.aws.host_shape import MARK
from moorage.provider.handler import State

OWNER: Final = f"{MARK}owner"
HOST: Final = f"{MARK}host"
DIGEST: Final = f"{MARK}digest"  # of all that a replacement alone can change
IMAGE: Final = f"{MARK}image"  # the SSM parameter, where one has named the image
_DISK: Final = f"{MARK}disk-gib"
_PUBLIC: Final = f"{MARK}public-address"
_SUBNETS: Final = f"{MARK}subnets"
_PORT: Final = f"{MARK}port"
_IDLE: Final = f"{MARK}stop-when-idle"
FIXED: Final = (
    *("instanceType", "market", "ami", "amiParameter", "diskGib", "instanceProfile"),
    *("publicAddress", "userData"),
)
_DIGITS: Final = 24


def wanted(inputs: State) -> dict[str, str]:
    """The tags of everything that belongs to a host; what no API tells of it is among them."""
    marks = {
        "Name": inputs["name"],
        OWNER: inputs["owner"],
        HOST: inputs["name"],
        DIGEST: digest(inputs),
        IMAGE: inputs.get("amiParameter"),
        _DISK: str(inputs["diskGib"]),
        _PUBLIC: _word(inputs["publicAddress"]),
        _SUBNETS: " ".join(inputs.get("subnets", ())) or None,
        _PORT: str(inputs["port"]),
        _IDLE: _word(inputs["stopWhenIdle"]),
    }
    kept = {name: text for name, text in marks.items() if text is not None}
    return {**inputs.get("tags", {}), **kept}


def digest(inputs: State) -> str:
    """What tells one way of making an instance from any other."""
    fixed = {name: inputs.get(name) for name in ("name", *FIXED)}
    return hashlib.sha256(json.dumps(fixed, sort_keys=True).encode()).hexdigest()[:_DIGITS]


def specified(inputs: State, *kinds: str) -> list[Record]:
    """The tags as they are given with what is made, so that nothing is ever there without them."""
    tags = listed(wanted(inputs))
    return [{"ResourceType": kind, "Tags": tags} for kind in kinds]


def listed(tags: Mapping[str, str]) -> list[Record]:
    """As AWS takes them."""
    return [{"Key": name, "Value": text} for name, text in sorted(tags.items())]


def of(thing: Record) -> dict[str, str]:
    """The tags of a thing, without AWS's own."""
    told: list[Any] = thing.get("Tags") or []
    tags = {str(one["Key"]): str(one["Value"]) for one in told}
    return {name: text for name, text in tags.items() if not name.startswith("aws:")}


def is_marked(thing: Record) -> bool:
    """Whether anybody has declared it by us."""
    return OWNER in of(thing)


def is_of(thing: Record, name: str, owners: Iterable[str]) -> bool:
    """Whether it belongs to the host of one of these owners."""
    tags = of(thing)
    return tags.get(HOST) == name and tags.get(OWNER) in set(owners)


def described(thing: Record) -> str:
    """Whose it is, for people."""
    owner = of(thing).get(OWNER)
    return f"belongs to {owner}" if owner else "was made by hand"


def declared(thing: Record) -> State:
    """The inputs that tags alone tell."""
    tags = of(thing)
    others = {
        name: text for name, text in tags.items() if not name.startswith(MARK) and name != "Name"
    }
    told = {
        "owner": tags.get(OWNER),
        "amiParameter": tags.get(IMAGE),
        "diskGib": _number(tags.get(_DISK)),
        "publicAddress": tags.get(_PUBLIC) == _word(True),
        "subnets": tags.get(_SUBNETS, "").split() or None,
        "port": _number(tags.get(_PORT)),
        "stopWhenIdle": tags.get(_IDLE) == _word(True),
        "tags": others or None,
    }
    return {name: one for name, one in told.items() if one is not None}


def _word(value: bool) -> str:
    return "yes" if value else "no"


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isdigit() else None
