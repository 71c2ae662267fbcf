"""What a spec publishes becomes repositories and collections."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from components import refuse_unfurnished
from components.model_service import ModelService
from moorage.errors import MoorageError
from moorage.provider.check import check
from moorage.provider.hugging_face.repositories import collection, model_repository
from moorage.spec.types import Publication
from tests.components.programs import SITE, a_plan, declare

TONE = Publication(
    kind="model",
    name="support-chat-tone",
    namespace="acme",
    folder=Path("/out/adapter"),
    license="apache-2.0",
    card={"base_model": "Qwen/Qwen3-8B", "tags": ["lora"]},
    changes_by="pull-request",
    resource_group="g1",
    collection="Support models",
)
TALKS = Publication(kind="dataset", name="talks", namespace="acme", collection="Support models")


def published(*rows: Publication) -> dict[str, dict[str, Any]]:
    def program() -> None:
        ModelService(a_plan(publish=rows), site=SITE)

    seen = declare(program)
    return {name: inputs for name, inputs in seen.items() if name not in ("hello", "hello-key")}


def collections(*rows: Publication) -> list[dict[str, Any]]:
    return [inputs for name, inputs in published(*rows).items() if "-collection-" in name]


def test_a_repository_is_declared_as_the_spec_says() -> None:
    assert published(structs.replace(TONE, collection=None)) == {
        "hello-model-support-chat-tone": {
            "name": "support-chat-tone",
            "namespace": "acme",
            "owner": "moorage/story/hello-model-support-chat-tone",
            "type": "model",
            "visibility": "private",
            "license": "apache-2.0",
            "card": {"base_model": "Qwen/Qwen3-8B", "tags": ["lora"]},
            "folder": "/out/adapter",
            "resourceGroup": "g1",
            "changesBy": "pull-request",
        }
    }


def test_what_is_left_out_is_left_to_the_resource() -> None:
    [inputs] = published(Publication(kind="dataset", name="talks")).values()
    assert not {"namespace", "folder", "license", "card", "resourceGroup"} & inputs.keys()
    assert (inputs["type"], inputs["visibility"], inputs["changesBy"]) == (
        "dataset",
        "private",
        "commit",
    )


def test_a_collection_holds_what_names_it_in_the_order_of_the_spec() -> None:
    [made] = collections(TALKS, TONE)
    assert (made["title"], made["namespace"], made["visibility"]) == (
        "Support models",
        "acme",
        "private",
    )
    assert made["items"] == [
        {"type": "dataset", "id": "acme/talks"},
        {"type": "model", "id": "acme/support-chat-tone"},
    ]


@pytest.mark.parametrize(("seen", "whole"), [("public", "public"), ("private", "private")])
def test_a_collection_is_public_where_all_of_it_is(seen: str, whole: str) -> None:
    rows = (
        structs.replace(TALKS, visibility="public"),
        structs.replace(TONE, visibility=seen),
    )
    [made] = collections(*rows)
    assert made["visibility"] == whole


def test_every_title_of_every_account_is_a_collection_of_its_own() -> None:
    titles = [
        ("模型", "acme"),
        ("数据", "acme"),
        ("Support models", None),
        ("Support-models", None),
    ]
    rows = [
        structs.replace(TALKS, name=f"talks-{at}", collection=title, namespace=namespace)
        for at, (title, namespace) in enumerate(titles)
    ]
    made = collections(*rows)
    assert sorted(one["title"] for one in made) == sorted(title for title, _ in titles)
    assert len({one["owner"] for one in made}) == len(titles)


def test_what_is_declared_its_resources_take() -> None:
    for name, inputs in published(TONE, TALKS).items():
        room = collection if "-collection-" in name else model_repository
        filled, failures = check(room.HANDLER.shape.inputs, inputs)
        assert not failures
        assert not room.HANDLER.check(filled)


def test_a_folder_that_is_not_there_is_told_before_anything_is_made(tmp_path: Path) -> None:
    refuse_unfurnished([a_plan(publish=(structs.replace(TONE, folder=tmp_path),))])
    with pytest.raises(MoorageError, match="model acme/support-chat-tone: /out/adapter is no"):
        refuse_unfurnished([a_plan(publish=(TONE,))])
