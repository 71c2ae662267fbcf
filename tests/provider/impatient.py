"""Pauses of the calls to Hugging Face cut short, where a twin needs none of them."""

from __future__ import annotations

import pytest

from moorage.provider.hugging_face import patience


def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many tries and turns as ever, with hardly a pause between them."""
    monkeypatch.setattr(patience, "_PAUSES_S", (0.01, 0.02, 0.03))
    monkeypatch.setattr(patience, "_TURNS_S", (0.01, 0.02, 0.03))
    monkeypatch.setattr(patience, "_LEAST_TURN_S", 0.01)
    monkeypatch.setattr(patience, "_SPREAD_S", 0.01)
