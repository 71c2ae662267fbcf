"""Many endpoints at once, at an API that takes fewer requests than they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from moorage.provider.hugging_face.endpoints import inference_endpoint
from moorage.provider.testing.client import Client
from moorage.twin import face
from moorage.twin.hardware import Compute
from tests.provider.hugging_face.endpoints import TOKEN, hurry, world

COMPUTE = Compute(
    vendor="aws", region="eu-west-1", instance_type="nvidia-l4", instance_size="x1", quota=50
)
LIMITED = face.Scenario(
    computes=(COMPUTE,),
    limits=(face.Limit(host="endpoints", method="POST", most=20, window_s=2.0),),
)


@pytest.mark.thorough
def test_fifty_creates_pass_a_limit_of_twenty_in_a_window(
    in_process: Callable[..., Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    hurry(monkeypatch)
    provider = in_process({TOKEN: inference_endpoint.HANDLER})
    names = [f"chat-{number}" for number in range(50)]
    with world(provider, monkeypatch, LIMITED) as at:
        with ThreadPoolExecutor(max_workers=50) as pool:
            made = list(pool.map(lambda name: at.create(name=name), names))
        assert [one.state["status"] for one in made] == ["running"] * 50
        assert Counter(one.name for one in at.twin.endpoints.of("acme")) == Counter(names)
        assert len(at.sent()) > 50, "the limit was never met"
