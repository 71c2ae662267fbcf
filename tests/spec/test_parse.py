"""A text becomes a spec, or every problem of it at its place."""

from __future__ import annotations

import random
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from moorage.spec import document
from moorage.spec.shape import check
from tests.spec.support import HELLO, SCHEMA, parsed, said


def test_the_example_is_understood() -> None:
    spec = parsed(HELLO).spec
    assert spec is not None
    assert spec.model.revision == "09816acd5d99df7be770d85ea30822623dab342c"
    assert [target.kind for target in spec.providers] == ["local", "local"]
    assert (spec.slo.ttft_p95_ms, spec.slo.tpot_p95_ms, spec.slo.error_rate) == (2000, 500, 0.01)
    assert (spec.failover.time_to_recover_s, spec.failover.lost_before_first_token) == (10, 0)
    assert (spec.load.rps, spec.load.input_tokens, spec.load.output_tokens) == (4, 32, 16)


def test_money_is_taken_as_it_is_written() -> None:
    text = HELLO.replace("monthly_usd: 0", "monthly_usd: 1234567.89")
    spec = parsed(text).spec
    assert spec is not None
    assert spec.budget.monthly_usd == Decimal("1234567.89")


def test_what_is_left_out_has_its_default() -> None:
    text = (
        "{apiVersion: moorage/v1, kind: ModelService, name: a, team: b, "
        "model: {id: x.gguf}, providers: [{kind: local}]}"
    )
    spec = parsed(text).spec
    assert spec is not None
    assert (spec.model.task, spec.model.offline) == ("text-generation", "refuse")
    assert (spec.privacy.tier, spec.budget.monthly_usd) == ("internal", Decimal(0))


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("rps: 4", "rps: 0", "20:13 wrong-value: 'rps' must be a number above 0 and at most"),
        ("rps: 4", "rps: .nan", "20:13 wrong-type: 'rps' must be a number"),
        ("ttft_p95: 2s", "ttft_p95: 800", "must be a duration with its unit"),
        ("name: hello", "name: Hello World", "for example 'hello-world'"),
        ("name: hello", 'name: "hello\\n"', "must be at most 24 lower-case letters"),
        ("name: hello", "name: " + "h" * 25, "must be at most 24 lower-case letters"),
        ("team: examples", "team: off", 'YAML reads off as false; write "off" in quotes'),
        ("kind: local}", "kind: [local]}", "hf-space, local or openai, not a list"),
        ("privacy: {tier: internal}", "privacy: internal", "'privacy' must be a mapping"),
        ("model:", "model: x\nxx:", "'model' must be a mapping (key: value), not 'x'"),
    ],
)
def test_a_mistake_is_told_in_plain_words(old: str, new: str, problem: str) -> None:
    assert old in HELLO
    assert any(problem in line for line in said(HELLO.replace(old, new, 1)))


PUBLISH = """
publish:
  - kind: model
    name: support-chat-tone
    namespace: acme
    folder: out/adapter
    license: apache-2.0
    card: {base_model: Qwen/Qwen3-8B, tags: [lora], inference: false}
    changes_by: pull-request
    collection: Support models
  - {kind: dataset, name: talks}
"""


def test_what_is_published_is_understood() -> None:
    spec = parsed(HELLO + PUBLISH).spec
    assert spec is not None
    tone, talks = spec.publish
    assert (tone.what, talks.what) == ("model acme/support-chat-tone", "dataset talks")
    assert (tone.folder, talks.folder) == (Path("out/adapter"), None)
    assert tone.card == {"base_model": "Qwen/Qwen3-8B", "tags": ["lora"], "inference": False}
    assert (tone.changes_by, talks.changes_by) == ("pull-request", "commit")
    assert (tone.visibility, tone.collection) == ("private", "Support models")


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("kind: dataset", "kind: space", "'kind' must be model or dataset"),
        ("name: talks", "name: a--b", "must be 1 to 96 letters"),
        ("namespace: acme", "namespace: acme/x", "must be the name of one user or organisation"),
        ("kind: dataset, ", "", "needs the key 'kind'"),
        ("card: {", "card: {license: mit, ", "'card' cannot have the key 'license'"),
        ("inference: false", "inference: {a: b}", "'inference' must be"),
        ("Support models", "S" * 61, "'collection' must be"),
        ("changes_by: pull-request", "changes_by: pr", "commit or pull-request"),
        ("talks", "talks, visibility: protected", "private or public"),
    ],
)
def test_a_mistake_in_what_is_published_is_told(old: str, new: str, problem: str) -> None:
    assert old in PUBLISH
    assert any(problem in line for line in said(HELLO + PUBLISH.replace(old, new, 1)))


def test_a_place_that_is_not_there_is_its_parent() -> None:
    result = parsed(HELLO)
    assert result.at("model", "id").line == 7
    assert result.at("model", "nothing").line == 6
    assert result.at("providers", 1, "kind").line == 17
    assert result.at("providers", 7).line == 15


SECRET = "hf_abcdefghijklmnopqrstuvwxyz"


@pytest.mark.parametrize("place", HELLO.split()[5:60:5])
def test_a_secret_is_found_wherever_it_stands_and_never_repeated(place: str) -> None:
    lines = said(HELLO.replace(place, f"{place} {SECRET}", 1))
    assert any("secret-in-spec" in line for line in lines)
    assert not any(SECRET[:8] in line for line in lines)


WORDS = ["", "no", "800", "0.5%", "-1", "1e9", "[]", "{}", "null", "x", "kind", "local", "openai"]
WORDS += ["2s", "rps", "4.0", '"4"', "1.5", "gguf:*", "&a x", "*a", "!!int 1", "\t", ": ", "- "]


def mutated(seed: int) -> str:
    """A spec with a few of its words exchanged, dropped or doubled."""
    dice = random.Random(seed)
    words = HELLO.replace("{", "{ ").replace("}", " }").split(" ")
    for _ in range(dice.randint(1, 3)):
        spot = dice.randrange(len(words))
        words[spot] = dice.choice([*WORDS, words[dice.randrange(len(words))]])
    return " ".join(words)


@settings(max_examples=100)
@given(st.integers(0, 10**9))
def test_no_mutation_of_a_spec_makes_parsing_fail(seed: int) -> None:
    result = parsed(mutated(seed))
    assert (result.spec is None) == bool(result.problems)


@settings(max_examples=100)
@given(st.integers(0, 10**9))
def test_the_shape_is_judged_as_the_jsonschema_package_judges_it(seed: int) -> None:
    """Our own walk gives better words; its verdict must be the published schema's."""
    tree, problems = document.read(mutated(seed), "f")
    if tree is None or problems:
        return
    ours = check(tree, SCHEMA, "f")
    theirs = VALIDATOR.is_valid(document.plain(tree))
    assert (ours == []) == theirs, ours


VALIDATOR = Draft202012Validator(SCHEMA)
