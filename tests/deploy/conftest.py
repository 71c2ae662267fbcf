"""Fixtures of the driver's tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy.project import Project, a_project


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """A project with a blank in its path, as real ones have."""
    with a_project(tmp_path / "a project") as project:
        yield project


@pytest.fixture
def passphrased(tmp_path: Path) -> Iterator[Project]:
    """The same, its secrets sealed by a passphrase, as they are where nobody says otherwise."""
    with a_project(tmp_path / "a project", provider=None) as project:
        yield project
