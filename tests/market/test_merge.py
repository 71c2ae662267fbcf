"""Whatever a seller answers, no row is lost, none stands twice, and a file can be read again."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from moorage.market import refresh, rows
from moorage.market.asked import Answer, Asked
from moorage.plan.catalogue import catalog
from moorage.plan.catalogue.offers import Offer
from tests.spec.support import ROOT

REAL = catalog.read(ROOT / "catalog")
KIND = REAL.kinds["hf-endpoint"]
TODAY = "2026-11-24"

offers = st.builds(
    Offer,
    kind=st.just("hf-endpoint"),
    name=st.sampled_from(["nvidia-l4-x1", "nvidia-l4-x4", "intel-spr-x1"]),
    vendor=st.sampled_from(["aws", "gcp"]),
    region=st.sampled_from([None, "us-east-1", "eu-west-1"]),
    gpu=st.just("nvidia-l4"),
    count=st.just(1),
    usd=st.decimals("0", "100", places=3),
    per=st.just("hour"),
    status=st.sampled_from(["available", "deprecated", "not-available"]),
    source=st.sampled_from(["a list", "another: list"]),
    date=st.sampled_from(["2026-08-20", TODAY]),
    confidence=st.just("published"),
)
lists = st.lists(offers, max_size=8, unique_by=lambda offer: offer.key)


def answered(old: list[Offer], fresh: list[Offer], *, accept: bool) -> refresh.Fresh:
    kind = structs.replace(KIND, offers=tuple(old))
    asked = Asked(kind=kind, catalog=REAL, today=TODAY)
    seller = {"hf-endpoint": lambda _asked: Answer(rows=tuple(fresh))}
    return refresh.refresh(asked, accept=lambda _key: accept, sellers=seller)


@given(lists, lists)
def test_no_row_is_lost_and_none_stands_twice(old: list[Offer], fresh: list[Offer]) -> None:
    after = answered(old, fresh, accept=True)
    keys = [row.key for row in after.rows]
    assert len(keys) == len(set(keys))
    assert {row.key for row in fresh} <= set(keys)
    things = {(row.vendor, row.name) for row in after.rows}
    assert things == {(row.vendor, row.name) for row in (*old, *fresh)}
    assert after.refused == ()
    text = rows.render("hf-endpoint", after.rows, "# mine\n")
    said = catalog.values(text)
    assert len(said["rows"]) == len(keys)
    assert rows.render("hf-endpoint", after.rows, text) == text


@given(lists, lists)
def test_only_what_is_believed_is_not_refused(old: list[Offer], fresh: list[Offer]) -> None:
    refused = {
        word
        for problem in answered(old, fresh, accept=False).refused
        for word in problem.says.split()
    }
    before = {row.key: row.usd for row in old}
    for row in fresh:
        if row.usd == 0 or leaps(before.get(row.key), row.usd):
            assert row.key in refused


def leaps(before: Decimal | None, usd: Decimal) -> bool:
    return before is not None and before > 0 and not before / 3 <= usd <= before * 3
