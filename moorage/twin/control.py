"""How other processes drive a twin: `/_twin/...` on the port of the Endpoints API."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any, Final

from aiohttp import web

from moorage.twin import scenario_file
from moorage.twin.repos import TwinError
from moorage.twin.world import World

ROOT: Final = "/_twin"
_LONGEST_S: Final = 1e9  # of one step in time: dates end


def add_routes(app: web.Application, world: World) -> None:
    """GET tells; POST moves the clock, adds faults, or does what a person would."""
    add = app.router
    add.add_get(f"{ROOT}/clock", _answering(world, _clock))
    add.add_post(f"{ROOT}/clock", _answering(world, _advance))
    add.add_get(f"{ROOT}/faults", _answering(world, _faults))
    add.add_post(f"{ROOT}/faults", _answering(world, _add_faults))
    add.add_delete(f"{ROOT}/faults", _answering(world, _clear_faults))
    add.add_get(f"{ROOT}/requests", _answering(world, _requests))
    add.add_delete(f"{ROOT}/requests", _answering(world, _forget_requests))
    add.add_get(f"{ROOT}/endpoints", _answering(world, _endpoints))
    add.add_get(f"{ROOT}/urls", _answering(world, _urls))
    one = f"{ROOT}/endpoints/{{account}}/{{name}}"
    add.add_post(f"{one}/pause", _answering(world, _pause))
    add.add_post(f"{one}/remove", _answering(world, _remove))


def _answering(world: World, function: Any) -> Any:
    async def handler(request: web.Request) -> web.StreamResponse:
        try:
            body = json.loads(await request.text() or "{}")
            return web.json_response(function(world, request, body))
        except (TwinError, ValueError, RecursionError) as error:
            return web.json_response({"error": str(error)}, status=400)
        except KeyError as error:
            return web.json_response({"error": f"there is no {error}"}, status=404)

    return handler


def _clock(world: World, _request: web.Request, _body: Any) -> dict[str, Any]:
    return {"now_s": world.clock.now_s(), "driven": world.clock.driven}


def _advance(world: World, request: web.Request, body: Any) -> dict[str, Any]:
    seconds = body.get("advance_s") if isinstance(body, dict) else None
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or seconds < 0:
        message = 'send {"advance_s": N}, a number of seconds that is not below 0'
        raise TwinError(message)
    world.clock.advance(float(min(seconds, _LONGEST_S)))
    return _clock(world, request, body)


def _faults(world: World, _request: web.Request, _body: Any) -> dict[str, Any]:
    return {"left": len(world.faults)}


def _add_faults(world: World, request: web.Request, body: Any) -> dict[str, Any]:
    """One fault, or a list of them, in the words of a scenario."""
    world.faults.extend(scenario_file.faults(body if isinstance(body, list) else [body]))
    return _faults(world, request, body)


def _clear_faults(world: World, request: web.Request, body: Any) -> dict[str, Any]:
    world.faults.clear()
    return _faults(world, request, body)


def _requests(world: World, _request: web.Request, _body: Any) -> list[dict[str, Any]]:
    return [dataclasses.asdict(one) for one in list(world.requests)]


def _forget_requests(world: World, _request: web.Request, _body: Any) -> dict[str, Any]:
    forgotten = len(world.requests)
    world.requests.clear()
    return {"forgotten": forgotten}


def _endpoints(world: World, _request: web.Request, _body: Any) -> dict[str, Any]:
    return {
        key: {"raw": endpoint.raw, "history": list(endpoint.history)}
        for key, endpoint in world.endpoints.items()
    }


def _urls(world: World, _request: web.Request, _body: Any) -> Mapping[str, str]:
    return world.urls


def _pause(world: World, request: web.Request, _body: Any) -> dict[str, Any]:
    endpoint = world.endpoints[_key(request)]
    endpoint.pause("somebody")
    return endpoint.raw


def _remove(world: World, request: web.Request, _body: Any) -> dict[str, Any]:
    endpoint = world.endpoints[_key(request)]
    endpoint.gone_at_s = world.clock.now_s()
    return {"removed": endpoint.id}


def _key(request: web.Request) -> str:
    return f"{request.match_info['account']}/{request.match_info['name']}"
