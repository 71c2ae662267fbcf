"""A catalogue of one's own, and sellers that answer."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.market.sellers import Sellers, open_sellers
from tests.spec.support import ROOT


@pytest.fixture
def sellers(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sellers]:
    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "AWS_PROFILE", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", "/nonexistent")
    with open_sellers() as running:
        for name in ("MOORAGE_HF_ENDPOINTS_URL", "MOORAGE_HF_ROUTER_URL", "HF_ENDPOINT"):
            monkeypatch.setenv(name, running.url)
        yield running


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose catalogue is a copy of ours."""
    (tmp_path / "Pulumi.yaml").touch()
    shutil.copytree(ROOT / "catalog", tmp_path / "catalog")
    monkeypatch.chdir(tmp_path)
    return tmp_path
