"""What the world sells, as `catalog/` says it: its files read into values, within milliseconds."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from functools import cache, lru_cache, partial
from pathlib import Path
from typing import Any, Final, TypeVar

import yaml
from msgspec import NODEFAULT
from msgspec.structs import fields

from moorage.errors import MoorageError
from moorage.plan.catalogue import spans
from moorage.plan.catalogue.offers import (
    Bounds,
    Catalog,
    Engine,
    Gpu,
    Kind,
    Offer,
    Region,
    RouterProvider,
)
from moorage.plan.fit import calibration
from moorage.plan.fit.calibration import Calibration
from moorage.spec import document, schema, source
from moorage.spec.problems import Problem

PRICES = "prices"  # the folder of the rows that `moorage catalog refresh` writes

_FIRST_KEY = re.compile(r"^([a-z_]+):", re.MULTILINE)
_FAULTS = (KeyError, TypeError, ValueError, AttributeError, ArithmeticError)

T = TypeVar("T")
Row = Mapping[str, Any]
Rows = Mapping[str, tuple[Offer, ...]]


def read(folder: Path) -> Catalog:
    """Everything of a catalogue; its kinds in the order of the files' names."""
    rows = {path.stem: price_rows(path) for path in sorted((folder / PRICES).glob("*.yaml"))}
    found: dict[str, dict[str, Any]] = {key: {} for key in _READERS}
    for path in sorted(folder.glob("*.yaml")):
        text = _text(path)
        first = _FIRST_KEY.search(text)
        if first is not None and first[1] in _READERS:
            make = partial(_entries, first[1], text, rows)
            found[first[1]].update(_guarded(path, make))
    if not found["kind"]:
        message = f"{folder}: no catalogue here; run moorage inside its project"
        raise MoorageError(message)
    return Catalog(
        kinds=found["kind"],
        gpus=found["gpus"],
        engines=found["engines"],
        licenses=found["licenses"],
        bounds=found["bounds"],
        calibration=_calibration(folder),
    )


def _calibration(folder: Path) -> Calibration | None:
    return calibration.read(folder) if (folder / calibration.FILE).is_file() else None


def price_rows(path: Path) -> tuple[Offer, ...]:
    """The rows of one file of prices."""
    text = _text(path)
    return _guarded(path, lambda: tuple(_priced(values(text))))


def is_read(text: str) -> bool:
    """Whether a file is part of what `read` reads; others have readers of their own."""
    first = _FIRST_KEY.search(text)
    return first is not None and first[1] in (*_READERS, "prices")


def spec_schema(catalog: Catalog) -> dict[str, Any]:
    """The schema of a spec with the options of every kind of the catalogue."""
    return schema.build({name: kind.options for name, kind in catalog.kinds.items()})


class _Loader(getattr(yaml, "CBaseLoader", yaml.BaseLoader)):  # type: ignore[misc]
    """Nodes straight from libyaml: resolving tags by PyYAML's rules would cost half the time."""

    def __init__(self, text: str) -> None:
        super().__init__(text)

    def descend_resolver(self, _parent: object, _index: object) -> None: ...

    def ascend_resolver(self) -> None: ...

    def resolve(self, _kind: object, _value: object, _implicit: object) -> str:
        return ""


@lru_cache(maxsize=64)
def values(text: str) -> Any:
    """A catalogue file as plain values, not to be changed: words as in specs, else texts alone.

    Kept, since the two states of a project that a pull request compares have most files in common.
    """
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
    finally:
        loader.dispose()
    return None if node is None else _value(node)


def _value(node: Any) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return node.value if node.style else document.resolve(node.value)
    if isinstance(node, yaml.SequenceNode):
        return [_value(child) for child in node.value]
    return {key.value: _value(child) for key, child in node.value}


def _text(path: Path) -> str:
    text = source.text(path, file=str(path))
    if isinstance(text, Problem):
        raise MoorageError(str(text))
    return text


def _guarded(path: Path, make: Callable[[], T]) -> T:
    try:
        return make()
    except yaml.YAMLError as error:
        message = f"{path}: not YAML: {' '.join(str(error).split())}"
        raise MoorageError(message) from error
    except _FAULTS as error:
        message = f"{path}: not a catalogue file: {type(error).__name__} {error}"
        raise MoorageError(message) from error


def _entries(key: str, text: str, rows: Rows) -> dict[str, Any]:
    return _READERS[key](values(text), rows)


def _kinds(row: Row, rows: Rows) -> dict[str, Kind]:
    name = row["kind"]
    own = tuple(_offer(name, entry, {}) for entry in row.get("prices", ()))
    kind = Kind(
        name=name,
        title=row["title"],
        weights=row["weights"],
        dedicated=row["dedicated"],
        starts_engine=row.get("starts_engine", False),
        tasks=tuple(row["tasks"]),
        engines=tuple(row.get("engines", ())),
        beside={engine: tuple(keys) for engine, keys in row.get("beside", {}).items()},
        replace_on=tuple(row.get("replace_on", ())),
        regions=tuple(_made(Region, entry) for entry in row.get("regions", ())),
        offers=own + rows.get(name, ()),
        routers={key: _router(key, entry) for key, entry in row.get("routers", {}).items()},
        extras={entry["offer"]: _offer(name, entry, {}) for entry in row.get("extras", ())},
        options=row["options"],
        **_privacy(row["privacy"]),
        **_running(row.get("running", {})),
    )
    return {name: kind}


def _privacy(row: Row) -> dict[str, Any]:
    return {
        "tiers": tuple(row["tiers"]),
        "tiers_because": row["because"],
        "visibility": {key: tuple(tiers) for key, tiers in row.get("visibility", {}).items()},
        "retention_days": row.get("retention_days"),
        "areas": tuple(row.get("areas", ())),
        "source": row.get("source", ""),
        "date": row.get("date", ""),
    }


def _running(row: Row) -> dict[str, Any]:
    return {
        "name_limit": row.get("name_limit"),
        "scale_to_zero": row.get("scale_to_zero", False),
        "billed_while_starting": row.get("billed_while_starting", False),
        "billing_minimum_s": row.get("billing_minimum_s", 0),
    }


def _priced(row: Row) -> Iterator[Offer]:
    return (_offer(row["prices"], entry, row["sources"]) for entry in row["rows"])


def _offer(kind: str, row: Row, sources: Mapping[str, Row]) -> Offer:
    """A row says its source itself, or names one of the file's sources by `from`."""
    said = {**row, **sources[row["from"]]} if "from" in row else row
    return Offer(
        kind=kind,
        name=said["offer"],
        vendor=said.get("vendor"),
        region=said.get("region"),
        gpu=said.get("gpu"),
        count=said.get("count", 0),
        memory_gib=said.get("memory_gib"),
        market=said.get("market", "on-demand"),
        usd=_money(said["usd"]),
        per=said["per"],
        currency=said.get("currency", "USD"),
        status=said.get("status", "available"),
        source=said["source"],
        date=said["date"],
        confidence=said["confidence"],
        free=said.get("free", False),
        quota=said.get("quota"),
    )


def _money(value: object) -> Decimal:
    """Money is read from its text: a binary fraction would not be the price any more."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        message = f"money must be written in quotes, not {value!r}"
        raise TypeError(message)
    return Decimal(value)


def _router(name: str, row: Row) -> RouterProvider:
    return _made(RouterProvider, {"name": name, **row})


def _gpus(row: Row, _rows: Rows) -> dict[str, Gpu]:
    return {entry["name"]: _made(Gpu, entry) for entry in _named(row["gpus"])}


def _engines(row: Row, _rows: Rows) -> dict[str, Engine]:
    return {entry["name"]: _made(Engine, entry) for entry in _named(row["engines"])}


def _licenses(row: Row, _rows: Rows) -> dict[str, str]:
    return dict(row["licenses"])


def _bounds(row: Row, _rows: Rows) -> dict[str, Bounds]:
    return {name: _made(Bounds, entry) for name, entry in row["bounds"].items()}


def _named(entries: Any) -> Iterator[Row]:
    """A list of rows with their names in them, or a mapping from name to row."""
    if isinstance(entries, dict):
        return ({"name": name, **row} for name, row in entries.items())
    return iter(entries)


def _made(shape: type[T], row: Row) -> T:
    """A value of a struct; a list becomes a tuple, what the row leaves out is nothing."""
    return shape(
        **{
            name: _as(kind, row.get(name, empty))
            for name, kind, empty in _shape(shape)  # type: ignore[arg-type]
            if name in row or empty is not NODEFAULT
        }
    )


@cache
def _shape(shape: Any) -> tuple[tuple[str, str, Any], ...]:
    """Fields with their types as written and what stands for one that is left out."""
    optional = {field.name for field in fields(shape) if not field.required}
    return tuple(
        (name, kind, NODEFAULT if name in optional else _empty(kind))
        for name, kind in shape.__annotations__.items()
    )


def _empty(kind: str) -> Any:
    if kind.startswith("tuple"):
        return ()
    if kind.startswith("Mapping"):
        return {}
    return None if kind.endswith("None") else NODEFAULT


def _as(kind: str, value: Any) -> Any:
    if kind.startswith("tuple"):
        return tuple(value)
    if kind.startswith("Mapping") and isinstance(value, list):
        return dict.fromkeys(value, spans.ANY)
    return Decimal(str(value)) if kind == "Decimal" else value


_READERS: Final[dict[str, Callable[[Row, Rows], dict[str, Any]]]] = {
    "kind": _kinds,
    "gpus": _gpus,
    "engines": _engines,
    "licenses": _licenses,
    "bounds": _bounds,
}
