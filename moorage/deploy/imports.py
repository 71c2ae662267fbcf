"""Importing takes over what exists already: the provider reads it by its id, the state keeps it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from moorage.deploy import names
from moorage.deploy.steps import Step
from moorage.deploy.stored import snapshot
from moorage.deploy.urns import label, name_of, type_of
from moorage.errors import MoorageError

_FIELDS: Final = {
    *("type", "name", "id", "parent", "provider", "version", "properties", "component"),
    *("remote", "logicalName", "pluginDownloadUrl", "inputs", "outputs"),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """One thing to take over."""

    type: str
    name: str
    id: str
    parent: str = ""  # a name, Type::name or URN of what is in the state
    rest: Mapping[str, Any] | None = None  # the other fields of Pulumi's bulk form


@dataclass(frozen=True, kw_only=True, slots=True)
class Batch:
    """What is to be imported, the names that it refers to, and what is there already."""

    wanted: tuple[Wanted, ...]
    name_table: Mapping[str, str]
    known: tuple[str, ...] = ()  # lines on what needs no import


def from_file(path: Path) -> Batch:
    """What a file in Pulumi's bulk form names."""
    try:
        loaded = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        msg = f"{path} cannot be read: {error.strerror}"
        raise MoorageError(msg) from None
    except (ValueError, RecursionError) as error:
        msg = f"{path} is not valid JSON: {error}"
        raise MoorageError(msg) from None
    listed = loaded.get("resources") if isinstance(loaded, dict) else None
    table = (loaded.get("nameTable") or {}) if isinstance(loaded, dict) else {}
    are_names = isinstance(table, dict) and all(isinstance(urn, str) for urn in table.values())
    if not isinstance(listed, list) or not listed or not are_names:
        msg = f'{path} names nothing to import: {{"resources": [{{"type", "name", "id"}}, …]}}'
        raise MoorageError(msg)
    wanted = tuple(_wanted(path, number, one) for number, one in enumerate(listed, start=1))
    return Batch(wanted=wanted, name_table=table)


def planned(batch: Batch, found: snapshot.Deployment, types: Sequence[str]) -> Batch:
    """What of a batch is left to do, with its parents found; refuses what cannot be imported."""
    batch = replace(batch, wanted=tuple(_of_type(one, types) for one in batch.wanted))
    present = {_key(one): one for one in snapshot.resources(found) if not one.get("delete")}
    left, known = [], []
    for one in batch.wanted:
        there = present.get((one.type, one.name))
        if there is None:
            left.append(one)
        else:
            known.append(_known(one, there))
    return _with_parents(left, known, batch.name_table, snapshot.urns(found))


def _with_parents(
    left: Sequence[Wanted], known: Sequence[str], given: Mapping[str, str], urns: Sequence[str]
) -> Batch:
    """Every parent by a key of the table, or by the name of another thing of the batch."""
    table, wanted = dict(given), list[Wanted]()
    ours = {one.name for one in left}
    for one in left:
        key = one.parent
        if key and key not in table and (key not in ours or key == one.name):
            # A thing that is called as its parent would be its own, where both have one key.
            key = f"the parent of {one.name}" if key == one.name else key
            table[key] = names.one(one.parent, urns)
        wanted.append(replace(one, parent=key))
    _refuse_rings({one.name: one.parent for one in wanted if one.parent not in table})
    return Batch(wanted=tuple(wanted), name_table=table, known=tuple(known))


def _refuse_rings(parents: Mapping[str, str]) -> None:
    """The engine would follow one for ever."""
    for name in parents:
        way = [name]
        while (above := parents.get(way[-1])) and above not in way:
            way.append(above)
        if above:
            message = f"{' is in '.join([*way, above])}: name a parent that is not within"
            raise MoorageError(message)


@contextmanager
def written(batch: Batch, folder: Path) -> Iterator[Path]:
    """The batch in a file of Pulumi's bulk form, for as long as the engine reads it."""
    path = folder / "import.json"
    listed = [_spec(one) for one in batch.wanted]
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump({"nameTable": dict(batch.name_table), "resources": listed}, file)
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


def outlook(batch: Batch, steps: Iterable[Step]) -> list[str]:
    """What the next up would do to each thing that was imported, one line each."""
    ours = {(one.type, one.name) for one in batch.wanted}
    found: dict[str, Step] = {}
    for step in steps:
        if (type_of(step.urn), name_of(step.urn)) in ours and step.kind != "refresh":
            found.setdefault(step.urn, step)
    return [_outlook(step) for step in found.values()]


def _outlook(step: Step) -> str:
    name = label(step.urn)
    if step.kind == "delete":
        return (
            f"{name}: the program does not declare it there, so the next up would DELETE it; "
            "declare it (same type, name and parent), or `moorage state remove` forgets it"
        )
    if step.changes:
        paths = f" ({', '.join(step.paths)})" if step.paths else ""
        return f"{name}: the program declares it otherwise{paths}; the next up would {step.kind} it"
    return f"{name}: the program declares it the same way; the next up changes nothing of it"


def _of_type(one: Wanted, types: Sequence[str]) -> Wanted:
    """The thing with its whole type; a type of ours that there is not is refused."""
    whole = one.type if ":" in one.type else f"moorage:index:{one.type}"
    if types and whole not in types and whole.startswith("moorage:") and not _is_component(one):
        near = get_close_matches(whole, types, n=1, cutoff=0.6)
        hint = f"is it {near[0]}? " if near else ""
        msg = f"there is no type {one.type}; {hint}there are: {', '.join(sorted(types))}"
        raise MoorageError(msg)
    return replace(one, type=whole)


def _is_component(one: Wanted) -> bool:
    return bool((one.rest or {}).get("component"))


def _wanted(path: Path, number: int, one: Any) -> Wanted:
    fine = isinstance(one, dict) and all(isinstance(one.get(k), str) for k in ("type", "name"))
    if not fine or not (isinstance(one.get("id"), str) or one.get("component")):
        msg = f"{path}: resource {number} needs `type`, `name` and `id`"
        raise MoorageError(msg)
    if not isinstance(one.get("parent", ""), str):
        msg = f"{path}: resource {number} names a parent that is no text"
        raise MoorageError(msg)
    unknown = sorted(set(one) - _FIELDS)
    if unknown:
        msg = f"{path}: resource {number} has {', '.join(unknown)}, which an import does not know"
        raise MoorageError(msg)
    rest = {k: v for k, v in one.items() if k not in {"type", "name", "id", "parent"}}
    return Wanted(
        type=one["type"],
        name=one["name"],
        id=one.get("id", ""),
        parent=one.get("parent", ""),
        rest=rest,
    )


def _spec(one: Wanted) -> dict[str, Any]:
    told = {"type": one.type, "name": one.name, "id": one.id, "parent": one.parent}
    return {**{k: v for k, v in told.items() if v}, **(one.rest or {})}


def _key(resource: Mapping[str, Any]) -> tuple[str, str]:
    return str(resource["type"]), name_of(str(resource["urn"]))


def _known(one: Wanted, there: Mapping[str, Any]) -> str:
    if one.id and there.get("id") != one.id:
        msg = (
            f"{label(there['urn'])} is in this stack already, as {there.get('id')}, not {one.id}; "
            "`moorage state remove` forgets it first"
        )
        raise MoorageError(msg)
    return f"{label(there['urn'])} is in this stack already"
