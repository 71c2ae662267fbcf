"""A checkout whose stack `ec2` is deployed against an EC2 of its own."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx

from tests import vault
from tests.aws.world import World, environment, live
from tests.e2e.checkout import NO_HUB, PROJECT, Checkout, Ended, free_port

SPEC: Final = "specs/ec2/chat.yaml"
REGION: Final = "eu-north-1"
SERVICE: Final = "ec2-chat"
_NOT_OURS: Final = ("PULUMI_C", "PULUMI_B", "AWS_", "HF_", "MOORAGE_")


@dataclass(frozen=True, kw_only=True)
class Cloud:
    """A world, as a person with the account's console sees it."""

    world: World
    url: str

    def client(self, service: str = "ec2") -> Any:
        """AWS's own, by which somebody does what moorage does not know of."""
        import boto3

        known = environment(self.url)
        return boto3.client(
            service,
            region_name=REGION,
            endpoint_url=self.url,
            aws_access_key_id=known["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=known["AWS_SECRET_ACCESS_KEY"],
        )

    def instances(self) -> list[Any]:
        """Every instance that has not ended, with its tags as `Named`."""
        told = self.client().describe_instances()["Reservations"]
        found = [one for each in told for one in each["Instances"]]
        return [one for one in found if one["State"]["Name"] not in ("terminated", "shutting-down")]

    def the_instance(self, backend: str = "ec2-gpu-1") -> Any:
        """The instance of one placement, told by its owner."""
        [found] = [one for one in self.instances() if _owner(one).endswith(f"-{backend}")]
        return found

    def left(self) -> list[str]:
        """Whatever a deployment may leave behind, by its id."""
        ec2, ssm = self.client(), self.client("ssm")
        groups = ec2.describe_security_groups()["SecurityGroups"]
        templates = ec2.describe_launch_templates()["LaunchTemplates"]
        return [
            *(one["InstanceId"] for one in self.instances()),
            *(one["GroupId"] for one in groups if one["GroupName"] != "default"),
            *(one["LaunchTemplateId"] for one in templates),
            *(one["VolumeId"] for one in ec2.describe_volumes()["Volumes"]),
            *(one["AllocationId"] for one in ec2.describe_addresses()["Addresses"]),
            *(one["Name"] for one in ssm.describe_parameters()["Parameters"]),
        ]

    def take_back(self, instance_id: str, *, after_s: float) -> None:
        """As Amazon does with a spot instance."""
        url = f"{self.url}/_world/interrupt/{instance_id}?after_s={after_s}"
        httpx.post(url, timeout=10).raise_for_status()

    @property
    def writes(self) -> list[str]:
        """What was changed in the account since the last `forget`."""
        return self.world.proxy.writes

    def forget(self) -> None:
        self.world.proxy.calls.clear()


@dataclass(frozen=True, kw_only=True)
class CloudStack:
    """The stack `ec2` of a checkout."""

    checkout: Checkout
    cloud: Cloud = field(repr=False)

    def moorage(self, *words: str, **environ: str) -> Ended:
        return self.checkout.moorage(*words, "--stack", "ec2", timeout_s=240, **environ)

    def fine(self, *words: str) -> Ended:
        ended = self.moorage(*words)
        assert ended.code == 0, ended.said
        return ended

    def outputs(self, part: str = "services") -> Any:
        return self.checkout.outputs("ec2")[part][SERVICE]

    def edit(self, old: str, new: str) -> None:
        self.checkout.edit(SPEC, old, new)


@contextmanager
def a_cloud_stack(root: Path, *, world_folder: Path) -> Iterator[CloudStack]:
    """A checkout and a cloud; at the end nothing of either may be left."""
    for name in ("Pulumi.yaml", "stacks", "specs"):
        source = PROJECT / name
        copy = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, root / name)
    with live(world_folder) as (world, url):
        cloud = Cloud(world=world, url=url)
        port = free_port()
        kept = {name: one for name, one in os.environ.items() if not name.startswith(_NOT_OURS)}
        known = {**NO_HUB, **environment(url), **vault.environment()}
        checkout = Checkout(root=root, port=port, environ={**kept, **known})
        checkout.edit("stacks/Pulumi.ec2.yaml", "8720", str(port))
        checkout.seal("ec2")
        stack = CloudStack(checkout=checkout, cloud=cloud)
        try:
            yield stack
            stack.fine("destroy")
            left = [(process.pid, process.cmdline()) for process in checkout.processes()]
            assert not left, f"left behind: {left}"
            assert not cloud.left(), "the cloud is not as it was"
        finally:
            for process in checkout.processes():
                process.kill()


def _owner(instance: Any) -> str:
    tags = {tag["Key"]: tag["Value"] for tag in instance.get("Tags", ())}
    return str(tags.get("moorage-owner", ""))
