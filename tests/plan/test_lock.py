"""The lock: stable, readable, and honest about what has moved."""

from __future__ import annotations

import dataclasses
import json

import pytest

from moorage.plan import lock
from moorage.plan.facts import Lock, ModelFacts, RepoFile
from moorage.spec.problems import Problem
from moorage.spec.types import Model

FILES = tuple(
    RepoFile(name=name, size_bytes=size, sha256=digit * 64)
    for name, size, digit in [
        ("b-Q8_0.gguf", 8, "b"),
        ("a-Q4.gguf", 4, "a"),
        ("x/a-Q4.gguf", 5, "c"),
    ]
)
FACTS = ModelFacts(
    id="acme/tiny",
    revision="d" * 40,
    files=FILES,
    license="mit",
    gated="manual",
    asked_of="a test",
    asked_on="2026-01-02",
)
LOCK = Lock(model=FACTS, quantization="gguf:*.gguf")


def test_a_lock_is_read_as_it_was_written() -> None:
    ordered = dataclasses.replace(FACTS, files=tuple(sorted(FILES, key=lambda file: file.name)))
    assert lock.read(lock.render(LOCK), "l") == dataclasses.replace(LOCK, model=ordered)


def test_a_lock_does_not_depend_on_the_order_of_the_answer() -> None:
    turned = dataclasses.replace(FACTS, files=FILES[::-1])
    assert lock.render(dataclasses.replace(LOCK, model=turned)) == lock.render(LOCK)


def test_only_the_files_that_the_spec_uses_are_locked() -> None:
    model = Model(id="acme/tiny", revision="d" * 40, quantization="gguf:*Q8_0.gguf")
    assert [file.name for file in lock.make(model, FACTS).model.files] == ["b-Q8_0.gguf"]


def test_an_exact_name_beats_a_pattern() -> None:
    assert [file.name for file in lock.matching(FILES, "gguf:a-Q4.gguf")] == ["a-Q4.gguf"]
    assert len(lock.matching(FILES, "gguf:*Q4*")) == 2
    assert lock.matching(FILES, "none") == ()


def test_what_has_moved_is_told_and_what_was_unknown_has_not_moved() -> None:
    now = dataclasses.replace(FACTS, license="other", library="gguf", files=FILES[1:])
    assert lock.differences(LOCK, Lock(model=now, quantization=LOCK.quantization)) == (
        "license was mit, is other",
        f"sha256 of b-Q8_0.gguf was {'b' * 64}, is gone",
    )


def test_the_day_of_asking_is_no_difference() -> None:
    later = dataclasses.replace(FACTS, asked_on="2027-01-01", asked_of="elsewhere")
    assert lock.same(LOCK, dataclasses.replace(LOCK, model=later))


GOOD = json.loads(lock.render(LOCK))


@pytest.mark.parametrize(
    "broken",
    [
        "",
        "[]",
        "null",
        "[" * 100_000,
        json.dumps(GOOD | {"lock": "moorage/lock/v0"}),
        json.dumps({key: value for key, value in GOOD.items() if key != "asked"}),
        json.dumps(GOOD | {"model": GOOD["model"] | {"revision": "main"}}),
        json.dumps(GOOD | {"model": GOOD["model"] | {"id": 7}}),
        json.dumps(GOOD | {"model": GOOD["model"] | {"files": [{"name": "x"}]}}),
        json.dumps(GOOD | {"model": GOOD["model"] | {"files": "x"}}),
        json.dumps(
            GOOD
            | {"model": GOOD["model"] | {"files": [GOOD["model"]["files"][0] | {"sha256": ""}]}}
        ),
    ],
)
def test_what_is_no_lock_is_a_problem(broken: str) -> None:
    read = lock.read(broken, "l.lock.json")
    assert isinstance(read, Problem)
    assert read.rule == "lock-broken"
