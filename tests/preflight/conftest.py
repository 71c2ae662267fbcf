"""A twin to ask, at once and without long pauses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from moorage.preflight import reading
from moorage.twin import face
from tests.preflight.tables import MODEL, REVISION, Start


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Starts a twin whose addresses and tokens are in the environment."""
    monkeypatch.setattr(reading, "_PAUSES_S", (0.01, 0.01))
    running: list[Any] = []

    def begin(**said: Any) -> face.Twin:
        told = {"status": "live", "task": "conversational", "providerId": "x"}
        repo = face.Repo(revision=REVISION, providers={"together": told})
        known: dict[str, Any] = {"repos": {MODEL: repo}, **said}
        serving = face.serve(face.Scenario(**known))
        running.append(serving)
        twin = serving.__enter__()
        for name, value in twin.environment().items():
            monkeypatch.setenv(name, value)
        return twin

    yield begin
    for serving in running:
        serving.__exit__(None, None, None)
