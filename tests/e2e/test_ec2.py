"""The stack `ec2`: instances whose engines answer, on the real engine and a whole life."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.aws.proxy import Fault
from tests.e2e.checkout import Ended, ask
from tests.e2e.clouds import SPEC, CloudStack, a_cloud_stack

pytestmark = [pytest.mark.engine, pytest.mark.slow]

SPOT, ON_DEMAND = "ec2-gpu-1", "ec2-gpu-2"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CloudStack]:
    folder = tmp_path_factory.mktemp("aws")
    with a_cloud_stack(tmp_path_factory.mktemp("ec2"), world_folder=folder) as stack:
        yield stack


@pytest.fixture(scope="module")
def first_up(stack: CloudStack) -> Ended:
    return stack.fine("up")


def backend(stack: CloudStack) -> str:
    answer = ask(stack.outputs())
    assert answer.status_code == 200, answer.text
    return answer.headers["x-moorage-backend"]


def one_clear_line(ended: Ended, code: int, *words: str) -> None:
    assert ended.code == code, ended.said
    assert "Traceback" not in ended.said
    for word in words:
        assert word in ended.err


@contextmanager
def faults(stack: CloudStack, *told: Fault) -> Iterator[None]:
    known = stack.cloud.world.proxy.faults
    known.extend(told)
    try:
        yield
    finally:
        known.clear()


@contextmanager
def asked_all_the_time(stack: CloudStack) -> Iterator[Callable[[], list[int]]]:
    """A client that never stops asking; what it got, by status."""
    service, got, over = stack.outputs(), list[int](), threading.Event()

    def go_on() -> None:
        while not over.is_set():
            got.append(ask(service).status_code)
            time.sleep(0.05)

    thread = threading.Thread(target=go_on)
    thread.start()
    try:
        yield lambda: got
    finally:
        over.set()
        thread.join()


@pytest.mark.thorough
def test_without_credentials_nothing_is_asked(stack: CloudStack) -> None:
    none = dict.fromkeys(("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"), "/nowhere")
    ended = stack.moorage("up", AWS_ACCESS_KEY_ID="", **none)
    one_clear_line(ended, 2, "there are no AWS credentials; set AWS_PROFILE")
    assert not stack.cloud.world.proxy.calls


@pytest.mark.thorough
def test_a_preview_makes_nothing(stack: CloudStack) -> None:
    ended = stack.fine("preview")
    assert "GpuHost ec2-chat-ec2-gpu-1 would be created" in ended.said
    assert not stack.cloud.writes


def test_up_buys_instances_that_answer(first_up: Ended, stack: CloudStack) -> None:
    spot, on_demand = (stack.cloud.the_instance(name) for name in (SPOT, ON_DEMAND))
    assert spot["InstanceLifecycle"] == "spot"
    assert "InstanceLifecycle" not in on_demand
    assert spot["MetadataOptions"]["HttpTokens"] == "required"
    assert "PublicIpAddress" not in spot
    assert backend(stack) == SPOT


def test_the_engine_is_closed_but_for_the_gateway(first_up: Ended, stack: CloudStack) -> None:
    [group] = stack.cloud.the_instance()["SecurityGroups"]
    ec2 = stack.cloud.client()
    [found] = ec2.describe_security_groups(GroupIds=[group["GroupId"]])["SecurityGroups"]
    [rule] = found["IpPermissions"]
    assert (rule["FromPort"], rule["ToPort"]) == (8000, 8000)
    assert [one["CidrIp"] for one in rule["IpRanges"]] == ["127.0.0.1/32"]


def test_the_cache_is_held_to_the_plan(first_up: Ended, stack: CloudStack) -> None:
    told = stack.outputs("details")["backends"]
    assert [one["kv_tokens"] for one in told] == [262_144, 262_144]


def test_no_key_is_told_or_kept_in_plain(first_up: Ended, stack: CloudStack) -> None:
    """The gateway's routes alone hold them, for nobody else to read."""
    root, world = stack.checkout.root, stack.cloud.world.machines.folder
    keys = {path.read_text().partition("=")[2].strip() for path in world.glob("*/etc/moorage/key")}
    assert len(keys) == 2
    said = first_up.said + stack.fine("outputs", "--all", "--json").said
    said += " ".join(" ".join(process.cmdline()) for process in stack.checkout.processes())
    files = [path for path in (root / ".moorage").rglob("*") if path.is_file()]
    for key in keys:
        assert key not in said
        holding = [path.name for path in files if key.encode() in path.read_bytes()]
        assert set(holding) <= {"routes.json"}


@pytest.mark.thorough
def test_up_again_changes_and_writes_nothing(first_up: Ended, stack: CloudStack) -> None:
    stack.cloud.forget()
    assert "nothing changed" in stack.fine("up").said
    assert not stack.cloud.writes


@pytest.mark.thorough
def test_a_spot_instance_that_is_taken_back_is_bought_again(
    first_up: Ended, stack: CloudStack
) -> None:
    before = stack.cloud.the_instance()["InstanceId"]
    with asked_all_the_time(stack) as got:
        stack.cloud.take_back(before, after_s=3)
        time.sleep(4)
    assert set(got()) == {200}
    assert backend(stack) == ON_DEMAND
    stack.fine("up")
    assert stack.cloud.the_instance()["InstanceId"] != before
    assert backend(stack) == SPOT


@pytest.mark.thorough
def test_other_flags_are_other_instances_and_nobody_waits(
    first_up: Ended, stack: CloudStack
) -> None:
    before = {one["InstanceId"] for one in stack.cloud.instances()}
    stack.cloud.forget()
    stack.edit("serving: {engine: vllm}", "serving: {engine: vllm, args: {enforce-eager: true}}")
    with asked_all_the_time(stack) as got:
        ended = stack.fine("up")
    assert "created anew GpuHost ec2-chat-ec2-gpu-1" in ended.said
    assert before.isdisjoint(one["InstanceId"] for one in stack.cloud.instances())
    writes = stack.cloud.writes
    last_made = max(n for n, one in enumerate(writes) if one == "RunInstances")
    assert last_made < writes.index("TerminateInstances"), "the old ones went before"
    assert set(got()) == {200}


@pytest.mark.thorough
def test_what_does_not_get_to_serve_ends_nothing_that_does(
    first_up: Ended, stack: CloudStack
) -> None:
    before = {one["InstanceId"] for one in stack.cloud.instances()}
    spec = stack.checkout.root / SPEC
    good = spec.read_text(encoding="utf-8")
    bad = good.replace("{engine: vllm", "{env: {MOORAGE_TWIN_FAILS: no memory}, engine: vllm")
    spec.write_text(bad, encoding="utf-8")
    with asked_all_the_time(stack) as got:
        ended = stack.moorage("up")
    assert "the old GpuHost ec2-chat-ec2-gpu-1 stays until the new one is well" in ended.err
    assert before < {one["InstanceId"] for one in stack.cloud.instances()}
    assert set(got()) == {200}
    spec.write_text(good, encoding="utf-8")
    stack.fine("up")
    assert before == {one["InstanceId"] for one in stack.cloud.instances()}


@pytest.mark.thorough
def test_one_that_somebody_stopped_is_started_again(first_up: Ended, stack: CloudStack) -> None:
    instance = stack.cloud.the_instance(ON_DEMAND)["InstanceId"]
    stack.cloud.client().stop_instances(InstanceIds=[instance])
    seen = stack.fine("refresh")
    assert "stopped" in seen.said
    assert backend(stack) == SPOT
    stack.fine("up")
    assert stack.cloud.the_instance(ON_DEMAND)["State"]["Name"] == "running"
    assert stack.cloud.the_instance(ON_DEMAND)["InstanceId"] == instance


@pytest.mark.thorough
def test_one_that_somebody_resized_is_set_back(first_up: Ended, stack: CloudStack) -> None:
    ec2, instance = stack.cloud.client(), stack.cloud.the_instance(ON_DEMAND)["InstanceId"]
    ec2.stop_instances(InstanceIds=[instance])
    ec2.modify_instance_attribute(InstanceId=instance, InstanceType={"Value": "g6e.12xlarge"})
    ec2.start_instances(InstanceIds=[instance])
    assert "g6e.12xlarge" in stack.fine("refresh").said
    stack.fine("up")
    assert stack.cloud.the_instance(ON_DEMAND)["InstanceType"] == "g6e.xlarge"
    assert stack.cloud.the_instance(ON_DEMAND)["InstanceId"] == instance


@pytest.mark.thorough
def test_a_group_that_somebody_opened_is_closed(first_up: Ended, stack: CloudStack) -> None:
    ec2, [group] = stack.cloud.client(), stack.cloud.the_instance()["SecurityGroups"]
    everybody = {
        "IpProtocol": "tcp",
        "FromPort": 22,
        "ToPort": 22,
        "IpRanges": [{"CidrIp": "0.0.0.0/0"}],
    }
    ec2.authorize_security_group_ingress(GroupId=group["GroupId"], IpPermissions=[everybody])
    assert "0.0.0.0/0" in stack.fine("refresh").said
    stack.fine("up")
    [found] = ec2.describe_security_groups(GroupIds=[group["GroupId"]])["SecurityGroups"]
    assert len(found["IpPermissions"]) == 1


@pytest.mark.thorough
def test_what_the_state_has_forgotten_is_imported(first_up: Ended, stack: CloudStack) -> None:
    stack.fine("up")
    tags = stack.cloud.the_instance()["Tags"]
    name = next(one["Value"] for one in tags if one["Key"] == "Name")
    stack.fine("state", "remove", "gateway-process")
    stack.fine("state", "remove", "ec2-chat-ec2-gpu-1")
    words = ("GpuHost", "ec2-chat-ec2-gpu-1", f"eu-north-1/{name}")
    stack.fine("import", "--parent", "ec2-chat", *words)
    stack.cloud.forget()
    stack.fine("up")
    assert "RunInstances" not in stack.cloud.writes
    assert backend(stack) == SPOT


@pytest.mark.thorough
def test_the_first_without_capacity_is_left_out_until_there_is_some(
    first_up: Ended, stack: CloudStack
) -> None:
    said = "We currently do not have sufficient g6e.xlarge capacity"
    short = Fault(action="RunInstances", code="InsufficientInstanceCapacity", words=said)
    instance = stack.cloud.the_instance()["InstanceId"]
    stack.cloud.client().terminate_instances(InstanceIds=[instance])
    with faults(stack, short):
        ended = stack.fine("up")
    assert "sufficient" in ended.said
    assert backend(stack) == ON_DEMAND
    stack.fine("up")
    assert backend(stack) == SPOT


@pytest.mark.thorough
def test_a_quota_is_named_with_its_code(first_up: Ended, stack: CloudStack) -> None:
    instance = stack.cloud.the_instance(ON_DEMAND)["InstanceId"]
    stack.cloud.client().terminate_instances(InstanceIds=[instance])
    with faults(stack, Fault(action="RunInstances", code="VcpuLimitExceeded", words="32 vCPU")):
        ended = stack.moorage("up")
    assert ended.code != 0
    assert "L-DB2E81BA" in ended.said
    assert "Traceback" not in ended.said
    assert backend(stack) == SPOT
    stack.fine("up")


@pytest.mark.thorough
def test_a_cache_far_below_the_plan_fails_the_deployment(
    first_up: Ended, stack: CloudStack
) -> None:
    stack.edit(
        "serving: {engine: vllm", 'serving: {env: {MOORAGE_TWIN_KV_TOKENS: "20000"}, engine: vllm'
    )
    ended = stack.moorage("up")
    stack.edit(
        'serving: {env: {MOORAGE_TWIN_KV_TOKENS: "20000"}, engine: vllm', "serving: {engine: vllm"
    )
    assert ended.code != 0
    assert "20,000 KV tokens" in ended.said or "20000" in ended.said
    assert "too few" in ended.said
    stack.fine("up")
    assert backend(stack) == SPOT


@pytest.mark.thorough
def test_replicas_are_instances_of_their_own(first_up: Ended, stack: CloudStack) -> None:
    old = "    instance: g6e.xlarge\n    public_address: false\n"
    stack.edit(old, f"{old}    replicas: {{min: 2}}\n")
    stack.edit("monthly_usd: 3500", "monthly_usd: 9000")
    stack.fine("up")
    assert len(stack.cloud.instances()) == 3
    stack.edit("    replicas: {min: 2}\n", "")
    stack.fine("up")
    assert len(stack.cloud.instances()) == 2


def test_destroy_leaves_nothing(first_up: Ended, stack: CloudStack) -> None:
    stack.fine("destroy")
    assert not stack.cloud.left()
    assert not stack.checkout.processes()
