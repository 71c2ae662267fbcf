"""What a died run left is found though its inputs do not say whose it is: the URN does."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator

import pytest

from moorage.provider import locate
from moorage.provider.__main__ import PACKAGE
from moorage.provider.hugging_face import things
from moorage.provider.hugging_face.endpoints import endpoint_owner
from moorage.twin import face
from tests.provider.hugging_face.endpoints import ID, INPUTS, TOKEN

URN = f"urn:pulumi:prod::shop::{TOKEN}::chat"
STRANGERS = f"urn:pulumi:prod::shop::{TOKEN}::other"
UNOWNED = {name: value for name, value in INPUTS.items() if name != "owner"}


@pytest.fixture
def twin(monkeypatch: pytest.MonkeyPatch) -> Iterator[face.Twin]:
    with face.serve(face.Scenario(timings=face.Timings(delete_s=30.0))) as twin:
        for name, value in twin.environment().items():
            monkeypatch.setenv(name, value)
        yield twin


def located(urn: str) -> str | None:
    answers = io.StringIO()
    question = {"type": TOKEN, "urn": urn, "inputs": UNOWNED}
    locate.main(PACKAGE.handlers, [json.dumps(question)], answers)
    found: str | None = json.loads(answers.getvalue())["id"]
    return found


def test_it_is_found_by_the_urn_alone(twin: face.Twin) -> None:
    assert located(URN) is None
    twin.plant("acme", "chat", tags=endpoint_owner.marks(things.owner_by(URN)))
    assert located(URN) == ID
    assert located(STRANGERS) is None


def test_one_that_is_on_its_way_out_is_still_there(twin: face.Twin) -> None:
    endpoint = twin.plant("acme", "chat", tags=endpoint_owner.marks("shop/prod/chat"))
    endpoint.delete()
    assert located(URN) == ID
