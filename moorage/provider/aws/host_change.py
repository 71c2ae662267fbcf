"""A host that is there, made as it is declared: each step looks first, and may be done twice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from moorage.provider.aws import (
    host_drift,
    host_network,
    host_quotas,
    host_secrets,
    host_tags,
    host_wait,
)
from moorage.provider.aws.cloud import Record
from moorage.provider.aws.faults import AwsError
from moorage.provider.aws.host_launch import METADATA
from moorage.provider.aws.host_place import Parts, Place
from moorage.provider.handler import State

_AROUND: Final = ("allowFrom", "secrets", "tags", "stopWhenIdle")
_STOPPED: Final = ("stopping", "stopped")


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """A host as it was found and as it shall be; `before` is what state knew of it."""

    place: Place
    parts: Parts
    instance: Record
    inputs: State = field(repr=False)
    before: State = field(repr=False)

    @property
    def instance_id(self) -> str:
        """Its own id."""
        return str(self.instance["InstanceId"])


def make(change: Change, *, may_sleep: bool) -> Record:
    """The instance after all that was to be done."""
    if change.place.is_by_hand:
        _leave(change)
    else:
        _end_doubles(change)
        _close(change)
        _shut_down_as_declared(change)
        _tag(change)
        if host_secrets.keep(change.place, change.inputs, change.before):
            _restart(change)
    if change.instance["InstanceType"] != change.inputs["instanceType"]:
        return _resized(change)
    if change.instance["State"]["Name"] in _STOPPED and not may_sleep:
        return _started(change)
    return change.instance


def _leave(change: Change) -> None:
    """What is around an instance that was made by hand is its maker's."""
    wanted = [name for name in _AROUND if change.inputs.get(name) != change.before.get(name)]
    if wanted and change.before:
        change.place.cloud.context.warn(
            f"{change.place.id} was made by hand: {', '.join(wanted)} is left to whoever made it"
        )


def _end_doubles(change: Change) -> None:
    doubles = [str(one["InstanceId"]) for one in change.parts.instances[1:]]
    if doubles:
        context = change.place.cloud.context
        context.warn(f"{change.place.id}: {', '.join(doubles)} is one too many, and is ended")
        change.place.cloud.ec2("terminate_instances", InstanceIds=doubles)


def _close(change: Change) -> None:
    """Its own group and no other, open to who is declared; its metadata to nobody else."""
    cloud, instance = change.place.cloud, change.instance
    group = host_drift.group_of(instance, change.parts)
    group = group or host_network.group(
        change.place, change.inputs, change.parts, instance["VpcId"]
    )
    host_network.open_only(cloud, group, change.inputs)
    if host_drift.groups_of(instance) != [group["GroupId"]]:
        _modify(change, soon=(host_network.NOT_SEEN,), Groups=[group["GroupId"]])
    if host_drift.metadata_differs(instance):
        cloud.ec2("modify_instance_metadata_options", InstanceId=change.instance_id, **METADATA)


def _shut_down_as_declared(change: Change) -> None:
    """What it does when it shuts itself down is told by its tag, which is written afterwards."""
    wanted = change.inputs["stopWhenIdle"]
    if host_tags.declared(change.instance)["stopWhenIdle"] != wanted:
        behaviour = "stop" if wanted else "terminate"
        _modify(change, InstanceInitiatedShutdownBehavior={"Value": behaviour})


def _tag(change: Change) -> None:
    wanted = host_tags.wanted(change.inputs)
    dropped = change.before.get("tags", {}).keys() - wanted.keys()
    for thing, ids in _things(change):
        tags = host_tags.of(thing)
        if any(tags.get(name) != text for name, text in wanted.items()):
            change.place.cloud.ec2("create_tags", Resources=ids, Tags=host_tags.listed(wanted))
        stale = [{"Key": name} for name in sorted(dropped & tags.keys())]
        if stale:
            change.place.cloud.ec2("delete_tags", Resources=ids, Tags=stale)


def _things(change: Change) -> Iterator[tuple[Record, list[str]]]:
    """What has tags, and what else has the same ones: only what goes with the instance.

    What somebody has attached to it by hand stays theirs; a destroy ends all that has our tags.
    """
    instance = change.instance
    disks = [
        one["Ebs"]["VolumeId"]
        for one in instance.get("BlockDeviceMappings", ())
        if one["Ebs"].get("DeleteOnTermination")
    ]
    cards = [
        one["NetworkInterfaceId"]
        for one in instance.get("NetworkInterfaces", ())
        if one.get("Attachment", {}).get("DeleteOnTermination")
    ]
    yield instance, [change.instance_id, *disks, *cards]
    for group in change.parts.groups:
        yield group, [group["GroupId"]]
    if change.parts.template is not None:
        yield change.parts.template, [change.parts.template["LaunchTemplateId"]]


def _restart(change: Change) -> None:
    """Its engine reads secrets when it starts."""
    if change.instance["State"]["Name"] == "running" and change.before:
        change.place.cloud.ec2("reboot_instances", InstanceIds=[change.instance_id])
        host_wait.until_silent(change.place, change.inputs, change.instance)


def _resized(change: Change) -> Record:
    cloud, context = change.place.cloud, change.place.cloud.context
    cloud.ec2("stop_instances", InstanceIds=[change.instance_id])
    host_wait.until(change.place, change.instance_id, "stopped", context)
    _modify(change, InstanceType={"Value": change.inputs["instanceType"]})
    return _started(change)


def _started(change: Change) -> Record:
    """Started once it has stopped: what is just stopping cannot be."""
    cloud, context = change.place.cloud, change.place.cloud.context
    if change.instance["State"]["Name"] != "stopped":
        host_wait.until(change.place, change.instance_id, "stopped", context)
    try:
        cloud.ec2("start_instances", InstanceIds=[change.instance_id])
    except AwsError as error:
        if error.code not in host_quotas.NO_CAPACITY:
            raise
        why = f"{error.code}: {error.words}"
        raise host_quotas.unstarted(change.place.id, change.instance_id, why) from None
    return host_wait.look(change.place, change.instance_id) or change.instance


def _modify(change: Change, **what: Any) -> None:
    change.place.cloud.ec2("modify_instance_attribute", InstanceId=change.instance_id, **what)
