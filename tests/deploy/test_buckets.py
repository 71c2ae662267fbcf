"""A stack that keeps its state in a bucket: everything works there, and nobody is in the way."""

from __future__ import annotations

import json
import shutil
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.deploy import s3
from tests.deploy.project import Project, a_project, engine_of, finished, until
from tests.deploy.s3 import Bucket

pytestmark = [pytest.mark.engine, pytest.mark.slow]

LEASE = ".moorage/leases/demo/local.json"


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with s3.a_server() as endpoint:
        yield endpoint


@pytest.fixture
def bucket(server: str, request: pytest.FixtureRequest) -> Bucket:
    name = request.node.name.split("[")[0].replace("_", "-").removeprefix("test-")[:50]
    return s3.a_bucket(server, name.strip("-"))


@pytest.fixture
def team(passphrased: Project, bucket: Bucket) -> Project:
    """The project, with its state in the bucket."""
    return replace(passphrased, environ={**passphrased.environ, **bucket.environ})


def as_cloned(project: Project) -> Project:
    """The checkout as a clone has it: without anything that git does not carry."""
    shutil.rmtree(project.root / ".moorage")
    return project


def resources(bucket: Bucket) -> set[str]:
    latest = json.loads(bucket.read(".pulumi/stacks/demo/local.json"))["checkpoint"]["latest"]
    assert not latest.get("pending_operations")
    return {one["urn"].rsplit("::", 1)[-1] for one in latest["resources"]}


@pytest.mark.thorough
def test_every_operation_works_and_a_fresh_clone_takes_it_up(team: Project, bucket: Bucket) -> None:
    """The passphrase opens the secrets wherever it is set; a wrong one is told as that."""
    assert team.run("up").said["changes"] == {"create": 1}
    clone = as_cloned(team)
    assert clone.run("up").said["changed"] is False
    shown = clone.run("outputs").said
    assert shown["1"]["services"]["hello"]["api_key"] == "sk-1"
    assert shown["0"]["services"]["hello"]["api_key"] == "[secret]"
    assert clone.run("refresh").said["changed"] is False
    exported = clone.cli("one", "state", "export")
    assert "sk-1" not in exported.out
    assert json.loads(exported.out)["deployment"]["resources"]
    (clone.root / "state.json").write_text(exported.out)
    assert clone.cli("one", "state", "import", str(clone.root / "state.json")).code == 0
    history = clone.cli("one", "history", "--json")
    assert history.out.count('"operation"') >= 3
    wrong = as_cloned(clone).run("up", PULUMI_CONFIG_PASSPHRASE="of another team")
    assert wrong.code == 6
    assert "the passphrase does not open stack local" in wrong.fault
    destroyed = team.run("destroy")
    assert destroyed.said["changes"] == {"delete": 1}
    assert bucket.keys() == [".pulumi/meta.yaml"]
    assert not (team.root / "one").exists()


@pytest.mark.thorough
def test_a_run_killed_with_its_engine_is_taken_up_from_another_clone(
    team: Project, bucket: Bucket
) -> None:
    driver = team.start("up", "waiting")
    until((team.root / "two").exists)
    engine = engine_of(driver)
    driver.kill()
    engine.kill()
    finished(driver)
    assert bucket.keys().count(LEASE) == 1
    (team.root / "go").touch()
    after = as_cloned(team).run("up", "waiting")
    assert after.code == 0, after.err
    assert "took the stack over from a run that died" in after.err
    assert "its process is gone" in after.err
    assert "cleared the lock of a run that died" in after.err
    assert resources(bucket) >= {"one", "two"}
    left = bucket.keys()
    assert not [key for key in left if "lock" in key or "lease" in key]


@pytest.mark.thorough
def test_what_a_dead_provider_created_is_kept(team: Project, bucket: Bucket) -> None:
    driver = team.start("up", "waiting")
    until((team.root / "two").exists)
    (provider,) = engine_of(driver).children()
    provider.kill()
    assert finished(driver).code == 1
    assert "two" in resources(bucket)


def test_of_two_checkouts_at_once_one_works_and_the_other_is_told(
    team: Project, bucket: Bucket, tmp_path: Path
) -> None:
    working = team.start("up", "waiting")
    until((team.root / "two").exists)
    with a_project(tmp_path / "another checkout") as another:
        second = another.run("up", "one", **bucket.environ)
        assert second.code == 6
        host = socket.gethostname()
        assert (
            f"stack local is held by `moorage up --stack local` of root@{host}".replace(
                "root", second.fault.split(" of ", 1)[1].split("@")[0]
            )
            in second.fault
        )
        assert f"pid {working.pid}" in second.fault
        assert "its process lives: wait for it to end" in second.fault
        assert not (another.root / "one").exists()
    (team.root / "go").touch()
    assert finished(working).code == 0


@pytest.mark.thorough
def test_a_run_on_another_machine_is_freed_only_by_naming_it(team: Project, bucket: Bucket) -> None:
    """Whoever holds the stack by the time that a person has made up their mind keeps it."""
    since = "2026-08-20T12:00:00+00:00"
    lock = {"pid": 77, "username": "ann", "hostname": "elsewhere", "timestamp": since}
    lease = {"host": "elsewhere", "user": "ann", "pid": 7, "command": "moorage up", "since": since}
    lease |= {"boot": "b", "start_ticks": 1, "pid_namespace": 1, "machine": "m", "checkout": ""}
    lease |= {"token": "t", "job": None}
    engine_lock = ".pulumi/locks/organization/demo/local/0b5f.json"
    bucket.write(LEASE, json.dumps(lease))
    bucket.write(engine_lock, json.dumps(lock))
    refused = team.run("up")
    assert refused.code == 6
    assert "`moorage up` of ann@elsewhere, pid 7, for" in refused.fault
    assert "it runs on another machine: wait for it, or free" in refused.fault
    assert "`moorage cancel --stack local --dead-owner elsewhere:7`" in refused.fault
    for owner in ([], ["--dead-owner", "elsewhere:8"]):
        assert team.cli("one", "cancel", *owner).code == 6
        assert {LEASE, engine_lock} <= {*bucket.keys()}
    freed = team.cli("one", "cancel", "--dead-owner", "elsewhere:7")
    assert freed.code == 0, freed.err
    assert not {LEASE, engine_lock} & {*bucket.keys()}


@pytest.mark.thorough
def test_a_key_of_the_cloud_seals_the_secrets_in_the_passphrase_s_place(
    team: Project, bucket: Bucket
) -> None:
    kms = s3.client("kms", bucket.endpoint)
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    way = f"awskms://{key}?region=eu-west-1&endpoint={bucket.endpoint}"
    (team.root / "stacks" / "Pulumi.local.yaml").write_text(f"secretsprovider: {way}\n")
    environ = {k: v for k, v in team.environ.items() if "PASSPHRASE" not in k}
    keyed = replace(team, environ=environ)
    assert keyed.run("up").said["changes"] == {"create": 1}
    assert "sk-1" not in bucket.read(".pulumi/stacks/demo/local.json")
    clone = as_cloned(keyed)
    assert clone.run("outputs").said["1"]["services"]["hello"]["api_key"] == "sk-1"
