"""Why there is no instance: quotas, which a person can raise, and capacity, found elsewhere."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from moorage.errors import Exit, MoorageError
from moorage.provider.aws.faults import AwsError
from moorage.provider.handler import State

NO_CAPACITY: Final = frozenset(
    {
        *("InsufficientInstanceCapacity", "InsufficientHostCapacity", "InsufficientCapacity"),
        *("InsufficientFreeAddressesInSubnet", "SpotMaxPriceTooLow"),
        "Unsupported",  # of a zone that has none of this instance type
    }
)
# Why an instance that was given at first has ended, or has not started: the same want, told late.
TAKEN: Final = frozenset(
    {
        "Server.InsufficientInstanceCapacity",
        *("Server.SpotInstanceTermination", "Server.SpotInstanceShutdown"),
    }
)
_STORAGE: Final = frozenset({"VolumeLimitExceeded", "Client.VolumeLimitExceeded"})
_FAULTY: Final = "Client.InternalError"
_OVER_QUOTA: Final = frozenset(
    {"VcpuLimitExceeded", "MaxSpotInstanceCountExceeded", "InstanceLimitExceeded"}
)
_GP3_STORAGE: Final = "L-7A658B76"
_MAY_NOT: Final = "UnauthorizedOperation"
_FAMILY: Final = re.compile(r"([a-z]+?)r?(\d+)")  # gr6 is a g6 with more memory


@dataclass(frozen=True, kw_only=True, slots=True)
class Quota:
    """A quota of EC2, in vCPUs, by its code in Service Quotas."""

    name: str
    code: str


_OLDER_SPOT: Final = Quota(name="All P4, P3 and P2 Spot Instance Requests", code="L-7212CCBC")
# By family, and by generation where that has one of its own.
_QUOTAS: Final = {
    ("g", "on-demand"): Quota(name="Running On-Demand G and VT instances", code="L-DB2E81BA"),
    ("p", "on-demand"): Quota(name="Running On-Demand P instances", code="L-417A185B"),
    ("g", "spot"): Quota(name="All G and VT Spot Instance Requests", code="L-3819A6DF"),
    ("p3", "spot"): _OLDER_SPOT,
    ("p4", "spot"): _OLDER_SPOT,
    ("p5", "spot"): Quota(name="All P5 Spot Instance Requests", code="L-C4BD4855"),
}


class NoCapacity(MoorageError):  # noqa: N818  nobody's mistake
    """None of the subnets has such an instance now."""

    def __init__(self, message: str) -> None:
        super().__init__(message, exit_code=Exit.UNANSWERED)


def quota(instance_type: str, market: str) -> Quota | None:
    """What counts such an instance, among those with GPUs."""
    family = _FAMILY.match(instance_type)
    if family is None:
        return None
    name = "g" if family[1] == "vt" else family[1]
    return _QUOTAS.get((name, market)) or _QUOTAS.get((f"{name}{family[2]}", market))


def explained(error: AwsError, inputs: State, region: str) -> MoorageError:
    """The line for an instance that was refused."""
    if error.code in _OVER_QUOTA:
        return MoorageError(_over_quota(error, inputs, region), exit_code=Exit.UNANSWERED)
    if error.code in _STORAGE:
        told = f"AWS, {region}: no disk is left for it ({error.code}: {error.words})"
        return MoorageError(f"{told}; {cure(error.code, region)}", exit_code=Exit.UNANSWERED)
    if error.code == _MAY_NOT and inputs["market"] == "spot":
        message = f"{error}, or take the market on-demand, if spot is what may not be"
        return MoorageError(message, exit_code=Exit.UNANSWERED)
    return error


def exhausted(inputs: State, region: str, tried: dict[str, str]) -> NoCapacity:
    """The line for what no zone has now."""
    where = ", ".join(f"{zone} {code}" for zone, code in tried.items())
    kind = f"{inputs['market']} {inputs['instanceType']}"
    return NoCapacity(
        f"AWS, {region}: there is no {kind} now ({where}); run up again later, or take another"
        " zone, instance type, market or region"
    )


def unstarted(where: str, instance_id: str, why: str) -> NoCapacity:
    """The line for an instance that is there, and cannot be started in its zone."""
    return NoCapacity(
        f"{where}: {instance_id} is stopped, and its zone has no room to start it ({why}); run up"
        f" again later, or end it (aws ec2 terminate-instances --instance-ids {instance_id}) to"
        " have another zone asked"
    )


def cure(code: str, region: str) -> str:
    """What to do about an instance that ended for a reason that lasts; empty: ask for another."""
    if code in _STORAGE:
        return (
            "ask for more EBS storage, in TiB: aws service-quotas request-service-quota-increase"
            f" --service-code ebs --quota-code {_GP3_STORAGE} --region {region} --desired-value N"
        )
    if code == _FAULTY:
        return (
            "most often the KMS key that encrypts disks by default is the reason: allow these"
            " credentials to use it, then run up again"
        )
    return ""


def _over_quota(error: AwsError, inputs: State, region: str) -> str:
    kind, found = inputs["instanceType"], quota(inputs["instanceType"], inputs["market"])
    if found is None:
        return (
            f"AWS, {region}: a quota of EC2 does not allow another {kind} ({error.code}:"
            f" {error.words}); ask for more in the console of Service Quotas"
        )
    return (
        f'AWS, {region}: the quota "{found.name}" ({found.code}) does not allow another {kind}'
        f" ({error.code}: {error.words}); ask for more vCPUs: aws service-quotas"
        f" request-service-quota-increase --service-code ec2 --quota-code {found.code}"
        f" --region {region} --desired-value N"
    )
