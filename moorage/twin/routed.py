"""The router's list of models, which the Hub's twin tells too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from moorage.twin import listing
from moorage.twin.repos import Stored


def add_routes(app: web.Application, repos: Mapping[str, Stored]) -> None:
    """`GET /v1/models` and `GET /v1/models/<owner>/<name>`; neither asks for a token."""

    async def every(_request: web.Request) -> web.StreamResponse:
        rows = [listing.routed(stored) for stored in repos.values() if stored.repo.providers]
        return web.json_response({"object": "list", "data": rows})

    async def one(request: web.Request) -> web.StreamResponse:
        stored = repos.get(request.match_info["id"])
        if stored is None or not stored.repo.providers:
            return _missing()
        return web.json_response(listing.routed(stored))

    handlers: Mapping[str, Any] = {"/v1/models": every, "/v1/models/{id:[^/]+/[^/]+}": one}
    for path, handler in handlers.items():
        app.router.add_get(path, handler)


def _missing() -> web.Response:
    says = "The requested model does not exist"
    return web.json_response({"error": says}, status=404, headers={"X-Error-Message": says})
