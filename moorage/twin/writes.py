"""Writing to the Hub's twin: repositories made, set and deleted, files committed."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from aiohttp import web

from moorage.twin import cards, history, spaces, talks
from moorage.twin.desk import (
    ID,
    PREFIXES,
    Asked,
    Refusal,
    Served,
    checked,
    name_of,
    parsed,
    route,
    rows,
    writable,
)
from moorage.twin.repos import Blob, Repo, Stored, store

_NAME: Final = re.compile(r"(?!.*(--|\.\.))[A-Za-z0-9_]([A-Za-z0-9._-]{0,94}[A-Za-z0-9_])?")
_LFS_SUFFIXES: Final = (".gguf", ".safetensors", ".bin", ".pt", ".onnx", ".png", ".jpg")
_LFS_FROM_BYTES: Final = 10_000_000
_SDKS: Final = ("gradio", "docker", "static", "streamlit")
_ATTRIBUTES: Final = b"*.safetensors filter=lfs diff=lfs merge=lfs -text\n"
_GATES: Final = ("auto", "manual", False)
_VISIBILITIES: Final = ("public", "private", "protected")


def mount(app: web.Application, hub: Served) -> None:
    """Add the routes of the write side."""
    add = app.router
    add.add_post("/api/repos/create", route(hub, _create))
    add.add_delete("/api/repos/delete", route(hub, _delete))
    add.add_post("/api/validate-yaml", route(hub, _validate))
    add.add_put("/uploads/{oid}", route(hub, _upload))
    for kind, prefix in PREFIXES.items():
        api = f"/api/{kind}/{ID}"
        add.add_put(f"{api}/settings", route(hub, _settings))
        add.add_post(f"{api}/resource-group", route(hub, _group))
        add.add_post(f"{api}/preupload/{{revision:.+}}", route(hub, _preupload))
        add.add_post(f"{api}/commit/{{revision:.+}}", route(hub, _commit))
        add.add_post(f"/{prefix}{ID}.git/info/lfs/objects/batch", route(hub, _batch))


# --- repositories


def _create(asked: Asked) -> Any:
    body = asked.json(name=str)
    kind, account = _place(asked, body)
    if asked.desk.busy > 0:
        asked.desk.busy -= 1
        raise Refusal(409, "Cannot create repo: another conflicting operation is in progress")
    key = f"{PREFIXES[kind]}{account}/{body.get('name')}"
    _refuse_unmakable(asked, key, kind, body)
    stored = _new(asked, key, kind, body)
    asked.hub.repos[key] = stored
    if kind == "spaces":
        asked.desk.spaces[key.removeprefix("spaces/")] = spaces.begin(asked, stored, body)
    return {"url": f"{asked.hub.url}/{key}", "name": key.removeprefix(PREFIXES[kind])}


def _place(asked: Asked, body: Mapping[str, Any]) -> tuple[str, str]:
    """The kind of a repository and the account below which it is, when who asks may write there."""
    kind, account = f"{body.get('type') or 'model'}s", body.get("organization")
    if kind not in PREFIXES or not isinstance(account, str | None):
        raise Refusal(400, "Invalid type or organization")
    if asked.caller is None:
        raise Refusal(401, "Invalid credentials in Authorization header")
    account = account or asked.caller.user.name
    asked.writer(account)
    return kind, account


def _refuse_unmakable(asked: Asked, key: str, kind: str, body: Mapping[str, Any]) -> None:
    if not _NAME.fullmatch(body["name"]):
        raise Refusal(400, f"Invalid repo name: {body['name']}")
    if body.get("visibility") not in (None, *_VISIBILITIES[: 3 if kind == "spaces" else 2]):
        raise Refusal(400, "Invalid visibility")
    if key in asked.hub.repos:
        says = f"You already created this {kind[:-1]} repo"
        raise Refusal(409, says, url=f"{asked.hub.url}/{key}")
    account = key.removeprefix(PREFIXES[kind]).partition("/")[0]
    _known_group(asked, account, body.get("resourceGroupId"))
    if kind == "spaces":
        spaces.refuse(asked, account, body, _SDKS)


def _known_group(asked: Asked, account: str, group: Any) -> None:
    if group is not None and str(group) not in asked.desk.groups.get(account, {}):
        raise Refusal(400, f"Resource group {group} not found")


def _new(asked: Asked, key: str, kind: str, body: Mapping[str, Any]) -> Stored:
    name = key.removeprefix(PREFIXES[kind])
    files: dict[str, bytes] = {".gitattributes": _ATTRIBUTES}
    if kind == "spaces":
        title = name.partition("/")[2]
        readme = f"---\ntitle: {title}\nsdk: {body['sdk']}\n---\n"
        files[cards.README] = readme.encode()
    if not asked.desk.ignores_files:
        given = rows(body, "files", path=str, content=str)
        files |= {one["path"]: _decoded(one["content"]) for one in given}
    visibility = body.get("visibility") or ("private" if body.get("private") else "public")
    repo = Repo(
        files=files,
        revision=_oid(key, asked.desk.clock.stamp(), sorted(files)),
        pipeline_tag=None,
        **_visible(asked, name, visibility),
        group=body.get("resourceGroupId") or "",
    )
    return store(key, repo)


def _visible(asked: Asked, name: str, visibility: str) -> dict[str, Any]:
    """Protected hides the code as private does."""
    people, account = asked.desk.people, name.partition("/")[0]
    callers = {text: people.caller(text) for text in people.texts()}
    readers = tuple(t for t, c in callers.items() if c and people.belongs(c.user, account))
    is_hidden = visibility != "public"
    return {"private": is_hidden, "visibility": visibility, "readers": readers}


def _delete(asked: Asked) -> Any:
    body = asked.json(name=str)
    kind, account = _place(asked, body)
    key = f"{PREFIXES[kind]}{account}/{body['name']}"
    if asked.hub.repos.pop(key, None) is None:
        raise Refusal(404, "Repository not found", code="RepoNotFound")
    asked.desk.spaces.pop(key.removeprefix("spaces/"), None)
    asked.desk.talks.pop(key, None)
    return web.Response(text="OK")


def _settings(asked: Asked) -> Any:
    key, stored = writable(asked)
    body = asked.json()
    repo = stored.repo
    if "visibility" in body or "private" in body:
        visibility = body.get("visibility") or ("private" if body["private"] else "public")
        is_space = key.startswith(PREFIXES["spaces"])
        if visibility not in _VISIBILITIES[: 3 if is_space else 2]:
            raise Refusal(400, "Invalid visibility")
        repo = replace(repo, **_visible(asked, name_of(asked), visibility))
    if "gated" in body:
        if body["gated"] not in _GATES:
            raise Refusal(400, "Invalid gated, must be one of auto, manual, false")
        repo = replace(repo, gated=body["gated"])
    asked.hub.repos[key] = replace(stored, repo=repo)
    return {"private": repo.private, "visibility": repo.visibility}


def _group(asked: Asked) -> Any:
    key, stored = writable(asked)
    group = asked.json().get("resourceGroupId")
    _known_group(asked, name_of(asked).partition("/")[0], group)
    asked.hub.repos[key] = replace(stored, repo=replace(stored.repo, group=group or ""))
    return {}


# --- files


def _validate(asked: Asked) -> Any:
    body = asked.json(content=str)
    card = cards.parse(body["content"])
    if body.get("repoType") == "space" and card and card.get("sdk") not in _SDKS:
        error = {"message": f'"sdk" must be one of [{", ".join(_SDKS)}]'}
        raise Refusal(400, "Invalid metadata in README.md", errors=[error], warnings=[])
    return {"errors": [], "warnings": []}


def _preupload(asked: Asked) -> Any:
    _, stored = writable(asked)
    commit = stored.resolve(asked.part("revision"))
    if commit is None:
        raise Refusal(404, "Invalid rev id", code="RevisionNotFound")
    have = stored.at(commit)
    files = rows(asked.json(files=list), "files", path=str, size=int)
    return {"files": [_mode(file, have) for file in files]}


def _mode(file: Mapping[str, Any], have: Mapping[str, Blob]) -> dict[str, Any]:
    is_lfs = file["path"].endswith(_LFS_SUFFIXES) or file["size"] > _LFS_FROM_BYTES
    blob = have.get(file["path"])
    told = {"path": file["path"], "uploadMode": "lfs" if is_lfs else "regular"}
    oid = None if blob is None else blob.sha256 if blob.lfs else blob.blob_id
    return {**told, "shouldIgnore": False, "oid": oid}


def _batch(asked: Asked) -> Any:
    writable(asked)
    objects = rows(asked.json(objects=list), "objects", oid=str, size=int)
    return {"transfer": "basic", "objects": [_action(asked, one) for one in objects]}


def _action(asked: Asked, one: Mapping[str, Any]) -> dict[str, Any]:
    if _content(asked, one["oid"]) is not None:
        return {"oid": one["oid"], "size": one["size"]}
    href = f"{asked.hub.content_url}/uploads/{one['oid']}"
    return {"oid": one["oid"], "size": one["size"], "actions": {"upload": {"href": href}}}


def _upload(asked: Asked) -> Any:
    if hashlib.sha256(asked.body).hexdigest() != asked.part("oid"):
        raise Refusal(400, "the content does not match its oid")
    asked.desk.uploads[asked.part("oid")] = asked.body
    return {}


def _content(asked: Asked, oid: str) -> Any:
    if oid in asked.desk.uploads:
        return asked.desk.uploads[oid]
    blobs = (blob for stored in asked.hub.repos.values() for blob in stored.all())
    return next((blob.source for blob in blobs if blob.lfs and blob.sha256 == oid), None)


def _commit(asked: Asked) -> Any:
    key, stored = writable(asked)
    lines = [parsed(line, key=str, value=dict) for line in asked.body.splitlines() if line]
    if not lines:
        raise Refusal(400, "Invalid body: a commit has a header")
    header = checked(lines[0]["value"], "header", summary=str)
    revision = asked.part("revision")
    base = stored.resolve(revision)
    if base is None:
        raise Refusal(404, "Invalid rev id", code="RevisionNotFound")
    if header.get("parentCommit") not in (None, base):
        raise Refusal(412, "A commit has happened since. Please refresh and try again.")
    blobs = _changed(asked, stored.at(base), lines[1:])
    oid = _oid(key, base, asked.desk.clock.stamp(), sorted(blobs))
    if asked.request.query.get("create_pr") == "1":
        number = talks.opened(asked, key, header, base=revision)
        asked.hub.repos[key] = history.grown(stored, oid, blobs, ref=f"refs/pr/{number}")
        return _told(
            asked, key, oid, {"pullRequestUrl": f"{_page(asked, key)}/discussions/{number}"}
        )
    asked.hub.repos[key] = history.grown(
        stored, oid, blobs, ref="" if revision == "main" else revision
    )
    if key.startswith(PREFIXES["spaces"]) and revision == "main":
        spaces.pushed(asked, name_of(asked))
    return _told(asked, key, oid, {})


def _told(asked: Asked, key: str, oid: str, more: Mapping[str, Any]) -> dict[str, Any]:
    url = f"{_page(asked, key)}/commit/{oid}"
    return {"success": True, "commitOid": oid, "commitUrl": url, "hookOutput": "", **more}


def _page(asked: Asked, key: str) -> str:
    return f"{asked.hub.url}/{key}"


def _changed(
    asked: Asked, have: Mapping[str, Blob], operations: list[dict[str, Any]]
) -> dict[str, Blob]:
    blobs = dict(have)
    for operation in operations:
        value = checked(operation["value"], "operation", path=str)
        match operation["key"]:
            case "file":
                checked(value, "file", content=str)
                blobs[value["path"]] = _blob(value["path"], _decoded(value["content"]))
            case "lfsFile":
                blobs[value["path"]] = _large(asked, checked(value, "lfsFile", oid=str))
            case "deletedFile":
                if blobs.pop(value["path"], None) is None:
                    raise Refusal(404, "A file with this name doesn't exist", code="EntryNotFound")
            case "deletedFolder":
                inside = f"{value['path'].rstrip('/')}/"
                blobs = {path: blob for path, blob in blobs.items() if not path.startswith(inside)}
            case unknown:
                raise Refusal(400, f"Unknown operation {unknown}")
    return dict(sorted(blobs.items()))


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:  # binascii's, or of what is no ASCII
        raise Refusal(400, "Invalid base64") from None


def _large(asked: Asked, value: Mapping[str, Any]) -> Blob:
    content = _content(asked, value["oid"])
    if content is None:
        raise Refusal(400, f"LFS pointer pointed to a file that does not exist: {value['path']}")
    return replace(_blob(value["path"], content), lfs=True)


def _blob(path: str, source: Any) -> Blob:
    return replace(store("x/y", Repo(files={path: source})).blobs[path], lfs=False)


def _oid(*parts: Any) -> str:
    return hashlib.sha1(repr(parts).encode(), usedforsecurity=False).hexdigest()
