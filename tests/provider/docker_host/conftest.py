"""A harbour that every test finds empty."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.docker.engine import Engine
from tests.provider.docker_host.harbour import Harbour


@pytest.fixture
def harbour(docker_engine: Engine, docker_image: str) -> Iterator[Harbour]:
    """The tests' own engine, which believes in two GPUs."""
    harbour = Harbour(engine=docker_engine, image=docker_image)
    harbour.clear()
    yield harbour
    harbour.clear()
