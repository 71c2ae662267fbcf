"""One account for the tests of a module, empty before each."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from moorage.provider.aws import gpu_host
from moorage.provider.testing.client import Client
from tests.provider.aws import hosts
from tests.provider.aws.hosts import Cloud, World


@pytest.fixture(scope="module")
def account() -> Iterator[Cloud]:
    with hosts.cloud_of_its_own() as made:
        yield made


@pytest.fixture
def at(
    account: Cloud, in_process: Callable[..., Client], monkeypatch: pytest.MonkeyPatch
) -> Iterator[World]:
    hosts.hurry(monkeypatch)
    for name, value in hosts.environment(account).items():
        monkeypatch.setenv(name, value)
    provider = in_process({hosts.TOKEN: gpu_host.HANDLER})
    provider.token = hosts.TOKEN
    yield World(cloud=account, provider=provider)
    account.clear()
