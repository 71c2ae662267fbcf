"""Collections of the Hub's twin."""

from __future__ import annotations

import hashlib
import re
from typing import Any, Final

from aiohttp import web

from moorage.twin.desk import COLLECTION_WRITE, Asked, Refusal, Served, checked, route

_SLUG: Final = "/api/collections/{slug:[^/]+/[^/]+}"
_SHOWN_IN_LISTS: Final = 4
_PAGE: Final = 100
_LONGEST_DESCRIPTION: Final = 150
_LONGEST_NOTE: Final = 500
_LONGEST_TITLE: Final = 60


def mount(app: web.Application, hub: Served) -> None:
    """Add the routes."""
    add = app.router
    add.add_get("/api/collections", route(hub, _list))
    add.add_post("/api/collections", route(hub, _create))
    add.add_get(_SLUG, route(hub, _found))
    add.add_patch(_SLUG, route(hub, _change))
    add.add_delete(_SLUG, route(hub, _delete))
    add.add_post(f"{_SLUG}/items", route(hub, _add))
    add.add_patch(f"{_SLUG}/items/{{item}}", route(hub, _change_item))
    add.add_delete(f"{_SLUG}/items/{{item}}", route(hub, _remove))


def _list(asked: Asked) -> Any:
    owners = asked.request.query.getall("owner", [])
    fits = [one for one in asked.desk.collections.values() if _is_listed(asked, one, owners)]
    cursor = asked.request.query.get("cursor", "0")
    if not cursor.isdecimal():
        raise Refusal(400, "Invalid cursor")
    start = int(cursor[:9])
    page = [{**one, "items": one["items"][:_SHOWN_IN_LISTS]} for one in fits[start:][:_PAGE]]
    headers = {}
    if start + _PAGE < len(fits):
        after = asked.request.url.update_query(cursor=str(start + _PAGE))
        headers["Link"] = f'<{after}>; rel="next"'
    return web.json_response([_without_position(one) for one in page], headers=headers)


def _without_position(one: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in one.items() if name != "position"}


def _is_listed(asked: Asked, one: dict[str, Any], owners: list[str]) -> bool:
    owner = one["owner"]["name"]
    return (not owners or owner in owners) and (not one["private"] or asked.reader(owner))


def _create(asked: Asked) -> Any:
    body = asked.json(namespace=str, title=str)
    asked.writer(body["namespace"], COLLECTION_WRITE if _is_narrow(asked) else "repo.write")
    _refuse_long(body)
    for one in asked.desk.collections.values():
        if (one["owner"]["name"], one["title"]) == (body["namespace"], body["title"]):
            says = "You already created a collection with this title"
            raise Refusal(409, says, slug=one["slug"])
    group = body.get("resourceGroupId")
    if group is not None and str(group) not in asked.desk.groups.get(body["namespace"], {}):
        raise Refusal(400, f"Resource group {group} not found")
    made = _new(asked, body)
    asked.desk.collections[made["slug"]] = made
    return made


def _is_narrow(asked: Asked) -> bool:
    return asked.caller is not None and asked.caller.token.role == "fineGrained"


def _new(asked: Asked, body: dict[str, Any]) -> dict[str, Any]:
    stamp = asked.desk.clock.stamp()
    number = _number_of(body["namespace"], body["title"], stamp)
    words = re.sub(r"[^a-z0-9]+", "-", body["title"].lower()).strip("-")
    return {
        "slug": f"{body['namespace']}/{words}-{number}",
        "title": body["title"],
        "description": body.get("description"),
        "owner": {"name": body["namespace"], "type": _kind(asked, body["namespace"])},
        "items": [],
        "lastUpdated": stamp,
        "position": len(asked.desk.collections),
        "private": bool(body.get("private")),
        "theme": "orange",
        "upvotes": 0,
    }


def _number_of(*parts: str) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:24]


def _kind(asked: Asked, account: str) -> str:
    return asked.desk.people.accounts[account].kind


def _refuse_long(body: dict[str, Any]) -> None:
    for name in ("title", "description", "note"):
        if not isinstance(body.get(name), str | None):
            raise Refusal(400, f"Invalid body: {name} is no text")
    if len(body.get("description") or "") > _LONGEST_DESCRIPTION:
        raise Refusal(400, f"Description must be at most {_LONGEST_DESCRIPTION} characters")
    if len(body.get("title") or "") > _LONGEST_TITLE:
        raise Refusal(400, f"Title must be at most {_LONGEST_TITLE} characters")
    if len(body.get("note") or "") > _LONGEST_NOTE:
        raise Refusal(400, f"Note must be at most {_LONGEST_NOTE} characters")


def _found(asked: Asked, *, write: bool = False) -> dict[str, Any]:
    one = asked.desk.collections.get(asked.part("slug"))
    if one is None or (one["private"] and not asked.reader(one["owner"]["name"])):
        raise Refusal(404, "Collection not found")
    if write:
        permission = COLLECTION_WRITE if _is_narrow(asked) else "repo.write"
        asked.writer(one["owner"]["name"], permission)
    return one


def _change(asked: Asked) -> Any:
    one, body = _found(asked, write=True), asked.json()
    _refuse_long(body)
    one |= {
        name: body[name] for name in ("title", "description", "private", "theme") if name in body
    }
    one["lastUpdated"] = asked.desk.clock.stamp()
    return {"success": True, "data": one}


def _delete(asked: Asked) -> Any:
    del asked.desk.collections[_found(asked, write=True)["slug"]]
    return {}


def _add(asked: Asked) -> Any:
    one, body = _found(asked, write=True), asked.json(item=dict)
    _refuse_long(body)
    item = checked(body["item"], "item", id=str, type=str)
    if any((have["id"], have["type"]) == (item["id"], item["type"]) for have in one["items"]):
        raise Refusal(409, "This item is already in the collection")
    if not _is_there(asked, item):
        raise Refusal(404, f"{item['id']} does not exist")
    stamp = asked.desk.clock.stamp()
    number = _number_of(one["slug"], item["id"], stamp)
    kept = {"_id": number, **item, "position": len(one["items"])}
    if body.get("note"):
        kept["note"] = {"text": body["note"], "html": body["note"]}
    one["items"].append(kept)
    return one


def _is_there(asked: Asked, item: dict[str, Any]) -> bool:
    prefix = {"model": "", "dataset": "datasets/", "space": "spaces/"}.get(item["type"])
    return prefix is None or f"{prefix}{item['id']}" in asked.hub.repos


def _change_item(asked: Asked) -> Any:
    one, body = _found(asked, write=True), asked.json()
    _refuse_long(body)
    item = _item(asked, one)
    if "note" in body:
        item["note"] = {"text": body["note"], "html": body["note"]}
    if "position" in body:
        one["items"].remove(item)
        one["items"].insert(asked.json(position=int)["position"], item)
        _number(one)
    return {"success": True}


def _remove(asked: Asked) -> Any:
    one = _found(asked, write=True)
    one["items"].remove(_item(asked, one))
    _number(one)
    return {}


def _item(asked: Asked, one: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] | None = next(
        (item for item in one["items"] if item["_id"] == asked.part("item")), None
    )
    if found is None:
        raise Refusal(404, "Item not found")
    return found


def _number(one: dict[str, Any]) -> None:
    for position, item in enumerate(one["items"]):
        item["position"] = position
