"""What AWS says instead of doing it, each as one line that names the next step."""

from __future__ import annotations

from typing import Any

import pytest

from tests.provider.aws.hosts import World, only

SPOT = {"market": "spot"}
DENIED = (
    "You are not authorized to perform: ec2:CreateTags on resource: arn:aws:ec2:::instance/* with"
    " an explicit deny in a service control policy. Encoded authorization failure message: aGVsbG8"
)


@pytest.mark.parametrize(
    ("action", "code", "words", "changes", "says"),
    [
        (
            *("RunInstances", "VcpuLimitExceeded", "You have requested more vCPU capacity", {}),
            '"Running On-Demand G and VT instances" (L-DB2E81BA) does not allow another g6.xlarge',
        ),
        (
            *("RunInstances", "VcpuLimitExceeded", "", {"instanceType": "p5.48xlarge"}),
            '"Running On-Demand P instances" (L-417A185B)',
        ),
        (
            *("RunInstances", "MaxSpotInstanceCountExceeded", "", SPOT),
            '"All G and VT Spot Instance Requests" (L-3819A6DF)',
        ),
        (
            *("RunInstances", "MaxSpotInstanceCountExceeded", ""),
            {**SPOT, "instanceType": "p4d.24xlarge"},
            '"All P4, P3 and P2 Spot Instance Requests" (L-7212CCBC)',
        ),
        (
            *("RunInstances", "MaxSpotInstanceCountExceeded", ""),
            {**SPOT, "instanceType": "p5en.48xlarge"},
            '"All P5 Spot Instance Requests" (L-C4BD4855)',
        ),
        (
            *("RunInstances", "UnauthorizedOperation", DENIED, {}),
            "ec2:CreateTags is not allowed (by a service control policy)",
        ),
        (
            *("RunInstances", "UnauthorizedOperation", "You are not authorized", SPOT),
            "allow it to these credentials, or take the market on-demand",
        ),
        (
            "RunInstances",
            "AuthFailure.ServiceLinkedRoleCreationNotPermitted",
            "The provided credentials do not have permission",
            SPOT,
            "create the service-linked role of spot once",
        ),
        (
            *("PutParameter", "AccessDeniedException", "is not authorized to perform:"),
            *({}, "ssm:PutParameter is not allowed"),
        ),
        (
            *("DescribeInstances", "AuthFailure", "AWS was not able to validate", {}),
            "the credentials are not valid",
        ),
        (
            *("DescribeInstances", "RequestExpired", "Request has expired", {}),
            "set this machine's clock",
        ),
        (
            *("DescribeInstances", "ExpiredToken", "The security token has expired", {}),
            "the credentials have expired (ExpiredToken); log in again",
        ),
        (
            *("DescribeInstances", "OptInRequired", "You are not subscribed", {}),
            "enable eu-west-1 for the account",
        ),
        (
            *("DescribeSubnets", "InvalidSubnetID.NotFound", "The subnet ID does not exist", {}),
            "give a subnet of this region",
        ),
        (
            *("RunInstances", "InvalidBlockDeviceMapping", "Volume of size 1GB is smaller", {}),
            "give a diskGib that holds the image",
        ),
        (
            *("RunInstances", "VolumeLimitExceeded", "You have exceeded your maximum gp3", {}),
            "ask for more EBS storage, in TiB: aws service-quotas",
        ),
        (
            *("RunInstances", "InvalidParameterValue", "Invalid IAM Instance Profile name", {}),
            "Invalid IAM Instance Profile name; correct what it names",
        ),
        (
            *("RunInstances", "IdempotentParameterMismatch", "", {}),
            "every instance of its template is gone at once; run up again",
        ),
    ],
)
def test_a_refusal_is_one_line_with_the_next_step(
    at: World, action: str, code: str, words: str, changes: dict[str, Any], says: str
) -> None:
    at.strike(action=action, code=code, words=words)
    line, _ = at.failed(lambda: at.create(**changes))
    assert says in line
    assert "aGVsbG8" not in line


def test_subnets_images_and_parameters_that_are_not_there(at: World) -> None:
    line, _ = at.failed(lambda: at.create(subnets=["subnet-0a1b2c3d4e5f60718"]))
    assert "give a subnet of this region" in line
    line, _ = at.failed(lambda: at.create(ami="ami-0a1b2c3d4e5f60718"))
    assert "give an image of this region" in line
    line, _ = at.failed(lambda: at.create(ami=None, amiParameter="/aws/service/no/such"))
    assert "has no SSM parameter /aws/service/no/such; correct amiParameter" in line
    assert not at.cloud.left()


def test_without_a_default_network_subnets_are_asked_for(at: World) -> None:
    at.strike(action="DescribeSubnets", does="empty")
    line, _ = at.failed(lambda: at.create(subnets=None))
    assert "there is no default network in eu-west-1; give the subnets to start in" in line


def test_without_credentials_it_says_how_to_have_some(
    at: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = at.checked()
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    with pytest.raises(Exception, match="there are no credentials: set AWS_PROFILE"):
        at.provider.create(wanted)


def test_a_profile_that_is_not_there_is_named(at: World, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = at.checked()
    monkeypatch.setenv("AWS_PROFILE", "shop")
    with pytest.raises(Exception, match=r"the credentials cannot be used: .*shop"):
        at.provider.create(wanted)


def test_a_region_that_nobody_knows_is_named(at: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    line, _ = at.failed(lambda: at.create(region="eu-wset-1"))
    assert "eu-wset-1 is no region of ec2 that is known; correct the region" in line
    line, _ = at.failed(at.create)
    assert "ec2 cannot be reached; check the network" in line


def test_no_answer_is_asked_for_again_and_then_told(at: World) -> None:
    at.strike(does="drop", times=3)
    at.create()
    at.strike(does="drop", action="DescribeInstances")
    line, _ = at.failed(at.create)
    assert "no answer to ec2:DescribeInstances" in line
    assert line.endswith("run up again later")


def test_a_disk_that_somebody_attached_stays_theirs(at: World) -> None:
    made = at.create()
    theirs = at.cloud.ec2.create_volume(size=500, zone_name="eu-west-1a")
    at.cloud.ec2.attach_volume(theirs.id, only(at).id, "/dev/sdf")
    made = at.update(made, tags={"team": "b"})
    assert not theirs.get_tags()
    at.cloud.ec2.detach_volume(theirs.id, only(at).id, "/dev/sdf")  # as a termination does
    at.delete(made)
    assert theirs.id in at.cloud.ec2.volumes
