"""What every test may rely on: engine tests are skipped, with the reason, where there is no CLI."""

from __future__ import annotations

import functools
import signal
import ssl
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from moorage.deploy.cli import pulumi_cli
from tests.docker.fixtures import docker_engine, docker_image, second_docker_engine

__all__ = ["docker_engine", "docker_image", "second_docker_engine"]  # fixtures for every test

# To load the world's certificates takes a tenth of a second, for each client of each test; and here
# nobody speaks TLS.
_shared: Any = functools.cache(ssl.create_default_context)
ssl.create_default_context = _shared

# A busy machine makes nothing wrong.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

# A shell that starts the tests in the background has its children ignore interrupts, and they
# would hand that on to every process whose interruption is tested.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if "thorough" not in (config.option.markexpr or "") and not config.option.keyword:
        thorough = [item for item in items if item.get_closest_marker("thorough")]
        config.hook.pytest_deselected(items=thorough)
        left = set(thorough)
        items[:] = [item for item in items if item not in left]
    longest_first(items)
    engine_tests = [item for item in items if item.get_closest_marker("engine")]
    if engine_tests and pulumi_cli.find(lambda _: None) is None:
        skip = pytest.mark.skip(reason="needs the Pulumi CLI: `make setup` says how to get one")
        for item in engine_tests:
            item.add_marker(skip)


def longest_first(items: list[pytest.Item]) -> None:
    """Order the files: one that takes a minute, begun last, would leave the other workers idle."""
    costs_s: defaultdict[Path, float] = defaultdict(float)
    for item in items:
        costs_s[item.path] += guessed_s(item)
    items.sort(key=lambda item: -costs_s[item.path])


def guessed_s(item: pytest.Item) -> float:
    """What a test may take: good enough to tell files of minutes from those of seconds."""
    if item.get_closest_marker("engine"):
        return 6
    if item.get_closest_marker("slow") or "docker_engine" in getattr(item, "fixturenames", ()):
        return 2
    return 0.05
