"""A lock's text: read as it was written, whatever it says; damaged, it is one problem."""

from __future__ import annotations

import json
import time
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from msgspec.structs import fields

from moorage.plan.facts import (
    Lock,
    LockedOffer,
    ModelFacts,
    Reference,
    RepoFile,
    Route,
    Tensors,
)
from moorage.plan.locks import lock, lock_schema
from moorage.spec import schema
from moorage.spec.problems import Problem
from tests.plan.locks import LOCKS

ROOT = Path(__file__).parent.parent.parent
SCHEMA = lock_schema.build()

LOCK = Lock(
    model=ModelFacts(
        id="acme/chat",
        revision="d" * 40,
        files=(
            RepoFile(name="model-00001-of-00002.safetensors", size_bytes=8, sha256="a" * 64),
            RepoFile(name="model-00002-of-00002.safetensors", size_bytes=9, sha256="b" * 64),
        ),
        license="Apache-2.0",
        access=True,
        weights="safetensors",
        config={"architectures": ["AcmeForCausalLM"], "rope_scaling": {"factor": 8.0}},
        tensors=(
            Tensors(
                name="layers.*.up.weight", dtype="BF16", shape=(64, 16), count=2, bytes_each=2048
            ),
            Tensors(name="scale", dtype="F32", shape=(), count=1, bytes_each=4),
        ),
        routes=(
            Route(provider="groq", task="conversational", status="live"),
            Route(
                provider="together",
                task="conversational",
                status="live",
                input_usd_per_mtok=Decimal("0.10"),
            ),
        ),
        references=(
            Reference(
                role="adapter",
                id="acme/lora",
                revision="e" * 40,
                digests={"adapter_model.safetensors": "c" * 64},
                rank=16,
            ),
        ),
        asked_of="https://huggingface.co",
        asked_on="2026-11-24",
    ),
    quantization="none",
    offers=(LockedOffer(key="local/this-machine", usd=Decimal(0), per="month", date="2026-11-24"),),
)
TEXT = lock.render(LOCK)


def test_a_lock_is_a_fact_a_line() -> None:
    assert (
        f"""{{
  "asked": {{
    "of": "https://huggingface.co",
    "on": "2026-11-24"
  }},
  "lock": "moorage/lock/v2",
  "model": {{
    "access": true,
    "config": {{
      "architectures": ["AcmeForCausalLM"],
      "rope_scaling": {{
        "factor": 8.0
      }}
    }},
    "files": [
      {{"name": "model-00001-of-00002.safetensors", "sha256": "{"a" * 64}", "size_bytes": 8}},
      {{"name": "model-00002-of-00002.safetensors", "sha256": "{"b" * 64}", "size_bytes": 9}}
    ],
    "gated": false,
    "id": "acme/chat",
    "license": "Apache-2.0",
    "quantization": "none",
    "references": [
      {{"digests": {{"adapter_model.safetensors": "{"c" * 64}"}}, "gated": false, \
"id": "acme/lora", "rank": 16, "revision": "{"e" * 40}", "role": "adapter"}}
    ],
    "remote_code": false,
    "revision": "{"d" * 40}",
    "routes": [
      {{"provider": "groq", "status": "live", "task": "conversational"}},
      {{"input_usd_per_mtok": "0.10", "provider": "together", "status": "live", \
"task": "conversational"}}
    ],
    "tensors": [
      {{"bytes_each": 2048, "count": 2, "dtype": "BF16", "name": "layers.*.up.weight", \
"shape": [64, 16]}},
      {{"bytes_each": 4, "count": 1, "dtype": "F32", "name": "scale", "shape": []}}
    ],
    "weights": "safetensors"
  }},
  "offers": [
    {{"date": "2026-11-24", "key": "local/this-machine", "per": "month", "usd": "0"}}
  ]
}}
"""
        == TEXT
    )


@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(LOCKS)
def test_every_lock_is_read_as_it_was_written(some: Lock) -> None:
    text = lock.render(some)
    assert lock.read(text, "some.lock.json") == some
    assert text.endswith("}\n")


@settings(max_examples=50, suppress_health_check=[HealthCheck.too_slow])
@given(LOCKS)
def test_every_lock_fits_the_published_schema(some: Lock) -> None:
    Draft202012Validator(SCHEMA).validate(json.loads(lock.render(some)))


@settings(max_examples=100)
@given(st.integers(0, len(TEXT) - 1), st.binary(max_size=3), st.integers(0, 200))
def test_a_damaged_lock_is_one_problem_or_still_a_lock(at: int, put: bytes, cut: int) -> None:
    content = TEXT.encode()
    damaged = (content[:at] + put + content[at + cut :]).decode("utf-8", "replace")
    read = lock.read(damaged, "some.lock.json")
    if isinstance(read, Problem):
        assert read.rule == "lock-broken"
        assert "\n" not in read.says
    else:
        again = lock.read(lock.render(read), "again")
        assert isinstance(again, Lock)
        assert lock.same(again, read)


@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda b: (
            st.lists(b)
            | st.dictionaries(st.sampled_from(["lock", "asked", "model", "files", "of"]), b)
        ),
        max_leaves=15,
    )
)
def test_any_other_json_is_one_problem(value: object) -> None:
    read = lock.read(json.dumps(value), "some.lock.json")
    assert isinstance(read, Problem)
    assert read.rule == "lock-broken"


def put(way: str, value: object) -> str:
    """The text of the lock with one value another; a missing one where it is ... ."""
    content = json.loads(TEXT)
    *above, last = [int(key) if key.isdigit() else key for key in way.split("/")]
    inside = content
    for key in above:
        inside = inside[key]
    if value is ...:
        del inside[last]
    else:
        inside[last] = value
    return json.dumps(content)


WRONG = [
    ("lock", "moorage/lock/v1"),
    ("lock", ...),
    ("asked", ...),
    ("asked/on", "yesterday"),
    ("asked/by", "me"),
    ("model", []),
    ("model/id", 7),
    ("model/id", ...),
    ("model/files", ...),
    ("model/files", "x"),
    ("model/files/0", "x"),
    ("model/files/0/size_bytes", -1),
    ("model/files/0/size_bytes", True),
    ("model/files/0/size_bytes", 1.5),
    ("model/files/0/size_bytes", 1 << 63),
    ("model/files/0/sha256", "A" * 64),
    ("model/files/0/sha256", ...),
    ("model/files/0/colour", "red"),
    ("model/revision", "main"),
    ("model/gated", True),
    ("model/gated", None),
    ("model/access", "yes"),
    ("model/license", None),
    ("model/weights", "onnx"),
    ("model/config", []),
    ("model/config", 7),
    ("model/tensors/0/shape", [1, "2"]),
    ("model/tensors/0/count", ...),
    ("model/routes/1/input_usd_per_mtok", 0.1),
    ("model/routes/1/input_usd_per_mtok", "-1"),
    ("model/routes/1/input_usd_per_mtok", "1e9"),
    ("model/routes/1/input_usd_per_mtok", "NaN"),
    ("model/references/0/role", "cousin"),
    ("model/references/0/digests", {"x": "y"}),
    ("model/tokenizer_sha256", "e"),
    ("offers/0/usd", None),
    ("offers/0/date", "2026-1-1"),
    ("extra", 1),
]


@pytest.mark.parametrize(("way", "value"), WRONG)
def test_what_no_lock_says_is_refused_by_reader_and_schema(way: str, value: object) -> None:
    text = put(way, value)
    read = lock.read(text, "some.lock.json")
    assert isinstance(read, Problem), read
    assert (read.rule, read.file) == ("lock-broken", "some.lock.json")
    assert not Draft202012Validator(SCHEMA).is_valid(json.loads(text))


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "1" * 5000])
def test_a_number_that_json_cannot_write_again_is_refused(number: str) -> None:
    assert isinstance(lock.read(TEXT.replace("8.0", number), "l"), Problem)


def test_a_configuration_without_a_bottom_is_refused() -> None:
    deep = "[" * 100 + "]" * 100
    assert isinstance(lock.read(TEXT.replace("8.0", deep), "l"), Problem)


def test_half_a_character_is_refused() -> None:
    assert isinstance(lock.read(TEXT.replace("acme/chat", "\\ud800"), "l"), Problem)
    assert isinstance(lock.read(TEXT.replace("acme/chat", "\\uD83D\\uDE00"), "l"), Lock)


def test_a_password_in_the_address_is_not_written() -> None:
    from msgspec.structs import replace

    asked = replace(LOCK.model, asked_of="https://me:hunter2@hub.acme.example")
    assert "hunter2" not in lock.render(replace(LOCK, model=asked))


def test_a_large_lock_is_read_within_a_fraction_of_a_millisecond() -> None:
    """Ten thousand are read in a benchmark; this only notices a factor."""
    tensors = tuple(
        Tensors(name=f"a.{n:02}", dtype="BF16", shape=(8, 8), count=9, bytes_each=128)
        for n in range(40)
    )
    from msgspec.structs import replace

    text = lock.render(replace(LOCK, model=replace(LOCK.model, tensors=tensors)))
    best = min(_seconds(text) for _ in range(50))
    assert best < 0.003


def _seconds(text: str) -> float:
    start = time.perf_counter()
    lock.read(text, "l")
    return time.perf_counter() - start


def test_the_published_schema_is_fresh_and_a_schema() -> None:
    """`moorage schema --write` writes it."""
    Draft202012Validator.check_schema(SCHEMA)
    published = (ROOT / "specs" / "lock.schema.json").read_text(encoding="utf-8")
    assert published == schema.render(SCHEMA)


@pytest.mark.parametrize(
    ("way", "kind"),
    [
        ("files", RepoFile),
        ("tensors", Tensors),
        ("routes", Route),
        ("references", Reference),
    ],
)
def test_the_schema_knows_every_field(way: str, kind: type) -> None:
    known = SCHEMA["properties"]["model"]["properties"][way]["items"]["properties"]
    assert set(known) == {field.name for field in fields(kind)}


def test_the_schema_knows_every_field_of_a_model() -> None:
    known = set(SCHEMA["properties"]["model"]["properties"])
    assert known - {"quantization"} == {field.name for field in fields(ModelFacts)} - {
        "asked_of",
        "asked_on",
    }


def undescribed(value: object, way: str = "") -> list[str]:
    if not isinstance(value, dict):
        return []
    own = value.get("properties", {})
    bare = [f"{way}/{key}" for key, row in own.items() if "description" not in row]
    inside = [line for key, row in own.items() for line in undescribed(row, f"{way}/{key}")]
    return bare + inside + undescribed(value.get("items"), f"{way}[]")


def test_every_key_is_explained_and_every_example_is_right() -> None:
    assert undescribed(SCHEMA) == []
    for key, row in SCHEMA["properties"]["model"]["properties"].items():
        for example in row.get("examples", ()):
            assert Draft202012Validator(row).is_valid(example), key


def test_every_lock_of_the_examples_fits_the_schema() -> None:
    found = sorted((ROOT / "specs").rglob("*.lock.json"))
    assert found
    for path in found:
        Draft202012Validator(SCHEMA).validate(json.loads(path.read_text(encoding="utf-8")))
