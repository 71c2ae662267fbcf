"""From plan to instance: a launch template that says what it is, and the run that makes it once."""

from __future__ import annotations

import base64
import hashlib
import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from moorage.errors import Exit, MoorageError
from moorage.provider.aws import host_network, host_quotas, host_tags
from moorage.provider.aws.cloud import Cloud, Record
from moorage.provider.aws.faults import AwsError
from moorage.provider.aws.host_network import Subnet
from moorage.provider.aws.host_place import Parts, Place, is_live
from moorage.provider.handler import State

METADATA: Final[Record] = {
    "HttpTokens": "required",
    "HttpPutResponseHopLimit": 1,
    "HttpEndpoint": "enabled",
}
_DOUBLE: Final = "InvalidLaunchTemplateName.AlreadyExistsException"
# A token whose instance is gone, or that was used for something else, makes no other one.
_USED_UP: Final = ("IdempotentInstanceTerminated", "IdempotentParameterMismatch")
# What was just made may not be known everywhere at once.
_NOT_SEEN: Final = (
    *("InvalidLaunchTemplateId.NotFound", "InvalidLaunchTemplateId.VersionNotFound"),
    host_network.NOT_SEEN,
)
_OTHERWISE: Final = "Unsupported"  # the zone has none of the type, or the region has no such thing
_TAGGED: Final = ("instance", "volume", "network-interface")
_MOST_TOKENS: Final = 3
_DIGITS: Final = 32


@dataclass(frozen=True, kw_only=True, slots=True)
class Image:
    """A machine image, and what its disk is called."""

    id: str
    disk: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Template:
    """A version of the host's launch template."""

    id: str
    version: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Launch:
    """What is known before anything is made: everything that can be refused was asked first."""

    place: Place
    inputs: State = field(repr=False)
    subnets: tuple[Subnet, ...]
    data: Record = field(repr=False)  # of the launch template


def planned(place: Place, inputs: State) -> Launch:
    """Look up what it is made of; nothing is written."""
    found = image(place.cloud, inputs)
    return Launch(
        place=place,
        inputs=inputs,
        subnets=tuple(host_network.subnets(place.cloud, inputs)),
        data=_data(inputs, found),
    )


def image(cloud: Cloud, inputs: State) -> Image:
    """The machine image that is declared by its id or by a parameter."""
    name = inputs.get("ami") or _parameter(cloud, inputs["amiParameter"])
    found = cloud.ec2("describe_images", ImageIds=[name])["Images"]
    if not found:
        message = f"the image {name} is not there in {cloud.region}; give one of this region"
        raise MoorageError(message)
    return Image(id=name, disk=found[0].get("RootDeviceName") or "/dev/sda1")


def _parameter(cloud: Cloud, name: str) -> str:
    answer = cloud.ssm("get_parameter", fine=("ParameterNotFound",), Name=name)
    if not answer:
        message = f"{cloud.region} has no SSM parameter {name}; correct amiParameter, or give ami"
        raise MoorageError(message)
    return str(answer["Parameter"]["Value"])


def _data(inputs: State, found: Image) -> Record:
    disk = {
        "Encrypted": True,
        "VolumeType": "gp3",
        "VolumeSize": inputs["diskGib"],
        "DeleteOnTermination": True,
    }
    data: Record = {
        "ImageId": found.id,
        "InstanceType": inputs["instanceType"],
        "BlockDeviceMappings": [{"DeviceName": found.disk, "Ebs": disk}],
        "MetadataOptions": METADATA,
        "UserData": base64.b64encode(inputs["userData"].encode()).decode(),
        "InstanceInitiatedShutdownBehavior": "stop" if inputs["stopWhenIdle"] else "terminate",
        "TagSpecifications": host_tags.specified(inputs, *_TAGGED),
    }
    if "instanceProfile" in inputs:
        data["IamInstanceProfile"] = {"Name": inputs["instanceProfile"]}
    if inputs["market"] == "spot":
        options = {"SpotInstanceType": "one-time", "InstanceInterruptionBehavior": "terminate"}
        data["InstanceMarketOptions"] = {"MarketType": "spot", "SpotOptions": options}
        data["TagSpecifications"] += host_tags.specified(inputs, "spot-instances-request")
    return data


# --- the template


def template(launch: Launch, parts: Parts) -> Template:
    """The host's template in a version that says what is wanted: as it is, or made."""
    if parts.template is None:
        return _made(launch)
    latest = _latest(launch.place.cloud, parts.template["LaunchTemplateId"])
    if latest.get("VersionDescription") != _described(launch.data):
        return _version(launch, parts.template["LaunchTemplateId"])
    return Template(id=latest["LaunchTemplateId"], version=latest["VersionNumber"])


def _made(launch: Launch) -> Template:
    inputs = launch.inputs
    try:
        made = launch.place.cloud.ec2(
            "create_launch_template",
            LaunchTemplateName=launch.place.name,
            VersionDescription=_described(launch.data),
            LaunchTemplateData=launch.data,
            TagSpecifications=host_tags.specified(inputs, "launch-template"),
            ClientToken=uuid.uuid4().hex,
        )["LaunchTemplate"]
    except AwsError as error:
        if error.code != _DOUBLE:
            raise
        made = _seen(launch.place)
    return Template(id=made["LaunchTemplateId"], version=made["LatestVersionNumber"])


def _seen(place: Place) -> Record:
    """The template that is there by now, made by a call whose answer was lost."""
    for _ in place.cloud.looks():
        parts = place.look()
        place.refuse_foreign(parts)
        if parts.template is not None:
            return parts.template
    message = f"the launch template {place.name} was made and is not seen yet; run up again"
    raise MoorageError(message, exit_code=Exit.UNANSWERED)


def _latest(cloud: Cloud, template_id: str) -> Record:
    answer = cloud.ec2(
        "describe_launch_template_versions", LaunchTemplateId=template_id, Versions=["$Latest"]
    )
    found: Record = answer["LaunchTemplateVersions"][0]
    return found


def _version(launch: Launch, template_id: str) -> Template:
    answer = launch.place.cloud.ec2(
        "create_launch_template_version",
        LaunchTemplateId=template_id,
        VersionDescription=_described(launch.data),
        LaunchTemplateData=launch.data,
        ClientToken=uuid.uuid4().hex,
    )
    return Template(id=template_id, version=answer["LaunchTemplateVersion"]["VersionNumber"])


def declared(place: Place, found: Record) -> State:
    """The inputs that the latest version of a template tells."""
    data = _latest(place.cloud, found["LaunchTemplateId"])["LaunchTemplateData"]
    return {
        "instanceType": data.get("InstanceType"),
        "market": data.get("InstanceMarketOptions", {}).get("MarketType") or "on-demand",
        "ami": data.get("ImageId"),
        "instanceProfile": data.get("IamInstanceProfile", {}).get("Name"),
        "userData": base64.b64decode(data.get("UserData") or "").decode(errors="replace"),
    }


def _described(data: Record) -> str:
    return _digest(json.dumps(data, sort_keys=True))


# --- the run


def run(launch: Launch, made: Template, group: Record, tried: dict[str, str]) -> Record:
    """Ask for it once in every subnet until one has it; NoCapacity when none does.

    `tried` says of subnets, by their ids, why they are not asked any more, and is added to.
    """
    for subnet in (one for one in launch.subnets if one.id not in tried):
        outcome = _in_subnet(launch, made, group, subnet)
        if isinstance(outcome, str):
            tried[subnet.id] = outcome
            context = launch.place.cloud.context
            context.progress(f"{launch.place.id}: {subnet.zone} has none now ({outcome})")
        else:
            return outcome
    zones = {subnet.zone: tried[subnet.id] for subnet in launch.subnets}
    raise host_quotas.exhausted(launch.inputs, launch.place.cloud.region, zones)


def _in_subnet(launch: Launch, made: Template, group: Record, subnet: Subnet) -> Record | str:
    """The instance, or why there is none here."""
    for version in _versions(launch, made):
        try:
            found = _asked(launch, version, group, subnet)
        except AwsError as error:
            if error.code in host_quotas.NO_CAPACITY:
                return f"{error.code}: {error.words}" if error.code == _OTHERWISE else error.code
            if error.code not in _USED_UP:
                raise host_quotas.explained(
                    error, launch.inputs, launch.place.cloud.region
                ) from None
        else:
            if is_live(found):
                return found
    message = f"{launch.place.id}: every instance of its template is gone at once; run up again"
    raise MoorageError(message, exit_code=Exit.UNANSWERED)


def _versions(launch: Launch, made: Template) -> Iterator[Template]:
    """As it is; then newer ones, each of which gives tokens that were never used."""
    yield made
    for _ in range(_MOST_TOKENS - 1):
        yield _version(launch, made.id)


def _asked(launch: Launch, made: Template, group: Record, subnet: Subnet) -> Record:
    interface: dict[str, Any] = {
        "DeviceIndex": 0,
        "SubnetId": subnet.id,
        "Groups": [group["GroupId"]],
        "AssociatePublicIpAddress": launch.inputs["publicAddress"],
        "DeleteOnTermination": True,
    }
    answer = launch.place.cloud.ec2(
        "run_instances",
        soon=_NOT_SEEN,
        LaunchTemplate={"LaunchTemplateId": made.id, "Version": str(made.version)},
        NetworkInterfaces=[interface],
        MinCount=1,
        MaxCount=1,
        ClientToken=_digest(f"{made.id} {made.version} {json.dumps(interface, sort_keys=True)}"),
    )
    found: Record = answer["Instances"][0]
    return found


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]
