"""A collection as the Hub tells it, and the writes that bring it to what is declared."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from moorage.provider.handler import Context, State
from moorage.provider.hugging_face import hub
from moorage.provider.hugging_face.hub import Call, Hub

SCOPE: Final = "collection.write"
_MARK: Final = re.compile(r" ?\[moorage (?P<mark>[0-9a-f]{12})\]$")
_DIGITS: Final = 12

MARK_LENGTH: Final = len(" [moorage ]") + _DIGITS


@dataclass(frozen=True, kw_only=True, slots=True)
class Item:
    """One entry: what it is, and what is said of it."""

    type: str
    id: str
    note: str = ""
    key: str = ""  # the Hub's own for this entry

    @property
    def what(self) -> tuple[str, str]:
        """Of which a collection has one only."""
        return self.type, self.id


@dataclass(frozen=True, kw_only=True, slots=True)
class Record:
    """What is there."""

    id: str
    title: str
    description: str
    mark: str | None
    is_private: bool
    theme: str
    items: tuple[Item, ...]

    @property
    def visibility(self) -> str:
        """Who may see it."""
        return "private" if self.is_private else "public"


def mark_of(owner: str) -> str:
    """Whose it is, short: a description has no more room."""
    return hashlib.sha256(owner.encode()).hexdigest()[:_DIGITS]


def described(inputs: State) -> str:
    """What it is to say of itself; the Hub keeps no blanks around it."""
    return str(inputs.get("description", "")).strip()


def marked(description: str, owner: str) -> str:
    """The description with its mark."""
    return f"{description} [moorage {mark_of(owner)}]".strip()


def look(at: Hub, id_: str, context: Context) -> Record | None:
    """The collection; None where there is none, or none that the token may see."""
    asked = at.asked(f"collection {id_}", id_.partition("/")[0], SCOPE)
    told = hub.read(at, asked, lambda api: api.get_collection(id_), context)
    return None if told is None else _record(told, id_)


def named(at: Hub, account: str, title: str, context: Context) -> Iterator[Record]:
    """The collections of an account that have this title, in full."""
    asked = at.asked(f"the collections of {account}", account, SCOPE)
    slugs = hub.read(at, asked, lambda api: _slugs(api, account, title), context)
    for slug in slugs or ():
        found = look(at, slug, context)
        if found is not None:
            yield found


def _slugs(api: Any, account: str, title: str) -> list[str]:
    return [one.slug for one in api.list_collections(owner=account) if one.title == title]


def _record(told: Any, id_: str) -> Record:
    description = told.description or ""
    found = _MARK.search(description)
    return Record(
        id=id_,
        title=told.title,
        description=_MARK.sub("", description),
        mark=found["mark"] if found else None,
        is_private=told.private,
        theme=told.theme,
        items=tuple(_item(one) for one in sorted(told.items, key=lambda one: int(one.position))),
    )


def _item(told: Any) -> Item:
    return Item(type=told.item_type, id=told.item_id, note=told.note or "", key=told.item_object_id)


def wanted(inputs: State) -> list[Item]:
    """The declared items in their order."""
    return [
        Item(type=one["type"], id=one["id"], note=one.get("note", ""))
        for one in inputs.get("items", ())
    ]


def outputs(found: Record, at: Hub) -> State:
    """What is told of it."""
    account = found.id.partition("/")[0]
    return {"url": f"{at.url}/collections/{found.id}", "account": account, "mark": found.mark}


def declared(found: Record) -> State:
    """The inputs that would declare it."""
    told = {
        "title": found.title,
        "namespace": found.id.partition("/")[0],
        "description": found.description or None,
        "visibility": found.visibility,
        "items": [_told(item) for item in found.items] or None,
    }
    return {name: value for name, value in told.items() if value is not None}


def _told(item: Item) -> dict[str, str]:
    note = {"note": item.note} if item.note else {}
    return {"type": item.type, "id": item.id, **note}


def drift(inputs: State, found: Record, *, is_imported: bool) -> str | None:
    """Field by field what is otherwise than declared; what was imported need not have a mark."""
    return "; ".join(_differences(inputs, found, is_imported=is_imported)) or None


def _differences(inputs: State, found: Record, *, is_imported: bool) -> Iterator[str]:
    if found.visibility != inputs["visibility"]:
        yield f"visibility: {found.visibility} instead of {inputs['visibility']}"
    if found.description != described(inputs):
        yield "description: it is another"
    if found.mark is None and not is_imported:
        yield "description: it has lost the mark that says whose it is"
    should, have = wanted(inputs), found.items
    missing = [item.id for item in should if item.what not in {one.what for one in have}]
    more = [item.id for item in have if item.what not in {one.what for one in should}]
    if missing:
        yield f"items: {', '.join(missing)} is missing"
    if more:
        yield f"items: {', '.join(more)} was added"
    if not missing and not more and _plain(should) != _plain(have):
        is_order = [item.what for item in should] != [item.what for item in have]
        yield f"items: their {'order' if is_order else 'notes'} is another"


def _plain(items: Any) -> list[tuple[str, str, str]]:
    return [(*item.what, item.note) for item in items]


# --- writes


def steps(inputs: State, found: Record, owner: str) -> list[Call]:
    """What brings it nearer; entries are ordered once all are there."""
    changes = list(_settings(inputs, found, owner))
    should = {item.what: item for item in wanted(inputs)}
    have = {item.what: item for item in found.items}
    changes += [_remove(found.id, have[what]) for what in have if what not in should]
    changes += [_add(found.id, should[what]) for what in should if what not in have]
    if have.keys() == should.keys():
        changes += _noted(found.id, should, have)
        changes += _ordered(found.id, list(should), list(found.items))
    return changes


def _settings(inputs: State, found: Record, owner: str) -> Iterator[Call]:
    description = marked(described(inputs), owner)
    is_private = inputs["visibility"] == "private"
    is_described = found.description == described(inputs)
    if is_described and found.mark == mark_of(owner) and found.is_private == is_private:
        return
    yield lambda api: api.update_collection_metadata(
        found.id, description=description, private=is_private
    )


def _remove(slug: str, item: Item) -> Call:
    return lambda api: api.delete_collection_item(slug, item.key, missing_ok=True)


def _add(slug: str, item: Item) -> Call:
    kind: Any = item.type  # one of those that the shape knows
    return lambda api: api.add_collection_item(
        slug, item.id, kind, note=item.note or None, exists_ok=True
    )


def _noted(
    slug: str, should: dict[tuple[str, str], Item], have: dict[tuple[str, str], Item]
) -> list[Call]:
    def call(item: Item, note: str) -> Call:
        return lambda api: api.update_collection_item(slug, item.key, note=note)

    differing = (what for what in should if should[what].note != have[what].note)
    return [call(have[what], should[what].note) for what in differing]


def _ordered(slug: str, should: list[tuple[str, str]], have: list[Item]) -> list[Call]:
    """The fewest simple moves: each entry that stands wrong goes to its place, from the top."""
    moves: list[Call] = []
    for position, what in enumerate(should):
        if have[position].what == what:
            continue
        item = next(one for one in have if one.what == what)
        have.remove(item)
        have.insert(position, item)
        moves.append(_move(slug, item, position))
    return moves


def _move(slug: str, item: Item, position: int) -> Callable[[Any], Any]:
    return lambda api: api.update_collection_item(slug, item.key, position=position)
