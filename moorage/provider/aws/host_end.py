"""The end of a host: its instance first, then all that was around it; nothing of ours stays."""

from __future__ import annotations

from typing import Final

from moorage.errors import Exit, MoorageError
from moorage.provider.aws import host_secrets, host_wait
from moorage.provider.aws.cloud import Record, filters
from moorage.provider.aws.faults import AwsError
from moorage.provider.aws.host_place import Parts, Place
from moorage.provider.handler import State

_IN_USE: Final = "DependencyViolation"
_GONE: Final = ("InvalidInstanceID.NotFound", "InvalidGroup.NotFound", "InvalidVolume.NotFound")
_NO_TEMPLATE: Final = (
    "InvalidLaunchTemplateId.NotFound",
    "InvalidLaunchTemplateName.NotFoundException",
)
_PAUSES_S: Final = (0.2, 0.5, 1.0, 2.0)  # between looks at what ends; then a longer one
_PAUSE_S: Final = 5.0
_MOST_TRIES: Final = 60  # of a group that something is still in


def end(place: Place, parts: Parts, state: State) -> None:
    """Take it all away; what is gone already is fine. The template, its mark, goes last."""
    _instances(place, parts)
    if place.is_by_hand:
        return
    if state.get("instanceProfile"):
        _secrets(place, state)
    for group in parts.groups:
        _group(place, str(group["GroupId"]))
    _leftovers(place)
    if parts.template is not None:
        name = parts.template["LaunchTemplateId"]
        place.cloud.ec2("delete_launch_template", fine=_NO_TEMPLATE, LaunchTemplateId=name)


def _instances(place: Place, parts: Parts) -> None:
    ids = [str(one["InstanceId"]) for one in parts.instances]
    if ids:
        place.cloud.ec2("terminate_instances", fine=_GONE, InstanceIds=ids)
    ending = [one["InstanceId"] for one in parts.ended if one["State"]["Name"] != "terminated"]
    for name in (*ids, *ending):
        _until_terminated(place, name)


def _until_terminated(place: Place, instance_id: str) -> None:
    pauses_s = iter(_PAUSES_S)
    while True:
        found = host_wait.look(place, instance_id)
        if found is None or found["State"]["Name"] == "terminated":
            return
        state = found["State"]["Name"]
        place.cloud.context.progress(f"waiting for {place.id} to go: {instance_id} is {state}")
        place.cloud.context.pause(next(pauses_s, _PAUSE_S))


def _secrets(place: Place, state: State) -> None:
    """Where they may not even be listed, and none were declared, there are none."""
    fine = () if state.get("secrets") else ("AccessDeniedException",)
    host_secrets.remove(place, host_secrets.names(place, fine=fine))


def _group(place: Place, group_id: str) -> None:
    """What was in it may count for a while after it has gone."""
    pauses_s = iter(_PAUSES_S)
    for _ in range(_MOST_TRIES):
        try:
            place.cloud.ec2("delete_security_group", fine=_GONE, GroupId=group_id)
        except AwsError as error:
            if error.code != _IN_USE:
                raise
        else:
            return
        place.cloud.context.progress(f"waiting for {place.id} to go: {group_id} is still in use")
        place.cloud.context.pause(next(pauses_s, _PAUSE_S))
    message = (
        f"{place.id}: something else uses the security group {group_id}; take it out of there, or"
        " its rule out of the other group, and run again"
    )
    raise MoorageError(message, exit_code=Exit.UNANSWERED)


def _leftovers(place: Place) -> None:
    """What should have gone with the instance, and has our tags and no use."""
    cloud, mine = place.cloud, filters(tag__moorage_host=place.name)
    unused = [*mine, *filters(status="available")]
    for one in _ours(place, cloud.ec2("describe_volumes", Filters=unused)["Volumes"]):
        cloud.ec2("delete_volume", fine=_GONE, VolumeId=one["VolumeId"])
    cards = cloud.ec2("describe_network_interfaces", Filters=unused)["NetworkInterfaces"]
    for one in _ours(place, cards):
        cloud.ec2(
            "delete_network_interface",
            fine=("InvalidNetworkInterfaceID.NotFound",),
            NetworkInterfaceId=one["NetworkInterfaceId"],
        )
    for one in _ours(place, cloud.ec2("describe_addresses", Filters=mine)["Addresses"]):
        cloud.ec2(
            "release_address",
            fine=("InvalidAllocationID.NotFound",),
            AllocationId=one["AllocationId"],
        )


def _ours(place: Place, things: list[Record]) -> list[Record]:
    """Interfaces have their tags under another name."""
    return [one for one in things if place.is_ours({"Tags": one.get("Tags") or one.get("TagSet")})]
