"""Discussions and pull requests of the Hub's twin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from aiohttp import web

from moorage.twin import spaces
from moorage.twin.desk import (
    ID,
    PREFIXES,
    Asked,
    Refusal,
    Served,
    name_of,
    readable,
    route,
    writable,
)
from moorage.twin.history import merged

_PAGE: Final = 20


def mount(app: web.Application, hub: Served) -> None:
    """Add the routes."""
    for kind in PREFIXES:
        api = f"/api/{kind}/{ID}/discussions"
        one = f"{api}/{{number:[0-9]+}}"
        app.router.add_get(api, route(hub, _list))
        app.router.add_post(api, route(hub, _create))
        app.router.add_get(one, route(hub, _details))
        app.router.add_post(f"{one}/comment", route(hub, _comment))
        app.router.add_post(f"{one}/status", route(hub, _status))
        app.router.add_post(f"{one}/merge", route(hub, _merge))


def opened(asked: Asked, key: str, header: Mapping[str, Any], *, base: str) -> int:
    """A pull request that a commit asks for; its number."""
    title, text = header["summary"], header.get("description") or ""
    talk = _begin(asked, key, title, text, is_pull=True)
    talk["changes"] = {"base": f"refs/heads/{base}"}
    return int(talk["num"])


def _begin(asked: Asked, key: str, title: str, text: str, *, is_pull: bool) -> dict[str, Any]:
    caller = asked.caller
    kept = asked.desk.talks.setdefault(key, [])
    talk: dict[str, Any] = {
        "num": len(kept) + 1,
        "title": title,
        "author": {"name": caller.user.name if caller else "nobody"},
        "createdAt": asked.desk.clock.stamp(),
        "status": "open",
        "isPullRequest": is_pull,
        "repo": {
            "name": name_of(asked),
            "type": key.partition("s/")[0] if "s/" in key[:9] else "model",
        },
        "events": [],
        "filesWithConflicts": [],
        "changes": {"base": "refs/heads/main"},
    }
    kept.append(talk)
    _add(
        asked,
        talk,
        "comment",
        {"latest": {"raw": text, "html": text}, "hidden": False, "edited": False},
    )
    return talk


def _add(asked: Asked, talk: dict[str, Any], kind: str, data: dict[str, Any]) -> dict[str, Any]:
    caller = asked.caller
    latest = {"updatedAt": asked.desk.clock.stamp(), "author": {"name": "twin"}}
    if "latest" in data:
        data = data | {"latest": data["latest"] | latest}
    event = {
        "id": f"{talk['num']}-{len(talk['events'])}",
        "type": kind,
        "createdAt": asked.desk.clock.stamp(),
        "author": {"name": caller.user.name if caller else "nobody"},
        "data": data,
    }
    talk["events"].append(event)
    return event


def _list(asked: Asked) -> Any:
    wanted = asked.request.query
    kept = asked.desk.talks.get(_readable(asked), [])
    fits = [talk for talk in reversed(kept) if _fits(talk, wanted)]
    page = wanted.get("p", "0")
    if not page.isdecimal():
        raise Refusal(400, "Invalid page")
    start = int(page[:9]) * _PAGE
    return {"discussions": fits[start : start + _PAGE], "count": len(fits), "start": start}


def _fits(talk: Mapping[str, Any], wanted: Mapping[str, str]) -> bool:
    kind = {"pull_request": True, "discussion": False}.get(wanted.get("type", ""))
    is_open = talk["status"] in ("open", "draft")
    status = {"open": is_open, "closed": not is_open}.get(wanted.get("status", ""), True)
    author = wanted.get("author", talk["author"]["name"])
    return status and kind in (None, talk["isPullRequest"]) and author == talk["author"]["name"]


def _create(asked: Asked) -> Any:
    key, body = _readable(asked), asked.json(title=str)
    if asked.caller is None:
        raise Refusal(401, "Invalid credentials in Authorization header")
    text = body.get("description", "")
    talk = _begin(asked, key, body["title"], text, is_pull=bool(body.get("pullRequest")))
    return {"num": talk["num"], "url": f"{asked.hub.url}/{key}/discussions/{talk['num']}"}


def _details(asked: Asked) -> Any:
    return _talk(asked)


def _comment(asked: Asked) -> Any:
    text = asked.json(comment=str)["comment"]
    latest = {"latest": {"raw": text, "html": text}, "hidden": False, "edited": False}
    return {"newMessage": _add(asked, _talk(asked), "comment", latest)}


def _status(asked: Asked) -> Any:
    writable(asked)
    talk, status = _talk(asked), asked.json(status=str)["status"]
    talk["status"] = status
    return {"newStatus": _add(asked, talk, "status-change", {"status": status})}


def _merge(asked: Asked) -> Any:
    key, stored = writable(asked)
    talk = _talk(asked)
    reference = f"refs/pr/{talk['num']}"
    if not talk["isPullRequest"] or talk["status"] != "open" or reference not in stored.repo.refs:
        raise Refusal(400, "This pull request cannot be merged")
    asked.hub.repos[key] = merged(stored, reference)
    talk["status"] = "merged"
    talk["changes"]["mergeCommitId"] = stored.repo.refs[reference]
    if key.startswith(PREFIXES["spaces"]):
        spaces.pushed(asked, name_of(asked))
    return {}


def _readable(asked: Asked) -> str:
    return readable(asked.hub, asked.request).id


def _talk(asked: Asked) -> dict[str, Any]:
    number = int(asked.part("number")[:9])
    kept = asked.desk.talks.get(_readable(asked), [])
    if not 0 < number <= len(kept):
        raise Refusal(404, "Discussion not found")
    return kept[number - 1]
