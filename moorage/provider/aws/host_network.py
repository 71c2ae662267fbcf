"""Where a host may run, and the security group that keeps everybody out but those it names."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from moorage.errors import Exit, MoorageError
from moorage.provider.aws import host_tags
from moorage.provider.aws.cloud import Cloud, Record, filters
from moorage.provider.aws.faults import AwsError
from moorage.provider.aws.host_place import Parts, Place
from moorage.provider.handler import State

_DOUBLE: Final = "InvalidGroup.Duplicate"
NOT_SEEN: Final = "InvalidGroup.NotFound"  # also of one that was just made
_TCP: Final = "tcp"

Rule = tuple[str, int, int, str]  # protocol, from port, to port, who


@dataclass(frozen=True, kw_only=True, slots=True)
class Subnet:
    """One of the places where it may run."""

    id: str
    zone: str
    network: str


def subnets(cloud: Cloud, inputs: State) -> list[Subnet]:
    """Those that are declared, in their order, or the default network's, zone by zone."""
    wanted = inputs.get("subnets")
    found = _declared(cloud, wanted) if wanted else _default(cloud)
    networks = {one.network for one in found}
    if len(networks) > 1:
        message = f"the subnets are of {len(networks)} networks; give subnets of one"
        raise MoorageError(message)
    return found


def _declared(cloud: Cloud, wanted: list[str]) -> list[Subnet]:
    found = {one.id: one for one in _subnets(cloud, SubnetIds=wanted)}
    missing = [name for name in wanted if name not in found]
    if missing:
        message = f"{', '.join(missing)} is not there in {cloud.region}; correct subnets"
        raise MoorageError(message)
    return [found[name] for name in wanted]


def _default(cloud: Cloud) -> list[Subnet]:
    found = _subnets(cloud, Filters=filters(default_for_az="true"))
    if not found:
        message = f"there is no default network in {cloud.region}; give the subnets to start in"
        raise MoorageError(message)
    return sorted(found, key=lambda one: one.zone)


def _subnets(cloud: Cloud, **which: Any) -> list[Subnet]:
    told: list[Record] = cloud.ec2("describe_subnets", **which)["Subnets"]
    return [
        Subnet(id=one["SubnetId"], zone=one["AvailabilityZone"], network=one["VpcId"])
        for one in told
    ]


# --- the group


def group(place: Place, inputs: State, parts: Parts, network: str) -> Record:
    """The host's group in a network: as it is, or made."""
    there = _group(parts, network)
    if there is not None:
        return there
    try:
        made = place.cloud.ec2(
            "create_security_group",
            GroupName=place.name,
            Description=f"Who may ask the engine of {place.name}",
            VpcId=network,
            TagSpecifications=host_tags.specified(inputs, "security-group"),
        )
    except AwsError as error:
        if error.code != _DOUBLE:
            raise
        return _seen(place, network)
    return {"GroupId": made["GroupId"], "VpcId": network}


def _seen(place: Place, network: str) -> Record:
    """The group that is there by now, made by a call whose answer was lost."""
    for _ in place.cloud.looks():
        parts = place.look()
        place.refuse_foreign(parts)
        found = _group(parts, network)
        if found is not None:
            return found
    message = f"the security group {place.name} was made and is not seen yet; run up again"
    raise MoorageError(message, exit_code=Exit.UNANSWERED)


def _group(parts: Parts, network: str) -> Record | None:
    return next((one for one in parts.groups if one["VpcId"] == network), None)


def open_only(cloud: Cloud, there: Record, inputs: State) -> None:
    """Let in who is declared, and nobody else."""
    missing, besides = compared(there, inputs)
    if missing:
        cloud.ec2(
            "authorize_security_group_ingress",
            fine=("InvalidPermission.Duplicate",),
            soon=(NOT_SEEN,),
            GroupId=there["GroupId"],
            IpPermissions=[_permission(rule) for rule in missing],
        )
    if besides:
        cloud.ec2(
            "revoke_security_group_ingress",
            fine=("InvalidPermission.NotFound",),
            GroupId=there["GroupId"],
            IpPermissions=[_permission(rule) for rule in besides],
        )


def compared(there: Record, inputs: State) -> tuple[list[Rule], list[Rule]]:
    """The rules that a group lacks, and those that it has besides."""
    found, wanted = set(rules(there)), set(_wanted(inputs))
    return sorted(wanted - found), sorted(found - wanted)


def rules(group: Record) -> Iterator[Rule]:
    """Who may come in by what."""
    for one in group.get("IpPermissions", []):
        protocol, first = str(one["IpProtocol"]), one.get("FromPort", -1)
        for who in _sources(one):
            yield protocol, first, one.get("ToPort", -1), who


def allowed(groups: Iterable[Record], port: int) -> list[str]:
    """Who may come to a port."""
    return sorted(
        {
            who
            for one in groups
            for protocol, first, last, who in rules(one)
            if protocol in (_TCP, "-1") and (first <= port <= last or protocol == "-1")
        }
    )


def told(rule: Rule) -> str:
    """For people."""
    protocol, first, last, who = rule
    ports = f"{first}" if first == last else f"{first}-{last}"
    return f"{who} to {'everything' if protocol == '-1' else ports}"


def _sources(permission: Record) -> Iterator[str]:
    yield from (one["CidrIp"] for one in permission.get("IpRanges", ()))
    yield from (one["CidrIpv6"] for one in permission.get("Ipv6Ranges", ()))
    yield from (one["GroupId"] for one in permission.get("UserIdGroupPairs", ()))
    yield from (one["PrefixListId"] for one in permission.get("PrefixListIds", ()))


def _wanted(inputs: State) -> Iterator[Rule]:
    port = inputs["port"]
    return ((_TCP, port, port, _canonical(who)) for who in inputs["allowFrom"])


def _canonical(who: str) -> str:
    """As EC2 writes it down."""
    return who if who.startswith(("sg-", "pl-")) else str(ipaddress.ip_network(who))


def _permission(rule: Rule) -> Record:
    protocol, first, last, who = rule
    ports = {} if protocol == "-1" else {"FromPort": first, "ToPort": last}
    return {"IpProtocol": protocol, **ports, **_source(who)}


def _source(who: str) -> Record:
    if who.startswith("sg-"):
        return {"UserIdGroupPairs": [{"GroupId": who}]}
    if who.startswith("pl-"):
        return {"PrefixListIds": [{"PrefixListId": who}]}
    if ":" in who:
        return {"Ipv6Ranges": [{"CidrIpv6": who}]}
    return {"IpRanges": [{"CidrIp": who}]}
