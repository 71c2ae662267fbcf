"""What a spec publishes, on the real engine and the twin: made, left alone, changed, taken away."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.e2e.checkout import Ended
from tests.e2e.twins import SPEC, TwinStack, a_twin_stack

pytestmark = [pytest.mark.engine, pytest.mark.slow]

ROUTED = """\
apiVersion: moorage/v1
kind: ModelService
name: chat
team: examples
model:
  id: acme/tiny-chat
  revision: 9a6c65a5a2f5b4fd14a52de009ddb27b52c00e4a
  max_model_len: 4096
privacy: {tier: public}
budget: {monthly_usd: 1500}
providers:
  - {kind: hf-router, provider: [together], bill_to: acme}
load: {rps: 1, input_tokens: 32, output_tokens: 16}
publish:
  - kind: model
    name: chat-tone
    namespace: acme
    folder: ../../out/adapter
    license: apache-2.0
    card: {base_model: acme/tiny-chat, tags: [lora]}
    changes_by: commit
    collection: Chat models
  - {kind: dataset, name: chat-talks, namespace: acme, collection: Chat models}
"""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwinStack]:
    with a_twin_stack(tmp_path_factory.mktemp("publish")) as stack:
        (stack.checkout.root / SPEC).write_text(ROUTED)
        yield stack


@pytest.fixture(scope="module")
def first_up(stack: TwinStack) -> Ended:
    write(stack, '{"r": 16}')
    return stack.fine("up")


def write(stack: TwinStack, config: str) -> None:
    folder = stack.checkout.root / "out" / "adapter"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "adapter_config.json").write_text(config)


def hub(stack: TwinStack, path: str) -> httpx.Response:
    headers = {"Authorization": f"Bearer {stack.twin.environ['HF_TOKEN']}"}
    return httpx.get(f"{stack.twin.environ['HF_ENDPOINT']}/{path}", headers=headers, timeout=10)


def published(stack: TwinStack) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = stack.outputs("details")["published"]
    return told


@pytest.mark.thorough
def test_without_its_folder_nothing_is_made(stack: TwinStack) -> None:
    ended = stack.moorage("up")
    assert ended.code != 0
    assert "out/adapter is no folder; make it, or correct the path" in ended.said
    assert not stack.twin.writes()


def test_up_makes_repositories_with_their_card_and_files(first_up: Ended, stack: TwinStack) -> None:
    assert "repo.write on acme" in first_up.err
    told = hub(stack, "api/models/acme/chat-tone").json()
    assert told["private"]
    assert told["cardData"]["license"] == "apache-2.0"
    assert told["cardData"]["base_model"] == "acme/tiny-chat"
    config = hub(stack, "acme/chat-tone/resolve/main/adapter_config.json")
    assert config.text == '{"r": 16}'
    assert hub(stack, "api/datasets/acme/chat-talks").json()["private"]
    [collection] = hub(stack, "api/collections?owner=acme").json()
    assert [item["id"] for item in collection["items"]] == ["acme/chat-tone", "acme/chat-talks"]
    assert [row["url"].rpartition("/")[2] for row in published(stack)] == [
        "chat-tone",
        "chat-talks",
    ]


@pytest.mark.thorough
def test_up_again_writes_nothing(first_up: Ended, stack: TwinStack) -> None:
    stack.twin.forget()
    assert "nothing changed" in stack.fine("up").said
    assert "outputs changed" not in stack.fine("preview").said, "no pull request waits"
    assert not stack.twin.writes()


@pytest.mark.thorough
def test_a_file_that_changed_is_seen(first_up: Ended, stack: TwinStack) -> None:
    write(stack, '{"r": 32}')
    assert "updated ModelRepository chat-model-chat-tone" in stack.fine("up").said
    assert hub(stack, "acme/chat-tone/resolve/main/adapter_config.json").text == '{"r": 32}'


@pytest.mark.thorough
def test_a_change_for_others_to_merge_waits_in_a_pull_request(
    first_up: Ended, stack: TwinStack
) -> None:
    stack.edit("changes_by: commit", "changes_by: pull-request")
    write(stack, '{"r": 64}')
    stack.fine("up")
    [waiting] = [row["pull_request"] for row in published(stack) if row["pull_request"]]
    assert "/acme/chat-tone/discussions/" in waiting
    assert hub(stack, "acme/chat-tone/resolve/main/adapter_config.json").text != '{"r": 64}'
    stack.twin.forget()
    assert "nothing changed" in stack.fine("up").said
    assert not stack.twin.writes()


def test_what_must_stay_here_is_never_published(first_up: Ended, stack: TwinStack) -> None:
    secret = stack.checkout.root / "out" / "adapter" / ".env"
    secret.write_text("KEY=of-somebody")
    stack.twin.forget()
    ended = stack.moorage("up")
    secret.unlink()
    assert ended.code == 1
    assert "published-by-accident" in ended.said
    assert ".env is in it" in ended.said
    assert not stack.twin.writes()


def test_destroy_takes_all_of_it_away(first_up: Ended, stack: TwinStack) -> None:
    stack.fine("destroy")
    assert hub(stack, "api/models/acme/chat-tone").status_code == 404
    assert hub(stack, "api/datasets/acme/chat-talks").status_code == 404
    assert hub(stack, "api/collections?owner=acme").json() == []
