"""The lock: the part of the facts that a spec uses, and what has moved of it since."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from msgspec import structs
from packaging.licenses import canonicalize_license_expression

from moorage.plan.catalogue import catalog
from moorage.plan.facts import Lock, LockedOffer, ModelFacts, Reference, RepoFile, Route
from moorage.plan.locks import lock
from moorage.plan.locks.licenses import spdx
from moorage.plan.locks.weights import loaded
from moorage.spec.types import Model
from tests.plan.test_lock_format import ROOT

LICENSES = catalog.read(ROOT / "catalog").licenses
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
    access=True,
    routes=(
        Route(
            provider="together",
            task="conversational",
            status="live",
            context_tokens=8192,
            input_usd_per_mtok=Decimal("0.10"),
        ),
        Route(provider="groq", task="conversational", status="live"),
    ),
    references=(
        Reference(role="adapter", id="acme/lora", revision="e" * 40, license="apache-2.0"),
    ),
    asked_of="a test",
    asked_on="2026-01-02",
)
MODEL = Model(id="acme/tiny", revision="d" * 40, quantization="gguf:*.gguf")
OFFER = LockedOffer(key="local/this-machine", usd=Decimal("1.50"), per="hour", date="2026-01-01")
LOCK = lock.make(MODEL, FACTS, licenses=LICENSES, offers=(OFFER,))


def test_a_lock_does_not_depend_on_the_order_of_the_answer() -> None:
    turned = structs.replace(FACTS, files=FILES[::-1], routes=FACTS.routes[::-1])
    other = lock.make(MODEL, turned, licenses=LICENSES, offers=(OFFER,))
    assert lock.render(other) == lock.render(LOCK)


def test_only_the_files_that_the_spec_uses_are_locked() -> None:
    model = structs.replace(MODEL, quantization="gguf:*Q8_0.gguf")
    locked = lock.make(model, FACTS, licenses=LICENSES).model
    assert [file.name for file in locked.files] == ["b-Q8_0.gguf"]
    assert locked.weights == "gguf"


def test_licences_are_locked_as_spdx_calls_them() -> None:
    assert LOCK.model.license == "MIT"
    assert LOCK.model.references[0].license == "Apache-2.0"


@pytest.mark.parametrize(
    ("word", "known"),
    [
        ("apache-2.0", "Apache-2.0"),
        ("Apache-2.0", "Apache-2.0"),
        ("llama3.1", "LicenseRef-llama3.1"),
        ("acme_license v2", "LicenseRef-acme-license-v2"),
        ("LicenseRef-acme", "LicenseRef-acme"),
        ("LicenseRef-mit", "LicenseRef-mit"),
        ("§", "LicenseRef-unnamed"),
        ("unknown", None),
        ("", None),
        (None, None),
    ],
)
def test_a_licence_is_an_identifier_or_nobody_says(word: str | None, known: str | None) -> None:
    assert spdx(word, LICENSES) == known


@pytest.mark.parametrize(("word", "known"), LICENSES.items())
def test_every_licence_of_the_catalogue_is_one_that_spdx_knows(word: str, known: str) -> None:
    assert word == word.lower()
    assert canonicalize_license_expression(known) == known


@pytest.mark.parametrize(
    ("quantization", "names", "expected"),
    [
        ("gguf:a-Q4.gguf", ["a-Q4.gguf", "x/a-Q4.gguf"], ("gguf", ("a-Q4.gguf",))),
        ("gguf:*Q4*", ["a-Q4.gguf", "x/a-Q4.gguf"], ("gguf", ("a-Q4.gguf", "x/a-Q4.gguf"))),
        (
            "gguf:a-00002-of-00002.gguf",
            ["a-00002-of-00002.gguf", "a-00001-of-00002.gguf", "a-Q4.gguf"],
            ("gguf", ("a-00001-of-00002.gguf", "a-00002-of-00002.gguf")),
        ),
        (
            "gguf:a-00001-of-00002.gguf",
            ["a-00001-of-00002.gguf"],
            ("gguf", ("a-00001-of-00002.gguf",)),
        ),
        (
            "gguf:*Q*",
            ["Q4-00001-of-00002.gguf", "Q4-00002-of-00002.gguf", "Q8.gguf"],
            ("gguf", ("Q4-00001-of-00002.gguf", "Q4-00002-of-00002.gguf", "Q8.gguf")),
        ),
        ("none", ["a-Q4.gguf"], ("gguf", ())),
        ("none", ["README.md"], ("other", ())),
        (
            "none",
            ["model.safetensors", "pytorch_model.bin"],
            ("safetensors", ("model.safetensors",)),
        ),
        (
            "none",
            [
                "consolidated.safetensors",
                "model-00001-of-00002.safetensors",
                "model-00001-of-00003.safetensors",
                "model-00002-of-00002.safetensors",
            ],
            (
                "safetensors",
                ("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"),
            ),
        ),
        (
            "fp8",
            ["original/consolidated.00.pth", "pytorch_model.bin"],
            ("pickle", ("pytorch_model.bin",)),
        ),
        ("none", ["training_args.bin", "adapter_model.safetensors"], ("other", ())),
        (
            "none",
            ["consolidated.safetensors", "params.json"],
            ("safetensors", ("consolidated.safetensors",)),
        ),
        ("none", ["weights.safetensors"], ("safetensors", ("weights.safetensors",))),
    ],
)
def test_an_engine_loads_the_files_with_the_usual_names(
    quantization: str, names: list[str], expected: tuple[str, tuple[str, ...]]
) -> None:
    assert loaded(names, quantization) == expected


def now(**changes: Any) -> tuple[str, ...]:
    """What has moved when the facts have changed so."""
    facts = structs.replace(FACTS, **changes)
    return lock.differences(LOCK, lock.make(MODEL, facts, licenses=LICENSES, offers=(OFFER,)))


def test_nothing_has_moved_where_everything_is_as_it_was() -> None:
    assert now() == ()
    assert now(asked_on="2027-01-01", asked_of="elsewhere") == ()


def test_what_was_unknown_has_not_moved() -> None:
    assert now(library="gguf", tokenizer_sha256="f" * 64) == ()


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"license": "other"}, "license was MIT, is LicenseRef-other"),
        ({"license": None}, "license was MIT, is gone"),
        ({"gated": "auto"}, "gated was manual, is auto"),
        ({"access": False}, "access was yes, is no"),
        ({"files": FILES[1:]}, f"sha256 of b-Q8_0.gguf was {'b' * 64}, is gone"),
        (
            {"references": (structs.replace(FACTS.references[0], license="mit"),)},
            "adapter acme/lora: license was Apache-2.0, is MIT",
        ),
    ],
)
def test_what_has_moved_is_told_one_by_one(changes: dict[str, Any], says: str) -> None:
    assert now(**changes) == (says,)


def test_a_provider_that_went_away_or_changed_its_price_is_told() -> None:
    dearer = structs.replace(FACTS.routes[0], input_usd_per_mtok=Decimal("0.2"))
    assert now(routes=(dearer,)) == (
        (
            "the input price of the router's provider together (conversational) was $0.1 per Mtok,"
            " is $0.2 per Mtok"
        ),
        "the router's provider groq (conversational) was live, is gone",
    )


def test_a_row_of_the_catalogue_that_changed_is_told() -> None:
    dearer = structs.replace(OFFER, usd=Decimal(2), date="2026-02-02")
    new = structs.replace(LOCK, offers=(dearer,))
    assert lock.differences(LOCK, new) == (
        "the offer local/this-machine was $1.50 per hour, is $2 per hour",
    )
    assert lock.differences(LOCK, structs.replace(LOCK, offers=())) == (
        "the offer local/this-machine was $1.50 per hour, is not taken any more",
    )


def test_the_day_of_asking_makes_no_other_lock() -> None:
    later = structs.replace(LOCK.model, asked_on="2027-01-01", asked_of="elsewhere")
    assert lock.same(LOCK, Lock(model=later, quantization=LOCK.quantization, offers=LOCK.offers))
    assert not lock.same(LOCK, structs.replace(LOCK, offers=()))
