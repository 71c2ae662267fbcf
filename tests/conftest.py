"""What every test may rely on: engine tests are skipped, with the reason, where there is no CLI."""

from __future__ import annotations

import signal

import pytest

from moorage.deploy.cli import pulumi_cli
from tests.docker.fixtures import docker_engine, docker_image, second_docker_engine

__all__ = ["docker_engine", "docker_image", "second_docker_engine"]  # fixtures for every test

# A shell that starts the tests in the background has its children ignore interrupts, and they
# would hand that on to every process whose interruption is tested.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if "thorough" not in (config.option.markexpr or "") and not config.option.keyword:
        thorough = [item for item in items if item.get_closest_marker("thorough")]
        config.hook.pytest_deselected(items=thorough)
        items[:] = [item for item in items if item not in thorough]
    engine_tests = [item for item in items if item.get_closest_marker("engine")]
    if engine_tests and pulumi_cli.find(lambda _: None) is None:
        skip = pytest.mark.skip(reason="needs the Pulumi CLI: `make setup` says how to get one")
        for item in engine_tests:
            item.add_marker(skip)
