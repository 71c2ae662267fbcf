"""Where Pulumi's behaviour surprises, a person reads what it means and what to do."""

from __future__ import annotations

import json

import pytest

from moorage.deploy.advice import SURPRISES, meaning
from tests.deploy.project import Project

THING = "urn:pulumi:local::demo::moorage:index:Group$moorage:index:Marker::thing"
OTHER = "urn:pulumi:local::demo::moorage:index:Marker::other"


@pytest.mark.parametrize(
    ("line", "means"),
    [
        (
            f'resource "{THING}" cannot be deleted because it is protected. To unprotect',
            "Marker thing is protected, so it is not deleted; take `protect` out of the program",
        ),
        (
            f'unable to replace resource "{THING}" as part of replacing "{OTHER}" as it is',
            "Marker other cannot be replaced: Marker thing would be replaced with it and is protec",
        ),
        (
            f"Resource '{THING}' will be destroyed but was not specified in --target list. Either",
            "Marker thing depends on a target and would be deleted with it; name it too",
        ),
        (
            f"Target '{THING}' could not be found in the stack.",
            "there is no Marker thing, neither in the state nor in the program",
        ),
        (
            "no resource plugin 'pulumi-resource-docker' found in the workspace at version v5.2.0",
            (
                "Pulumi's docker plugin, which containers need, is not installed: run "
                "`pulumi plugin install resource docker 5.2.0`"
            ),
        ),
        (
            "no resource plugin 'pulumi-resource-harbour' found in the workspace or on your $PATH",
            "the provider harbour is not installed: name its folder in Pulumi.yaml",
        ),
        (
            (
                "Error pinging Docker server, please make sure that ssh://gpu-box-1:2222 is"
                " reachable and has a  '_ping' endpoint. Error: error during connect: exit status"
                " 255"
            ),
            (
                "Docker at ssh://gpu-box-1:2222 does not answer (error during connect: exit status"
                " 255): bring it back; where it is gone for good, take it out of the specs, run"
                " `moorage up`, then `moorage state remove --host ssh://gpu-box-1:2222`"
            ),
        ),
        (
            (
                "Unable to read Docker image into resource: unable to pull image acme/engine:2:"
                " error pulling image acme/engine:2: Error response from daemon: pull access denied"
                " for acme/engine, repository does not exist or may require 'docker login'"
            ),
            (
                "acme/engine:2 is not there, or cannot be had with the login that Docker has here:"
                " correct its name, or run `docker login`"
            ),
        ),
        (
            (
                "Error loading registry auth config: could not open config file from filePath:"
                " ~/.docker/config.json. Error: open /root/.docker/config.json: no such file"
            ),
            "the last `up` pulled images with the logins of ~/.docker/config.json, which is not",
        ),
        (
            (
                "Error loading registry auth config: could not get auth config (the"
                " credentialhelper did not work or was not found): error getting credentials"
            ),
            "Docker's credential helper gives no login for a registry (error getting credentials)",
        ),
        (
            "Unable to read Docker image into resource: unable to find or pull image acme/engine:2",
            "the pull of acme/engine:2 broke off, as it does where the disk is full: `docker pull",
        ),
        ("no room", "no room"),
    ],
)
def test_what_pulumi_says_is_told_in_our_words(line: str, means: str) -> None:
    assert meaning(line).startswith(means)


def test_every_surprise_can_be_told() -> None:
    """A template that names a group which its sign lacks would fail when it is needed most."""
    for surprise in SURPRISES:
        groups = dict.fromkeys(surprise.sign.groupindex, THING)
        told = surprise.says.format(**groups, **{f"{name}_bare": "thing" for name in groups})
        assert "{urn" not in told


@pytest.mark.engine
@pytest.mark.slow
@pytest.mark.thorough
def test_an_old_one_that_cannot_be_deleted_is_told_of_and_deleted_by_the_next_up(
    project: Project,
) -> None:
    assert project.cli("moving", "up").code == 0
    stuck = project.root / "here.stuck"
    stuck.touch()
    (project.root / "moved").touch()
    failed = project.cli("moving", "up")
    assert failed.code == 1
    assert "it is in use; the new one is in place, the old one stays in the state" in failed.fault
    assert "an earlier run" not in failed.err
    expected = project.cli("moving", "up", "--expect-no-changes")
    assert (expected.code, "would be rid of its old one" in expected.fault) == (7, True)
    stuck.unlink()
    after = project.cli("moving", "up")
    assert after.code == 0
    assert f"could not delete the old one ({project.root / 'here'})" in after.err
    assert not (project.root / "here").exists()


@pytest.mark.engine
@pytest.mark.slow
@pytest.mark.thorough
def test_protection_in_the_way_names_the_resource_and_the_way_out(project: Project) -> None:
    (project.root / "protected").touch()
    assert project.cli("moving", "up").code == 0
    (project.root / "moved").touch()
    way_out = "`moorage state unprotect thing`"
    for operation in ("up", "destroy"):
        ended = project.cli("moving", operation)
        assert (ended.code, way_out in ended.fault) == (1, True)
        assert "\n" not in ended.fault
    assert "is not protected any more" in project.cli("moving", "state", "unprotect", "thing").out
    assert project.cli("moving", "destroy").code == 0


@pytest.mark.engine
@pytest.mark.slow
@pytest.mark.thorough
def test_what_a_target_needs_and_a_missing_provider_are_named(project: Project) -> None:
    alone = project.cli("chain", "up", "--target", "after-left")
    assert alone.code == 1
    assert "Marker after-left needs Marker left, which is not deployed yet; name it too: " in (
        alone.fault
    )
    together = project.cli("chain", "up", "--target", "after-left", "--target", "left", "--json")
    assert json.loads(together.out)["changes"]["create"] == 2
    missing = project.cli("foreign", "up")
    assert (missing.code, "the provider elsewhere is not installed" in missing.fault) == (1, True)
