"""The files of a repository as the Hub's twin lists them: as a tree, or path by path."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

from aiohttp import web

from moorage.twin.desk import ID, PREFIXES, Asked, Refusal, Served, readable, route
from moorage.twin.repos import Blob


def mount(app: web.Application, hub: Served) -> None:
    """Add the routes."""
    for kind in PREFIXES:
        api = f"/api/{kind}/{ID}"
        app.router.add_get(f"{api}/tree/{{revision}}", route(hub, _tree))
        app.router.add_get(f"{api}/tree/{{revision}}/{{folder:.+}}", route(hub, _tree))
        app.router.add_post(f"{api}/paths-info/{{revision}}", route(hub, _paths))


def _blobs(asked: Asked) -> dict[str, Blob]:
    stored = readable(asked.hub, asked.request)
    commit = stored.resolve(asked.part("revision"))
    if commit is None:
        raise Refusal(404, "Invalid rev id", code="RevisionNotFound")
    return dict(stored.at(commit))


def _tree(asked: Asked) -> Any:
    folder = asked.request.match_info.get("folder", "")
    start = f"{folder}/" if folder else ""
    inside = {path: blob for path, blob in _blobs(asked).items() if path.startswith(start)}
    if folder and not inside:
        raise Refusal(404, f"{folder} does not exist", code="EntryNotFound")
    if asked.request.query.get("recursive", "").lower() == "true":
        return [_file(blob) for blob in inside.values()]
    folders = sorted(
        {path[len(start) :].partition("/")[0] for path in inside if "/" in path[len(start) :]}
    )
    direct = [_file(blob) for path, blob in inside.items() if "/" not in path[len(start) :]]
    return [
        {"type": "directory", "path": f"{start}{name}", "oid": "0" * 40} for name in folders
    ] + direct


def _paths(asked: Asked) -> Any:
    wanted = parse_qs(asked.body.decode("utf-8", "replace")).get("paths", [])
    blobs = _blobs(asked)
    return [_file(blobs[path]) for path in wanted if path in blobs]


def _file(blob: Blob) -> dict[str, Any]:
    told: dict[str, Any] = {
        "type": "file",
        "path": blob.path,
        "size": blob.size,
        "oid": blob.blob_id,
    }
    if blob.lfs:
        told["lfs"] = {"oid": blob.sha256, "size": blob.size, "pointerSize": 134}
    return told
