"""Rows read anew against the rows that are there: what changes, and what nobody would believe."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from msgspec.structs import replace

from moorage.market import aws, hugging_face
from moorage.market.asked import Answer, Asked
from moorage.plan.catalogue import integrity
from moorage.plan.catalogue.offers import Offer
from moorage.plan.money.cost import dollars
from moorage.spec.problems import Problem

JUMP: Final = 3  # a price that grows or shrinks more than so many times is not believed

Seller = Callable[[Asked], Answer]

SELLERS: Final[dict[str, Seller]] = {
    "ec2-gpu": aws.ec2,
    "hf-endpoint": hugging_face.endpoints,
    "hf-router": hugging_face.router,
    "hf-space": hugging_face.spaces,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Fresh:
    """The rows of a kind as they would be written."""

    kind: str
    rows: tuple[Offer, ...]
    changes: tuple[str, ...]  # one line each
    refused: tuple[Problem, ...]  # what nobody would believe
    notes: tuple[str, ...]


def refresh(
    asked: Asked, *, accept: Callable[[str], bool], sellers: Mapping[str, Seller] = SELLERS
) -> Fresh:
    """Ask the seller; `accept` says of a row's key whether it is taken whatever it costs."""
    answer = sellers[asked.kind.name](asked)
    old = asked.kind.offers
    fresh = [_inherited(row, _before(row, old), accepted=accept(row.key)) for row in answer.rows]
    rows = _merged(old, fresh)
    judged = [row for row in fresh if not accept(row.key)]
    refused = integrity.check_rows(judged, asked.catalog, date.fromisoformat(asked.today))
    refused += [problem for row in judged for problem in _jump(_before(row, old), row)]
    return Fresh(
        kind=asked.kind.name,
        rows=tuple(rows),
        changes=tuple(_changes(old, rows)),
        refused=tuple(sorted(refused)),
        notes=answer.notes,
    )


def _before(row: Offer, old: Sequence[Offer]) -> Offer | None:
    """The row of the same thing: in its region, or the one that stood for every region."""
    same = [one for one in old if _thing(one) == _thing(row)]
    there = (one for one in same if one.region == row.region)
    return next(there, next((one for one in same if one.region is None), None))


def _thing(row: Offer) -> tuple[str | None, ...]:
    return (row.vendor, row.name, row.market, row.per)


def _inherited(row: Offer, before: Offer | None, *, accepted: bool) -> Offer:
    """What was declared free stays so; a zero that a person accepts is meant."""
    free = row.usd == 0 and (row.free or accepted or (before is not None and before.free))
    return replace(row, free=free)


def _merged(old: Sequence[Offer], fresh: Sequence[Offer]) -> list[Offer]:
    """Fresh rows where the old ones stood; what nobody offers any more stays, and says so."""
    by_key = {row.key: row for row in fresh}
    things = {_thing(row) for row in fresh}
    kept = [
        by_key.pop(row.key) if row.key in by_key else _gone(row)
        for row in old
        if row.key in by_key or row.region is not None or _thing(row) not in things
    ]
    new = sorted(by_key.values(), key=lambda row: row.key)
    return kept + new


def _gone(row: Offer) -> Offer:
    status = row.status if row.status == "deprecated" else "not-available"
    return replace(row, status=status)


def _jump(before: Offer | None, row: Offer) -> list[Problem]:
    if before is None or before.usd <= 0 or row.usd <= 0:
        return []
    times = row.usd / before.usd
    if Decimal(1) / JUMP <= times <= JUMP:
        return []
    says = f"{row.key} went from ${dollars(before.usd)} to ${dollars(row.usd)}"
    hint = f"where it is true: --accept {row.key}"
    file = f"catalog/prices/{row.kind}.yaml"
    return [Problem(file=file, rule="price-jump", says=says, hint=hint)]


def _changes(old: Sequence[Offer], rows: Sequence[Offer]) -> list[str]:
    was = {row.key: row for row in old}
    now = {row.key: row for row in rows}
    lines = [_change(was.get(key), row) for key, row in now.items()]
    gone = [f"- {key}" for key in was if key not in now]
    return [line for line in (*lines, *gone) if line]


def _change(before: Offer | None, row: Offer) -> str:
    price = f"${dollars(row.usd)} per {row.per}"
    if before is None:
        return f"+ {row.key} {price}, {row.status}"
    said = []
    if before.usd != row.usd:
        said.append(f"${dollars(before.usd)} -> {price}")
    if before.status != row.status:
        said.append(f"{before.status} -> {row.status}")
    if before.quota != row.quota:
        said.append(f"quota {before.quota} -> {row.quota}")
    return f"~ {row.key} {', '.join(said)}" if said else ""
