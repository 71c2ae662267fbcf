"""A GpuHost as EC2 has it: closed, encrypted, tagged, made once, healed, ended without a trace."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from moorage.errors import GOES_ON
from moorage.provider.values import decode
from tests.aws.proxy import Answer, Call
from tests.provider.aws import hosts
from tests.provider.aws.hosts import ID, KV_TOKENS, NAME, OWNER, REGION, World, only, reason

PAGED = {
    "DescribeInstances": "reservationSet",
    "DescribeSecurityGroups": "securityGroupInfo",
    "DescribeLaunchTemplates": "launchTemplates",
}


def group(at: World) -> Any:
    [found] = only(at).security_groups
    return found


def test_it_is_made_closed_and_tagged_and_proven(at: World) -> None:
    made = at.create()
    instance = only(at)
    assert made.id == ID
    assert made.state["url"] == f"http://127.0.0.1:{at.cloud.port}/v1"
    assert made.state["servedModel"] == "acme/chat"
    assert made.state["kvTokens"] == KV_TOKENS
    assert made.state["kvDifference"] == 0
    assert (instance.metadata_options.http_tokens, instance.public_ip) == ("required", None)
    assert instance.metadata_options.http_put_response_hop_limit == 1
    assert instance.instance_initiated_shutdown_behavior == "terminate"
    [(_, attached)] = instance.get_block_device_mapping
    disk = at.cloud.ec2.volumes[attached.volume_id]
    assert (disk.encrypted, disk.size, disk.volume_type) == (True, 120, "gp3")
    assert attached.delete_on_termination
    [rule] = group(at).ingress_rules
    assert (rule.from_port, rule.ip_range["CidrIp"]) == (at.cloud.port, "10.0.0.0/16")
    for thing in (instance, disk, group(at)):
        tags = {one["key"]: one["value"] for one in thing.get_tags()}
        assert tags["moorage-owner"] == OWNER
        assert tags["moorage-host"] == tags["Name"] == NAME
        assert tags["team"] == "shop"


def test_spot_is_asked_for_and_told(at: World) -> None:
    at.create(market="spot")
    assert only(at).lifecycle == "spot"
    template = next(iter(at.cloud.ec2.launch_templates.values()))
    assert template.latest_version().data["InstanceMarketOptions"]["MarketType"] == "spot"


@pytest.mark.thorough
def test_an_image_is_named_by_a_parameter(at: World) -> None:
    import boto3

    ssm = boto3.client("ssm", region_name=REGION, endpoint_url=at.cloud.proxy.moto)
    ssm.put_parameter(Name="/acme/gpus", Value=at.cloud.ami, Type="String")
    made = at.create(ami=None, amiParameter="/acme/gpus")
    assert made.state["imageId"] == at.cloud.ami
    found = at.provider.read(made.id, {}, {})
    assert found.inputs["amiParameter"] == "/acme/gpus"


def test_where_one_zone_has_none_the_next_one_is_asked(at: World) -> None:
    code = "InsufficientInstanceCapacity"  # which EC2 tells as a fault of its own
    at.strike(action="RunInstances", code=code, status=500, times=1)
    made = at.create()
    assert made.state["subnetId"] == at.cloud.subnets[1]


@pytest.mark.thorough
def test_without_subnets_the_zones_of_the_default_network_are_tried(at: World) -> None:
    at.strike(action="RunInstances", code="Unsupported", times=2)
    assert at.create(subnets=None).state["subnetId"] == at.cloud.subnets[2]


@pytest.mark.thorough
def test_where_no_zone_has_one_it_says_so_and_the_next_run_makes_it(at: World) -> None:
    struck = at.strike(action="RunInstances", code="InsufficientInstanceCapacity")
    line, kept = at.failed(at.create)
    assert "there is no on-demand g6.xlarge now (eu-west-1a" in line
    assert kept is not None
    struck.times = 0
    assert at.drift(kept).startswith("its instance is gone")
    assert at.update(kept).state["state"] == "running"
    only(at)


@pytest.mark.thorough
def test_what_is_not_needed_is_left_out_until_there_is_one(at: World) -> None:
    struck = at.strike(action="RunInstances", code="InsufficientInstanceCapacity")
    made = at.create(needed=False)
    assert (made.state["state"], made.state.get("url")) == ("none", None)
    assert "there is no on-demand g6.xlarge" in made.state["drift"]
    struck.times = 0
    assert at.update(made, needed=False).state["state"] == "running"


@pytest.mark.thorough
def test_a_token_whose_instance_has_ended_makes_no_trouble(at: World) -> None:
    made = at.create()
    first = only(at)
    first.terminate()
    assert "its instance is gone" in at.drift(made)
    again = at.update(made)
    assert again.state["instanceId"] == only(at).id != first.id
    assert not again.state.get("drift")


def test_an_instance_too_many_is_ended(at: World) -> None:
    made = at.create()
    first = only(at)
    at.cloud.ec2.run_instances(
        at.cloud.ami,
        1,
        None,
        [],
        is_instance_type_default=True,
        subnet_id=at.cloud.subnets[1],
        tags={"instance": {one["key"]: one["value"] for one in first.get_tags()}},
    )
    first.launch_time = "2099-01-01T00:00:00.000Z"  # as of one that was started again
    at.update(made)
    assert only(at).id == first.id, "the one that serves"


def test_what_somebody_changed_is_told_and_undone(at: World) -> None:
    made = at.create()
    instance = only(at)
    group(at).ingress_rules.clear()
    instance.metadata_options.http_tokens = "optional"
    instance.instance_type = "g6e.xlarge"
    instance.stop()
    told = at.drift(made)
    for words in (
        "it was stopped: Client.UserInitiatedShutdown",
        "instanceType is g6e.xlarge, declared g6.xlarge",
        "its metadata is open to more than IMDSv2",
        f"its group lacks 10.0.0.0/16 to {at.cloud.port}",
    ):
        assert words in told
    healed = at.update(made)
    assert healed.state["instanceId"] == instance.id
    assert (instance.state, instance.instance_type) == ("running", "g6.xlarge")
    assert not at.drift(healed)


@pytest.mark.thorough
def test_a_group_that_was_put_around_it_is_told_and_taken_off(at: World) -> None:
    made = at.create()
    instance, own = only(at), group(at)
    default = at.cloud.ec2.get_default_security_group(own.vpc_id)
    instance.security_groups = [default]
    assert f"it is in the security groups {default.id}" in at.drift(made)
    at.update(made)
    assert instance.security_groups == [own]


def test_asleep_it_stays_so_and_stopped_by_somebody_it_is_started(at: World) -> None:
    made = at.create(stopWhenIdle=True)
    instance = only(at)
    assert instance.instance_initiated_shutdown_behavior == "stop"
    instance.stop()
    reason(instance, "Client.InstanceInitiatedShutdown", "Instance initiated shutdown")
    assert not at.drift(made, stopWhenIdle=True)
    assert at.update(made, stopWhenIdle=True).state["state"] == "asleep"
    assert instance.state == "stopped"
    assert "it was stopped" in at.drift(made, stopWhenIdle=False)
    assert at.update(made, stopWhenIdle=False).state["state"] == "running"
    assert instance.instance_initiated_shutdown_behavior == "terminate"


def test_secrets_change_in_place_and_their_engine_starts_again(at: World) -> None:
    made = at.create()
    at.update(made, secrets={"HF_TOKEN": "hf_of-another-day", "MORE": "more-of-them"})
    assert "RebootInstances" in at.cloud.proxy.writes
    assert at.cloud.left()["secrets"] == [f"/moorage/{NAME}/HF_TOKEN", f"/moorage/{NAME}/MORE"]
    at.update(made, secrets=None)
    assert "secrets" not in at.cloud.left()


@pytest.mark.thorough
def test_a_secret_that_is_gone_is_told_and_written_again(at: World) -> None:
    made = at.create()
    at.cloud.parameters.clear()
    assert at.drift(made) == "secrets.HF_TOKEN is gone"
    at.update(made)
    assert not at.drift(made)


def test_a_cloud_that_cannot_be_asked_ends_no_run_that_goes_on(
    at: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A look that fails ends the whole run, and with it the healing of what is elsewhere."""
    made = at.create()
    struck = at.strike(action="DescribeInstances", code="AuthFailure", status=401)
    at.failed(lambda: at.drift(made))  # whoever asked for a look has to be told
    monkeypatch.setenv(GOES_ON, "1")
    assert not at.drift(made)
    line, _ = at.failed(lambda: at.update(made))
    assert "the credentials are not valid" in line
    at.failed(lambda: at.provider.read(made.id, {}, {}))  # nothing is imported unseen
    struck.times = 0
    assert not at.drift(made)


@pytest.mark.thorough
def test_an_engine_that_hangs_is_told(at: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from moorage.provider.aws import host_read

    monkeypatch.setattr(host_read, "_ASK_S", 0.2)
    made = at.create()
    at.cloud.engine.hang()
    assert "its engine does not answer" in at.drift(made)
    at.cloud.engine.recover()
    assert not at.drift(made)


def test_an_engine_with_less_room_than_planned_fails_and_stays(at: World) -> None:
    line, kept = at.failed(lambda: at.create(kv={"tokens": 2 * KV_TOKENS, "tolerance": 0.05}))
    assert "serves with 65,536 KV tokens, -50.0% of the 131,072 planned" in line
    assert kept is not None
    assert kept.state["instanceId"] == only(at).id
    assert (kept.state["kvTokens"], kept.state["kvDifference"]) == (KV_TOKENS, -0.5)


def test_a_group_and_a_template_that_were_just_made_may_not_be_known_everywhere(
    at: World,
) -> None:
    for action, code in (
        ("AuthorizeSecurityGroupIngress", "InvalidGroup.NotFound"),
        ("RunInstances", "InvalidGroup.NotFound"),
        ("RunInstances", "InvalidLaunchTemplateId.NotFound"),
    ):
        at.strike(action=action, code=code, times=1)
    assert at.create().state["state"] == "running"
    only(at)


def test_the_page_of_a_list_that_matters_may_not_be_the_first(at: World) -> None:
    second: dict[str, Answer] = {}

    def turned(call: Call, answer: Answer) -> Answer:
        name = PAGED.get(call.action)
        if "NextToken" in call.form:
            return second.pop(call.form["NextToken"])
        if name is None or "InstanceId.1" in call.form:
            return answer
        second[call.action] = answer
        token = f"<nextToken>{call.action}</nextToken>"
        told = f"<{call.action}Response><{name}/>{token}</{call.action}Response>"
        return replace(answer, body=told.encode())

    at.cloud.proxy.answers.append(turned)
    try:
        made = at.create()
        assert not at.drift(made)
        at.delete(made)
    finally:
        at.cloud.proxy.answers.remove(turned)
    assert not at.cloud.left()


def test_a_program_with_another_machine_of_that_name_is_refused(at: World) -> None:
    at.create()
    before = at.cloud.left()
    line, _ = at.failed(lambda: at.create(instanceType="g6e.xlarge"))
    assert "give what replaces it another name" in line
    assert at.cloud.left() == before


@pytest.mark.thorough
def test_more_subnets_to_choose_from_replace_nothing(at: World) -> None:
    more, fewer = at.checked(subnets=list(at.cloud.subnets)), at.checked()
    assert not at.provider.diff(fewer, more).replaces
    assert at.provider.diff(more, fewer).replaces == ["subnets[2]"]


def test_an_instance_made_by_hand_is_imported_and_ended_alone(at: World) -> None:
    group_id = at.cloud.ec2.create_security_group("theirs", "theirs", vpc_id=vpc(at)).id
    instance = by_hand(at, group_id)
    found = at.provider.read(f"{REGION}/{instance.id}", {}, {})
    assert found.HasField("properties")
    assert found.inputs["name"] == instance.id
    made = hosts.Made(id=found.id, state=decode(found.properties).plain)
    assert made.state["isImported"]
    writes = len(at.cloud.proxy.writes)
    wanted = {**decode(found.inputs).plain, "port": at.cloud.port, "key": hosts.KEY}
    at.provider.update(made.id, made.state, wanted)
    assert len(at.cloud.proxy.writes) == writes
    at.delete(made)
    assert at.cloud.proxy.writes[writes:] == ["TerminateInstances"]
    assert group_id in at.cloud.left()["groups"]


def vpc(at: World) -> str:
    return str(at.cloud.ec2.get_subnet(at.cloud.subnets[0]).vpc_id)


def by_hand(at: World, group_id: str) -> Any:
    import boto3

    ec2 = boto3.client("ec2", region_name=REGION, endpoint_url=at.cloud.proxy.moto)
    answer = ec2.run_instances(
        ImageId=at.cloud.ami,
        InstanceType="g6.xlarge",
        MinCount=1,
        MaxCount=1,
        SubnetId=at.cloud.subnets[0],
        SecurityGroupIds=[group_id],
        UserData="#!/bin/sh\n",
    )
    wanted = answer["Instances"][0]["InstanceId"]
    return next(one for one in at.cloud.live if one.id == wanted)


@pytest.mark.thorough
def test_the_name_of_an_instance_is_none_for_a_new_host(at: World) -> None:
    line, _ = at.failed(lambda: at.create(name="i-0a1b2c3d4e5f60718"))
    assert "was made by hand; import it" in line
    assert not at.cloud.left()


@pytest.mark.thorough
def test_a_group_still_in_use_is_waited_for(at: World) -> None:
    made = at.create()
    at.strike(action="DeleteSecurityGroup", code="DependencyViolation", times=3)
    at.delete(made)
    assert not at.cloud.left()


@pytest.mark.thorough
def test_a_disk_an_interface_and_an_address_of_ours_go_with_it(at: World) -> None:
    made = at.create()
    instance = only(at)
    tags = {one["key"]: one["value"] for one in instance.get_tags()}
    volume = at.cloud.ec2.create_volume(size=1, zone_name="eu-west-1a")
    volume.add_tags(tags)
    card = at.cloud.ec2.create_network_interface(at.cloud.subnets[0], None, tags=tags)
    address = at.cloud.ec2.allocate_address("vpc", tags=tags)
    at.delete(made)
    assert not at.cloud.left()
    assert (card.status, address.allocation_id in at.cloud.ec2.addresses) == ("available", False)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"secrets": {"A-B": "x"}}, "A-B is no name"),
        ({"instanceProfile": None}, "need an instanceProfile"),
        ({"amiParameter": "/acme/gpus"}, "either ami or amiParameter"),
        ({"market": "spot", "stopWhenIdle": True}, "cannot be stopped"),
        ({"allowFrom": ["0.0.0.0/0"]}, "is half the world; name who may ask"),
        ({"allowFrom": ["0.0.0.0/1", "128.0.0.0/1"]}, "is half the world"),
        ({"allowFrom": ["10.0.0.0/8", "::/1"]}, "is half the world"),
        ({"allowFrom": ["10.0.0.1/16"]}, "must be a network"),
        ({"region": "ireland"}, "a region such as eu-west-1"),
        ({"name": "Chat"}, "lowercase"),
        ({"subnets": []}, "name 1 to 9"),
        ({"tags": {"moorage-owner": "me"}}, "not yours to set"),
        ({"userData": "x" * 16_385}, "EC2 takes 16384"),
    ],
)
def test_bad_inputs_are_refused_before_anything_is_asked(
    at: World, changes: dict[str, Any], says: str
) -> None:
    calls = len(at.cloud.proxy.calls)
    _, failures = at.provider.check(at.cloud.inputs(**changes))
    assert any(says in line for line in failures.values()), failures
    assert len(at.cloud.proxy.calls) == calls
