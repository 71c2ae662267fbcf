"""The catalogue can be believed, and the mistakes that other catalogues made are caught."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from msgspec import structs

from moorage.plan.catalogue import catalog, integrity
from moorage.plan.catalogue.offers import Catalog, Kind, Offer
from moorage.provider.hugging_face.routing.routes import PASSED_THROUGH
from tests.spec.support import ROOT

REAL = catalog.read(ROOT / "catalog")
TODAY = date(2026, 11, 24)


def told(catalog: Catalog) -> list[str]:
    return [str(problem) for problem in integrity.check(catalog, TODAY)]


def with_kind(kind: Kind) -> Catalog:
    return structs.replace(REAL, kinds={**REAL.kinds, kind.name: kind})


def with_row(key: str, **changes: object) -> Catalog:
    """The real catalogue with one row changed."""
    kind = REAL.kinds[key.split("/", maxsplit=1)[0]]
    assert key in [offer.key for offer in kind.offers]
    rows = [
        structs.replace(offer, **changes) if offer.key == key else offer for offer in kind.offers
    ]
    return with_kind(structs.replace(kind, offers=tuple(rows)))


def test_the_real_catalogue_is_whole() -> None:
    today = max(datetime.now(tz=UTC).date(), TODAY)
    assert [str(problem) for problem in integrity.check(REAL, today)] == []


def test_every_kind_has_rows_of_prices_or_routes() -> None:
    counts = {name: len(kind.offers) for name, kind in REAL.kinds.items()}
    assert counts["hf-endpoint"] > 40
    assert counts["ec2-gpu"] > 20
    assert counts["hf-space"] > 15
    assert all(count or name == "hf-router" for name, count in counts.items())


@pytest.mark.parametrize(
    ("bug", "key", "usd", "rules"),
    [
        (
            "Azure sold H100s for nothing",
            "hf-endpoint/gcp/nvidia-h100-x8",
            "0",
            {"price-zero", "price-ratio"},
        ),
        (
            "a B200 cost one cent",
            "ec2-gpu/aws/us-east-1/p6-b200.48xlarge",
            "0.08",
            {"price-implausible"},
        ),
        (
            "dollars were read as cents",
            "hf-endpoint/aws/nvidia-l4-x1",
            "80",
            {"price-implausible", "price-ratio"},
        ),
        (
            "cents were read as dollars",
            "hf-endpoint/aws/nvidia-l4-x1",
            "0.008",
            {"price-implausible", "price-ratio"},
        ),
        (
            "a price by minute, not by hour",
            "hf-space/l4x1",
            "0.0133",
            {"price-implausible", "price-ratio"},
        ),
        (
            "eight GPUs for the price of one",
            "hf-endpoint/gcp/nvidia-a100-x8",
            "8.20",
            {"price-ratio"},
        ),
        ("a negative price", "ec2-gpu/aws/us-east-1/g6.xlarge", "-1", {"price-zero"}),
        (
            "hardware for nothing that is not said to be free",
            "hf-space/cpu-upgrade",
            "0",
            {"price-zero"},
        ),
    ],
)
def test_a_wrong_price_is_caught(bug: str, key: str, usd: str, rules: set[str]) -> None:
    problems = integrity.check(with_row(key, usd=Decimal(usd)), TODAY)
    assert {problem.rule for problem in problems} == rules, bug
    assert any(key in problem.says for problem in problems)


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"currency": "EUR"}, "price-currency"),
        ({"gpu": "nvidia-l41"}, "gpu-unknown"),
        ({"gpu": None}, "gpu-count"),
        ({"count": 0}, "gpu-count"),
        ({"region": "eu-west-9"}, "region-unknown"),
        ({"source": " "}, "source-missing"),
        ({"date": "24.11.2026"}, "date-wrong"),
        ({"date": "20261124"}, "date-wrong"),
        ({"date": "2026-11-25"}, "date-wrong"),
        ({"per": "day"}, "word-unknown"),
        ({"status": "sold out"}, "word-unknown"),
        ({"confidence": "high"}, "word-unknown"),
        ({"market": "auction"}, "word-unknown"),
        ({"name": "nvidia-l4-x4", "count": 4, "usd": Decimal("3.80")}, "row-twice"),
        ({"free": True}, "price-zero"),
    ],
)
def test_a_wrong_row_is_caught(changes: dict[str, object], rule: str) -> None:
    problems = integrity.check(with_row("hf-endpoint/aws/nvidia-l4-x1", **changes), TODAY)
    assert rule in {problem.rule for problem in problems}


def changed_options(kind: Kind, change: Callable[[dict[str, Any]], object]) -> Kind:
    properties = {key: dict(own) for key, own in kind.options["properties"].items()}
    change(properties)
    return structs.replace(kind, options={**kind.options, "properties": properties})


ENDPOINT = REAL.kinds["hf-endpoint"]


@pytest.mark.parametrize(
    ("kind", "rule"),
    [
        (structs.replace(ENDPOINT, title=""), "kind-incomplete"),
        (structs.replace(ENDPOINT, tiers=()), "kind-incomplete"),
        (structs.replace(ENDPOINT, offers=()), "kind-incomplete"),
        (structs.replace(ENDPOINT, weights="some"), "kind-incomplete"),
        (structs.replace(ENDPOINT, visibility={}), "kind-incomplete"),
        (structs.replace(ENDPOINT, replace_on=("colour",)), "kind-incomplete"),
        (structs.replace(ENDPOINT, date=""), "kind-incomplete"),
        (structs.replace(ENDPOINT, date="2027-01-01"), "date-wrong"),
        (structs.replace(ENDPOINT, tiers=("secret",)), "word-unknown"),
        (structs.replace(ENDPOINT, tiers=("public",)), "word-unknown"),
        (structs.replace(ENDPOINT, tasks=("dreaming",)), "word-unknown"),
        (structs.replace(ENDPOINT, engines=("tgi",)), "word-unknown"),
        (
            changed_options(ENDPOINT, lambda own: own["gpu"].pop("description")),
            "option-undescribed",
        ),
        (changed_options(ENDPOINT, lambda own: own["gpu"].pop("examples")), "option-undescribed"),
    ],
)
def test_an_incomplete_kind_is_caught(kind: Kind, rule: str) -> None:
    assert rule in {problem.rule for problem in integrity.check(with_kind(kind), TODAY)}


def test_a_nested_option_must_be_described_too() -> None:
    bare = changed_options(
        ENDPOINT, lambda own: own["replicas"].update(properties={"min": {"type": "integer"}})
    )
    (problem,) = integrity.check(with_kind(bare), TODAY)
    assert "option replicas.min of kind hf-endpoint" in problem.says


def test_what_comes_along_is_held_to_the_same() -> None:
    kind = REAL.kinds["ec2-gpu"]
    disk = structs.replace(kind.extras["disk-gp3"], usd=Decimal(8))
    wrong = with_kind(structs.replace(kind, extras={**kind.extras, "disk-gp3": disk}))
    (problem,) = integrity.check(wrong, TODAY)
    assert problem.rule == "price-implausible"
    assert problem.says == "ec2-gpu/aws/disk-gp3 costs $8 each; it costs between $0.005 and $1"


def test_a_gpu_with_more_memory_than_it_has_is_caught() -> None:
    gpu = structs.replace(REAL.gpus["nvidia-l4"], usable_gib=48.0)
    gpus = {**REAL.gpus, gpu.name: gpu}
    assert "gpu-memory" in told(structs.replace(REAL, gpus=gpus))[0]


def test_spot_may_be_cheap_but_not_free() -> None:
    key = "ec2-gpu/aws/us-east-1/p5en.48xlarge/spot"
    assert told(with_row(key, usd=Decimal(9))) == []
    assert "price-implausible" in told(with_row(key, usd=Decimal("0.9")))[0]


def test_every_gpu_of_a_row_has_bounds() -> None:
    sold = {offer.gpu for kind in REAL.kinds.values() for offer in kind.offers if offer.gpu}
    assert sold <= set(REAL.bounds)


def test_rows_are_judged_before_they_are_written() -> None:
    row = REAL.kinds["hf-endpoint"].offers[0]
    good: list[Offer] = [row]
    assert integrity.check_rows(good, REAL, TODAY) == []
    (problem,) = integrity.check_rows([structs.replace(row, usd=Decimal(0))], REAL, TODAY)
    assert problem.rule == "price-zero"


def test_the_catalogue_and_the_provider_know_the_same_paths_behind_the_router() -> None:
    kind = REAL.kinds["hf-router"]
    said = {(name, task) for name, known in kind.routers.items() for task in known.speaks}
    known = {key for key in PASSED_THROUGH if key[1] in kind.tasks}
    assert said == known
