"""Docker engines as fixtures; they are skipped, with the reason, where none can run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:  # Docker's SDK is imported by those who need an engine
    from tests.docker.engine import Engine


@pytest.fixture(scope="session")
def docker_engine() -> Iterator[Engine]:
    """A Docker engine for all tests of a process, which believes in two GPUs.

    Whoever stops it, or changes its GPUs, leaves it as it was found.
    """
    yield from _running(gpus=2)


@pytest.fixture(scope="session")
def second_docker_engine() -> Iterator[Engine]:
    """Another one, of a host without NVIDIA's runtime."""
    yield from _running(gpus=None)


def _running(gpus: int | None) -> Iterator[Engine]:
    from tests.docker import engine

    if reason := engine.unavailable():
        pytest.skip(reason)
    with engine.running(gpus=gpus) as started:
        yield started


@pytest.fixture(scope="session")
def docker_image(docker_engine: Engine) -> str:
    """The id of the tests' own image, in the first engine."""
    from tests.docker import image

    return image.load(docker_engine)
