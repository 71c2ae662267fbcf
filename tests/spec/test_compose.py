"""A composed spec is read back as the answers it was made from, whatever they were."""

from __future__ import annotations

import re
from decimal import Decimal
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moorage.plan.catalogue import catalog
from moorage.spec import document
from moorage.spec.compose import Answers, Entry, compose, example, flow
from moorage.spec.language import TIERS
from moorage.spec.parse import Parsed, parse
from moorage.spec.tasks import TASKS
from tests.spec.support import ROOT, SCHEMA

KINDS = {name: kind.options for name, kind in catalog.read(ROOT / "catalog").kinds.items()}


def answers(**more: Any) -> Answers:
    usual = Answers(
        name="chat",
        team="support",
        model="Qwen/Qwen3-8B",
        entries=(Entry(kind="local"),),
        tier="internal",
        budget_usd=Decimal(25),
    )
    return Answers(**{name: getattr(usual, name) for name in usual.__struct_fields__} | more)


def composed(given: Answers) -> str:
    return compose(given, options=KINDS, schema="../schema.json")


def read(text: str) -> Parsed:
    return parse(text, "chat.yaml", schema=SCHEMA)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_tier_and_task_gives_a_spec_without_problems(kind: str) -> None:
    for tier, task in product(TIERS, TASKS):
        spec = read(composed(answers(entries=(Entry(kind=kind),), tier=tier, task=task))).spec
        assert spec is not None
        assert (spec.privacy.tier, spec.model.task) == (tier, task)
        assert [target.kind for target in spec.providers] == [kind]


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_commented_option_may_be_uncommented_as_it_stands(kind: str) -> None:
    """What a file offers must be good, or it teaches mistakes."""
    text = composed(answers(entries=(Entry(kind=kind),)))
    hidden = re.findall(r"^    # ([a-z_]+): ", text, re.MULTILINE)
    assert set(hidden) | set(KINDS[kind].get("required", ())) == set(KINDS[kind]["properties"])
    shown = read(re.sub(r"^    # ([a-z_]+: )", r"    \1", text, flags=re.MULTILINE))
    assert shown.problems == ()


def test_the_other_commented_keys_may_be_uncommented_too() -> None:
    text = composed(answers())
    spec = read(re.sub(r"^( *)# ([a-z_]+: (?! ))", r"\1\2", text, flags=re.MULTILINE)).spec
    assert spec is not None
    assert (spec.owner, spec.model.max_model_len) == ("support-oncall@example.com", 16384)
    assert spec.privacy.regions == ("eu",)


def test_every_line_of_it_explains_itself() -> None:
    lines = composed(answers(entries=(Entry(kind="hf-endpoint"), Entry(kind="local")))).splitlines()
    assert lines[0] == "# yaml-language-server: $schema=../schema.json"
    bare = [line for line in lines[2:] if line and " # " not in line]
    assert bare == [
        "apiVersion: moorage/v1",
        "kind: ModelService",
        "team: support",
        "model:",
        "  id: Qwen/Qwen3-8B",
        "privacy:",
        "budget:",
    ]


def test_a_file_of_ones_own_needs_neither_revision_nor_quantization() -> None:
    text = composed(answers(model="~/models/mine.gguf"))
    assert "revision" not in text
    assert "quantization" not in text
    assert read(text).spec is not None


def test_two_providers_get_failover_criteria_and_one_gets_none() -> None:
    two = read(composed(answers(entries=(Entry(kind="local"), Entry(kind="hf-router"))))).spec
    assert two is not None
    assert two.failover.time_to_recover_s == 15
    assert "failover" not in composed(answers())


ANY_TEXT = st.text(min_size=1, max_size=40)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False, width=32)


@settings(max_examples=100)
@given(
    st.recursive(
        ANY_TEXT | st.booleans() | st.integers(-(10**9), 10**9) | NUMBERS,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY_TEXT, inner, max_size=3),
        max_leaves=8,
    )
)
def test_every_value_is_written_so_that_it_is_read_back(value: Any) -> None:
    tree, problems = document.read(f"value: {flow(value)}  # words\n", "f")
    assert problems == []
    assert tree is not None
    assert document.plain(tree) == {"value": value}


@pytest.mark.parametrize(
    "text",
    [
        "no",
        "null",
        "~",
        "1.10",
        "1e3",
        "2027-01-31",
        "0x1f",
        "12:30",
        "a: b",
        "a #b",
        "*x",
        "!x",
        "-",
        "",
        "a:",
        "a\nkind: Policy",
        "1" * 40,
        "=",
        "<<",
    ],
)
def test_text_that_some_reader_could_misread_is_quoted(text: str) -> None:
    assert flow(text).startswith('"')


@pytest.mark.parametrize(
    "text", ["Qwen/Qwen3-8B", "gguf:*Q4_K_M.gguf", "30m", "0.5%", "http://127.0.0.1:11434/v1", "eu"]
)
def test_usual_text_needs_no_quotes(text: str) -> None:
    assert flow(text) == text


@settings(max_examples=100)
@given(ANY_TEXT, ANY_TEXT, ANY_TEXT)
def test_no_answer_can_break_out_of_its_value(model: str, owner: str, option: str) -> None:
    entry = Entry(kind="openai", options={"url": option})
    given_ = answers(model=model, owner=owner, entries=(entry,))
    tree, problems = document.read(composed(given_), "chat.yaml")
    assert problems == []
    assert tree is not None
    top = document.plain(tree)
    assert (top["model"]["id"], top["owner"]) == (model, owner)
    assert (top["providers"][0]["url"], top["name"]) == (option, "chat")


def test_an_example_is_the_schemas_own_or_its_default_or_its_first_choice() -> None:
    assert example({"examples": [2], "default": 1}) == 2
    assert example({"default": 1, "enum": [3, 1]}) == 1
    assert example({"enum": ["a", "b"]}) == "a"
