"""What is read of a host: what would declare it, and what has changed of it."""

from __future__ import annotations

import base64
import time
from dataclasses import replace
from typing import Final

from moorage.errors import MoorageError
from moorage.provider.aws import (
    host_drift,
    host_launch,
    host_network,
    host_secrets,
    host_state,
    host_tags,
    host_wait,
)
from moorage.provider.aws.cloud import Record
from moorage.provider.aws.host_place import Parts, Place
from moorage.provider.aws.host_shape import SHAPE
from moorage.provider.handler import Context, Found, State

_ASK_S: Final = 10.0
_MODELS: Final = {"path": "/v1/models"}  # what is asked where nothing is declared


def drift(place: Place, parts: Parts, inputs: State, context: Context) -> str | None:
    """What Read found changed; an engine that does not answer is told when all else is well."""
    has_secrets = bool(inputs.get("secrets")) and not place.is_by_hand
    secrets = host_secrets.names(place) if has_secrets else None
    told = host_drift.sentence(place, parts, inputs, secrets)
    instance = parts.instance
    if told or instance is None or instance["State"]["Name"] != "running":
        return told
    try:
        host_wait.asked(instance, inputs, _briefly(context))
    except MoorageError as reason:
        return f"its engine does not answer: {reason}"
    return None


def _briefly(context: Context) -> Context:
    return replace(context, deadline_s=min(context.deadline_s, time.monotonic() + _ASK_S))


def imported(place: Place, parts: Parts, context: Context) -> Found:
    """The inputs that would declare it, and what is known of it."""
    inputs = _by_hand(place, parts, context) if place.is_by_hand else _ours(place, parts)
    told = host_state.known(place, inputs, parts.instance, {})
    told["drift"] = host_drift.sentence(place, parts, inputs, None)
    return Found(id=place.id, state=told, inputs=inputs)


def _ours(place: Place, parts: Parts) -> State:
    """Its tags and its template tell what was declared, also where there is no instance."""
    marked = parts.any
    assert marked is not None
    told = host_tags.declared(marked)
    made = _seen(parts.instance or {})
    if parts.template is not None:
        made |= _known(host_launch.declared(place, parts.template))
    if "amiParameter" in told:
        made.pop("ami", None)
    inputs = {**_defaults(), **made, **told}
    inputs["allowFrom"] = host_network.allowed(parts.groups, inputs["port"])
    return {**inputs, "region": place.cloud.region, "name": place.name}


def _by_hand(place: Place, parts: Parts, context: Context) -> State:
    instance = parts.instance
    assert instance is not None
    inputs = {**_defaults(), **_seen(instance), "publicAddress": "PublicIpAddress" in instance}
    return {
        **inputs,
        "region": place.cloud.region,
        "name": place.name,
        "owner": _owner(context.urn),
        "allowFrom": host_network.allowed(_groups(place, instance), inputs["port"]),
        "userData": _user_data(place),
    }


def _seen(instance: Record) -> State:
    """What the instance itself shows."""
    profile = instance.get("IamInstanceProfile", {}).get("Arn", "").rpartition("/")[2]
    return _known(
        {
            "instanceType": instance.get("InstanceType"),
            "market": "spot" if instance.get("InstanceLifecycle") == "spot" else "on-demand",
            "ami": instance.get("ImageId"),
            "instanceProfile": profile or None,
        }
    )


def _known(told: State) -> State:
    return {name: one for name, one in told.items() if one is not None}


def _defaults() -> State:
    """What is of the deployment, or has a default that nothing contradicts."""
    defaults = {name: one.default for name, one in SHAPE.inputs.items() if one.default is not None}
    return {**defaults, "probe": _MODELS, "userData": ""}


def _groups(place: Place, instance: Record) -> list[Record]:
    ids = host_drift.groups_of(instance)
    return list(place.cloud.ec2("describe_security_groups", GroupIds=ids)["SecurityGroups"])


def _user_data(place: Place) -> str:
    answer = place.cloud.ec2(
        "describe_instance_attribute", InstanceId=place.name, Attribute="userData"
    )
    encoded = (answer.get("UserData") or {}).get("Value") or ""
    return base64.b64decode(encoded).decode(errors="replace")


def _owner(urn: str) -> str:
    """Who declares it, `project/stack/name`, as its URN says."""
    parts = urn.split("::", 3)
    if len(parts) < 4:
        return urn
    return f"{parts[1]}/{parts[0].removeprefix('urn:pulumi:')}/{parts[3]}"
