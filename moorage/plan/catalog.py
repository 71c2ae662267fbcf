"""What the world sells, as `catalog/` says: one file per placement kind, read into values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from moorage.errors import MoorageError
from moorage.spec import document, schema, source
from moorage.spec.problems import Problem


@dataclass(frozen=True, kw_only=True, slots=True)
class Offer:
    """A price row: what one can have, for how much, and who says so."""

    name: str
    usd: Decimal
    per: str  # month
    source: str
    date: str
    confidence: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Kind:
    """A placement kind: what it is, what it can honour, what a spec may say of it."""

    name: str
    title: str
    weights: str  # gguf: it loads one GGUF file; none: somebody else holds the weights
    tasks: tuple[str, ...]
    tiers: tuple[str, ...]
    tiers_because: str
    offers: Mapping[str, Offer]
    options: Mapping[str, Any]  # a JSON Schema of the entry's keys besides `kind`

    @property
    def defaults(self) -> dict[str, Any]:
        """What options are when a spec does not give them."""
        properties = self.options.get("properties", {})
        return {key: own["default"] for key, own in properties.items() if "default" in own}


Catalog = Mapping[str, Kind]


def read(folder: Path) -> Catalog:
    """Every kind of a catalogue, in the order of the files' names."""
    files = sorted(folder.glob("*.yaml"))
    if not files:
        message = f"{folder}: no catalogue here; run moorage inside its project"
        raise MoorageError(message)
    kinds = [_kind(path) for path in files]
    return {kind.name: kind for kind in kinds}


def spec_schema(catalog: Catalog) -> dict[str, Any]:
    """The schema of a spec with the options of every kind of the catalogue."""
    return schema.build({name: kind.options for name, kind in catalog.items()})


def _kind(path: Path) -> Kind:
    text = source.text(path, file=str(path))
    if isinstance(text, Problem):
        raise MoorageError(str(text))
    tree, problems = document.read(text, str(path))
    if tree is None or problems:
        raise MoorageError(str(problems[0]))
    row = document.plain(tree)
    try:
        return _from_row(row)
    except (KeyError, TypeError, AttributeError, ArithmeticError) as error:
        message = f"{path}: not a catalogue file: {type(error).__name__} {error}"
        raise MoorageError(message) from error


def _from_row(row: Mapping[str, Any]) -> Kind:
    return Kind(
        name=row["kind"],
        title=row["title"],
        weights=row["weights"],
        tasks=tuple(row["tasks"]),
        tiers=tuple(row["privacy"]["tiers"]),
        tiers_because=row["privacy"]["because"],
        offers=_offers(row["prices"]),
        options=row["options"],
    )


def _offers(rows: Sequence[Mapping[str, Any]]) -> dict[str, Offer]:
    offers = (
        Offer(
            name=row["offer"],
            usd=Decimal(str(row["usd"])),
            per=row["per"],
            source=row["source"],
            date=row["date"],
            confidence=row["confidence"],
        )
        for row in rows
    )
    return {offer.name: offer for offer in offers}
