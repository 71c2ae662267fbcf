"""The gateway is told in whose words each backend ranks."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import structs

from moorage.plan.types import Placement
from tests.components import test_apps, test_docker_host, test_ec2, test_hugging_face
from tests.components.programs import a_plan, a_stack, declare, routes_of

TEI: dict[str, Any] = {
    "engine": "tei",
    "version": "1.9.3",
    "image": "acme/tei:1",
    "flags": {},
    "fit": None,
}
KINDS = {
    "docker-host": test_docker_host.PLACEMENT,
    "ec2-gpu": test_ec2.HOST,
    "hf-endpoint": test_hugging_face.ENDPOINT,
    "hf-space": test_apps.PLACEMENT,
}


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("HF_TOKEN", "hf_deploys")


def backend_of(placement: Placement, task: str) -> dict[str, Any]:
    plan = a_plan(placement, revision="a" * 40, task=task)
    [backend] = routes_of(declare(lambda: a_stack(plan)))["services"][0]["backends"]
    told: dict[str, Any] = backend
    return told


@pytest.mark.parametrize("kind", KINDS)
def test_one_that_ranks_by_tei_is_asked_in_its_words(kind: str) -> None:
    by_tei = structs.replace(KINDS[kind], **TEI)
    ranker = backend_of(by_tei, "text-ranking")
    assert ranker["ranks"] == "tei"
    assert ranker["url"].endswith("/v1")
    assert "ranks" not in backend_of(by_tei, "feature-extraction")


def test_every_other_engine_has_the_usual_path() -> None:
    assert "ranks" not in backend_of(KINDS["docker-host"], "text-ranking")
