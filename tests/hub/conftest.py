"""A Hub's twin that no token of this machine reaches."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _nobodys_token(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_HUB_OFFLINE", "MOORAGE_HF_ROUTER_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_TOKEN_PATH", "/nonexistent")
