"""How a host differs from its inputs, part by part."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from moorage.provider.aws import host_network, host_state, host_tags
from moorage.provider.aws.cloud import Record
from moorage.provider.aws.host_launch import METADATA
from moorage.provider.aws.host_place import Parts, Place
from moorage.provider.handler import State

_MOST_TOLD: Final = 6


def sentence(place: Place, parts: Parts, inputs: State, secrets: list[str] | None) -> str | None:
    """What Read found changed, in one line; None when all is as declared."""
    told = list(_differences(place, parts, inputs, secrets))
    if len(told) > _MOST_TOLD:
        told = [*told[:_MOST_TOLD], f"and {len(told) - _MOST_TOLD} more"]
    return "; ".join(told) or None


def _differences(
    place: Place, parts: Parts, inputs: State, secrets: list[str] | None
) -> Iterator[str]:
    instance = parts.instance
    if instance is None:
        yield f"its instance is gone: {host_state.reason(next(iter(parts.ended[::-1]), None))}"
    else:
        yield from _instance(instance, inputs)
    if place.is_by_hand:
        return
    if instance is not None:
        yield from _around(instance, parts, inputs)
    yield from _tags(parts, inputs)
    if secrets is not None:
        yield from _secrets(secrets, inputs)


def _instance(instance: Record, inputs: State) -> Iterator[str]:
    state = instance["State"]["Name"]
    sleeps = inputs["stopWhenIdle"] and host_state.is_asleep(instance)
    if state in ("stopping", "stopped") and not sleeps:
        yield f"it was stopped: {host_state.reason(instance)}"
    if instance["InstanceType"] != inputs["instanceType"]:
        yield f"instanceType is {instance['InstanceType']}, declared {inputs['instanceType']}"


def _around(instance: Record, parts: Parts, inputs: State) -> Iterator[str]:
    if metadata_differs(instance):
        yield "its metadata is open to more than IMDSv2 at one hop"
    group = group_of(instance, parts)
    if group is None:
        yield "its security group is gone"
        return
    if groups_of(instance) != [group["GroupId"]]:
        yield f"it is in the security groups {', '.join(groups_of(instance))}"
    missing, besides = host_network.compared(group, inputs)
    yield from (f"its group lacks {host_network.told(rule)}" for rule in missing)
    yield from (f"its group also opens {host_network.told(rule)}" for rule in besides)


def metadata_differs(instance: Record) -> bool:
    """Whether anybody has opened its metadata service wider."""
    found = instance.get("MetadataOptions") or {}
    return any(found.get(name) != one for name, one in METADATA.items())


def groups_of(instance: Record) -> list[str]:
    """The security groups it is in."""
    return sorted(one["GroupId"] for one in instance.get("SecurityGroups", ()))


def group_of(instance: Record, parts: Parts) -> Record | None:
    """The host's own group in the instance's network."""
    return next((one for one in parts.groups if one["VpcId"] == instance.get("VpcId")), None)


def _tags(parts: Parts, inputs: State) -> Iterator[str]:
    things = [*parts.instances[:1], *parts.groups, *([parts.template] if parts.template else [])]
    wanted = host_tags.wanted(inputs)
    wrong = {
        name for one in things for name in wanted if host_tags.of(one).get(name) != wanted[name]
    }
    if wrong:
        yield f"the tags {', '.join(sorted(wrong))} differ"


def _secrets(there: list[str], inputs: State) -> Iterator[str]:
    """By their names alone: nobody reads what they hold."""
    for name in sorted(set(there) ^ inputs.get("secrets", {}).keys()):
        yield f"secrets.{name} {'is not declared' if name in there else 'is gone'}"
