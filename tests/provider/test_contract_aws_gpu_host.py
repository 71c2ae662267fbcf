"""GpuHost keeps the contract, on moto behind a proxy that fills its gaps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import pytest

from moorage.provider.__main__ import PACKAGE
from moorage.provider.aws import cloud
from moorage.provider.contract import HandlerContract
from moorage.provider.handler import State
from moorage.provider.testing import trial
from moorage.provider.testing.trial import Trials
from tests.provider.aws import hosts
from tests.provider.aws.hosts import ID, NAME, REGION, Cloud

cloud._client("ec2", REGION, ())  # loaded here, so that no fork of a trial has to


@pytest.fixture(scope="module")
def account() -> Iterator[Cloud]:
    with hosts.cloud_of_its_own() as made:
        yield made


class TestGpuHost(HandlerContract):
    package = PACKAGE
    token = hosts.TOKEN
    effects: ClassVar = frozenset({trial.SENT})  # a connection alone asks for nothing
    unreadable: ClassVar = {
        "secrets": "nobody reads what a parameter holds",
        "key": "it is in the user data, in the engine's own words",
        "probe": "it is of the deployment, not of the host",
        "kv": "it is of the plan, not of the host",
        "readyTimeoutSeconds": "it is of the deployment, not of the host",
    }
    cloud: Cloud

    @pytest.fixture
    def world(self, account: Cloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        hosts.hurry(monkeypatch)
        for name, value in hosts.environment(account).items():
            monkeypatch.setenv(name, value)
        self.cloud = account
        yield
        account.clear()

    def inputs(self) -> State:
        return self.cloud.inputs()

    def changed(self) -> State:
        return self.cloud.inputs(
            allowFrom=["10.0.0.0/16", "10.1.0.0/16"],
            secrets={"HF_TOKEN": "hf_of-another-day"},
            stopWhenIdle=True,
            tags={"team": "ships"},
        )

    def replaced(self) -> State:
        return self.cloud.inputs(instanceType="g6e.xlarge")

    def waiting(self) -> State:
        return self.cloud.inputs(port=self.cloud.loading_port)

    def things(self) -> Mapping[str, Any]:
        """A host is all that has its name, or was made for it."""
        left = self.cloud.left()
        if not left:
            return {}
        assert len(left.get("instances", ())) <= 1, left
        tags = [sorted(one.get_tags(), key=str) for one in self.cloud.live]
        rules = [
            sorted(str(rule) for rule in group.ingress_rules)
            for each in self.cloud.ec2.groups.values()
            for group in each.values()
            if group.name == NAME
        ]
        return {ID: (left, tags, rules, [one.state for one in self.cloud.live])}

    def plant_foreign(self) -> None:
        tags = {"moorage-owner": "shop/prod/other", "moorage-host": NAME}
        self.cloud.ec2.create_launch_template(NAME, "", {}, {"launch-template": tags})

    def remove(self, id_: str) -> None:
        self.cloud.clear()

    def missing_id(self, made: Any) -> str:
        return f"{REGION}/gone"

    def writes(self) -> int:
        return len(self.cloud.proxy.writes)

    def secret_texts(self) -> tuple[str, ...]:
        return ("testing-and-secret",)

    # Every call of AWS twice over, in a process each; the same deaths, seen by AWS alone, are tried
    # in aws/test_host_crashes.py.

    @pytest.mark.thorough
    def test_a_create_killed_anywhere_and_run_again_leaves_one_thing(self, tried: Trials) -> None:
        super().test_a_create_killed_anywhere_and_run_again_leaves_one_thing(tried)

    @pytest.mark.thorough
    def test_an_update_killed_anywhere_and_run_again_is_made(self, tried: Trials) -> None:
        super().test_an_update_killed_anywhere_and_run_again_is_made(tried)

    @pytest.mark.thorough
    def test_a_delete_killed_anywhere_and_run_again_leaves_nothing(self, tried: Trials) -> None:
        super().test_a_delete_killed_anywhere_and_run_again_leaves_nothing(tried)
