"""The other repositories that a spec names: adapters, tokenizers, templates, datasets."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator

import pytest

from moorage import hub
from moorage.errors import Exit, MoorageError
from moorage.plan.facts import Reference
from moorage.plan.locks.references import Wanted
from moorage.twin.hub import Hub, Repo, serve
from tests.hub.making import safetensors

WEIGHTS = safetensors({"lora_A.weight": ("F32", [16, 64])})
TOKENIZER = b'{"version": "1.0"}'
LORA = {"r": 16, "base_model_name_or_path": "acme/base", "peft_type": "LORA"}
REPOS = {
    "acme/lora": Repo(
        files={
            "adapter_model.safetensors": WEIGHTS,
            "adapter_config.json": json.dumps(LORA).encode(),
        },
        license="mit",
        refs={"v1": "c" * 40},
    ),
    "acme/words": Repo(
        files={"tokenizer.json": TOKENIZER, "chat_template.jinja": b"{{ messages }}"},
    ),
    "acme/empty": Repo(files={"README.md": b"nothing"}),
    "acme/closed": Repo(files={"tokenizer.json": TOKENIZER}, gated="auto"),
    "datasets/acme/questions": Repo(files={"test.jsonl": b"{}"}, license="cc-by-4.0"),
}


@pytest.fixture
def twin() -> Iterator[Hub]:
    with serve(REPOS) as running:
        yield running


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_an_adapter_has_a_rank_a_size_and_a_base_model(twin: Hub) -> None:
    wanted = Wanted(role="adapter", id="acme/lora", revision="v1")
    assert hub.reference(wanted, endpoint=twin.url) == Reference(
        role="adapter",
        id="acme/lora",
        revision="c" * 40,
        license="mit",
        access=True,
        digests={"adapter_model.safetensors": sha256(WEIGHTS)},
        rank=16,
        size_bytes=len(WEIGHTS),
        base_model="acme/base",
    )


@pytest.mark.parametrize(
    ("role", "digests"),
    [
        ("tokenizer", {"tokenizer.json": sha256(TOKENIZER)}),
        ("chat-template", {"chat_template": sha256(b"{{ messages }}")}),
    ],
)
def test_a_tokenizer_and_a_template_are_known_by_their_digests(
    twin: Hub, role: str, digests: dict[str, str]
) -> None:
    found = hub.reference(Wanted(role=role, id="acme/words"), endpoint=twin.url)
    assert found.digests == digests
    assert found.revision == twin.commit("acme/words")


def test_a_template_may_stand_in_a_file_of_any_name(twin: Hub) -> None:
    wanted = Wanted(role="chat-template", id="acme/empty", file="README.md")
    assert hub.reference(wanted, endpoint=twin.url).digests == {"README.md": sha256(b"nothing")}


def test_a_dataset_is_no_model_of_the_same_name(twin: Hub) -> None:
    found = hub.reference(Wanted(role="dataset", id="acme/questions"), endpoint=twin.url)
    assert (found.revision, found.license) == (twin.commit("datasets/acme/questions"), "cc-by-4.0")
    with pytest.raises(MoorageError, match="no such repository"):
        hub.reference(Wanted(role="dataset", id="acme/lora"), endpoint=twin.url)


def test_a_gated_one_without_access_says_so(twin: Hub) -> None:
    found = hub.reference(Wanted(role="tokenizer", id="acme/closed"), endpoint=twin.url)
    assert (found.gated, found.access, found.digests) == ("auto", False, {})


@pytest.mark.parametrize(
    ("role", "says"),
    [
        ("adapter", "acme/empty: no adapter; it lacks adapter_config.json"),
        ("tokenizer", "acme/empty: no tokenizer; it has none of tokenizer.json"),
        ("chat-template", "acme/empty: no chat template in chat_template.jinja"),
    ],
)
def test_a_repository_that_does_not_hold_it_is_a_problem(twin: Hub, role: str, says: str) -> None:
    with pytest.raises(MoorageError, match=says) as raised:
        hub.reference(Wanted(role=role, id="acme/empty"), endpoint=twin.url)
    assert raised.value.exit_code == Exit.PROBLEMS
