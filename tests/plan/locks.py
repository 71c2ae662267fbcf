"""Locks of every shape, for property-based tests."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from moorage.plan.facts import Lock, LockedOffer, ModelFacts, Reference, RepoFile, Route, Tensors
from moorage.plan.locks.lock_read import FORMATS, GATES, ROLES

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
COUNTS = st.integers(0, 2**63 - 1)
COMMITS = st.text("0123456789abcdef", min_size=40, max_size=40)
DIGESTS = st.text("0123456789abcdef", min_size=64, max_size=64)
MONEY = st.decimals(0, 10**12, allow_nan=False, places=6) | st.just(Decimal("1E-7"))
DAYS = st.dates().map(str)
GATED = st.sampled_from([False, *GATES])

CONFIGS = st.dictionaries(
    TEXTS,
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-(2**62), 2**62)
        | st.floats(allow_nan=False, allow_infinity=False)
        | TEXTS,
        lambda below: st.lists(below, max_size=4) | st.dictionaries(TEXTS, below, max_size=4),
        max_leaves=8,
    ),
    max_size=5,
)


def known_or_not(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | values


def rows(kind: type, *order: str, **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Rows in the order in which a lock keeps them, no two with the same name."""

    def name(row: Any) -> tuple[Any, ...]:
        return tuple(getattr(row, key) for key in order)

    one = st.builds(kind, **fields)
    return st.lists(one, max_size=3, unique_by=name).map(
        lambda found: tuple(sorted(found, key=name))
    )


FILES = rows(RepoFile, "name", name=TEXTS, size_bytes=COUNTS, sha256=DIGESTS)
TENSORS = rows(
    Tensors,
    "name",
    "dtype",
    name=TEXTS,
    dtype=TEXTS,
    shape=st.lists(st.integers(0, 1 << 15), max_size=4).map(tuple),  # a product that is a count
    count=COUNTS,
    bytes_each=COUNTS,
)
ROUTES = rows(
    Route,
    "provider",
    "task",
    provider=TEXTS,
    task=TEXTS,
    status=TEXTS,
    provider_id=known_or_not(TEXTS),
    context_tokens=known_or_not(COUNTS),
    input_usd_per_mtok=known_or_not(MONEY),
    output_usd_per_mtok=known_or_not(MONEY),
)
REFERENCES = rows(
    Reference,
    "role",
    "id",
    role=st.sampled_from(ROLES),
    id=TEXTS,
    revision=COMMITS,
    license=known_or_not(TEXTS),
    gated=GATED,
    access=known_or_not(st.booleans()),
    digests=st.dictionaries(TEXTS, DIGESTS, max_size=2),
    rank=known_or_not(COUNTS),
    size_bytes=known_or_not(COUNTS),
    base_model=known_or_not(TEXTS),
)
OFFERS = rows(LockedOffer, "key", key=TEXTS, usd=MONEY, per=TEXTS, date=DAYS)
MODELS = st.builds(
    ModelFacts,
    id=TEXTS,
    revision=COMMITS,
    files=FILES,
    license=known_or_not(TEXTS),
    gated=GATED,
    access=known_or_not(st.booleans()),
    library=known_or_not(TEXTS),
    task=known_or_not(TEXTS),
    architecture=known_or_not(TEXTS),
    weights=known_or_not(st.sampled_from(FORMATS)),
    remote_code=st.booleans(),
    config=CONFIGS,
    tensors=TENSORS,
    tokenizer_sha256=known_or_not(DIGESTS),
    chat_template_sha256=known_or_not(DIGESTS),
    routes=ROUTES,
    references=REFERENCES,
    asked_of=TEXTS,
    asked_on=DAYS,
)
LOCKS = st.builds(Lock, model=MODELS, quantization=TEXTS, offers=OFFERS)
