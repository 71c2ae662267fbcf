"""The twin of the Inference Endpoints API, version 2."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from aiohttp import web

from moorage.twin import body as bodies
from moorage.twin.desk import token
from moorage.twin.doom import doomed
from moorage.twin.endpoint import Endpoint, born
from moorage.twin.hardware import Compute, quotas, vendors
from moorage.twin.pages import page
from moorage.twin.people import MANAGE, Caller
from moorage.twin.world import World

_LONGEST_LINE: Final = 10_000


class RefusedError(Exception):
    """An answer that is not what was asked for."""

    def __init__(self, status: int, says: str) -> None:
        super().__init__(says)
        self.status = status


def add_routes(app: web.Application, world: World) -> None:
    """Everything below /v2."""
    one = "/v2/endpoint/{account}/{name}"
    routes: Mapping[tuple[str, str], Callable[[World, web.Request], Awaitable[Any]]] = {
        ("GET", "/v2/provider"): _catalogue,
        ("GET", "/v2/provider/quotas/{account}"): _quotas,
        ("GET", "/v2/provider/{account}"): _catalogue_of,
        ("POST", "/v2/endpoint/{account}"): _create,
        ("GET", "/v2/endpoint/{account}"): _list,
        ("GET", one): _get,
        ("PUT", one): _put,
        ("DELETE", one): _delete,
        ("POST", f"{one}/pause"): _pause,
        ("POST", f"{one}/resume"): _resume,
        ("POST", f"{one}/scale-to-zero"): _scale_to_zero,
        ("GET", f"{one}/replica"): _replicas,
        ("GET", f"{one}/logs"): _logs,
        ("GET", f"{one}/logs/sse"): _log_events,
    }
    for (method, path), function in routes.items():
        app.router.add_route(method, path, _answering(world, function))


def _answering(world: World, function: Callable[[World, web.Request], Awaitable[Any]]) -> Any:
    async def handler(request: web.Request) -> web.StreamResponse:
        try:
            answer = await function(world, request)
        except RefusedError as refused:
            return web.json_response({"error": str(refused)}, status=refused.status)
        return answer if isinstance(answer, web.StreamResponse) else web.json_response(answer)

    return handler


async def _create(world: World, request: web.Request) -> Any:
    account = request.match_info["account"]
    caller = _allowed(world, request, write=True)
    body = await _json(request)
    _refuse(next(bodies.wrong_with_new(body), None))
    _refuse(next(bodies.wrong_with(body), None))
    compute = _compute(world, body)
    if not world.people.accounts[account].can_pay:
        says = "Payment required: add a payment method or credits to the account"
        raise RefusedError(402, says)
    if f"{account}/{body['name']}" in world.endpoints:
        says = f"Endpoint {body['name']} already exists"
        raise RefusedError(409, says)
    _check_quota(world, account, compute, body)
    endpoint = make(world, account, body, compute, by=caller.user.name)
    endpoint.doom = doomed(world, caller.token.text, body, compute)
    world.endpoints.add(born(endpoint, caller.user.name))
    return web.json_response(endpoint.raw, status=202)


def make(
    world: World, account: str, body: Mapping[str, Any], compute: Compute, *, by: str
) -> Endpoint:
    """An endpoint of a body that was found good; it is not yet born."""
    name = str(body["name"])
    return Endpoint(
        account=account,
        name=name,
        body=bodies.accepted(_filled(world, body), compute),
        clock=world.clock,
        timings=world.scenario.timings,
        starts=world.scenario.starts,
        created_by=by,
        url=f"{world.urls['engines']}/{account}/{name}",
        secrets=dict(body["model"].get("secrets") or {}),
        credentials=bodies.credentials(body),
    )


def _filled(world: World, body: Mapping[str, Any]) -> Mapping[str, Any]:
    """With the task and the commit that the Hub knows where the body left them open."""
    model = dict(body["model"])
    stored = world.hub.repos.get(str(model["repository"]))
    model["task"] = model.get("task") or (stored and stored.repo.pipeline_tag) or "text-generation"
    if not model.get("revision") and stored:
        model["revision"] = stored.commit
    return {**body, "model": model}


async def _list(world: World, request: web.Request) -> Any:
    _allowed(world, request, write=False)
    every = world.endpoints.of(request.match_info["account"])
    try:
        told = page(every, request.query, world.scenario.page_size)
    except ValueError:
        raise RefusedError(400, "Bad Request: invalid cursor or limit") from None
    return told | {"items": [endpoint.raw for endpoint in told["items"]]}


async def _get(world: World, request: web.Request) -> Any:
    return _endpoint(world, request, write=False)[1].raw


async def _put(world: World, request: web.Request) -> Any:
    caller, endpoint = _endpoint(world, request, write=True)
    sent = await _json(request)
    _refuse(next(bodies.wrong_with_parts(sent), None))
    whole = bodies.merged(endpoint.body, sent)
    if world.scenario.forgets_env and "env" not in (sent.get("model") or {}):
        whole["model"]["env"] = {}
    _refuse(next(bodies.wrong_with(whole), None))
    if bodies.variant(whole) != bodies.variant(endpoint.body):
        raise RefusedError(400, "model.image: the engine of an endpoint cannot be changed")
    compute = _compute(world, whole)
    _check_quota(world, endpoint.account, compute, whole, but=endpoint.name)
    model = sent.get("model") or {}
    if "secrets" in model:
        endpoint.secrets = dict(model["secrets"] or {})
    if model.get("image"):
        endpoint.credentials = bodies.credentials(whole)
    endpoint.body = bodies.accepted(_filled(world, whole), compute)
    endpoint.doom = doomed(world, caller.token.text, whole, compute)
    endpoint.update(caller.user.name)
    return endpoint.raw


async def _delete(world: World, request: web.Request) -> Any:
    _, endpoint = _endpoint(world, request, write=True)
    endpoint.delete()
    return web.Response(status=200)


async def _pause(world: World, request: web.Request) -> Any:
    caller, endpoint = _endpoint(world, request, write=True)
    endpoint.pause(caller.user.name)
    return endpoint.raw


async def _resume(world: World, request: web.Request) -> Any:
    caller, endpoint = _endpoint(world, request, write=True)
    if endpoint.state in ("running", "updating", "pending", "initializing"):
        raise RefusedError(400, "Bad Request: Endpoint is already running")
    endpoint.start(caller.user.name)
    return endpoint.raw


async def _scale_to_zero(world: World, request: web.Request) -> Any:
    caller, endpoint = _endpoint(world, request, write=True)
    if endpoint.state not in ("running", "scaledToZero"):
        says = f"Bad Request: Endpoint is {endpoint.state}, only a running one scales to zero"
        raise RefusedError(400, says)
    endpoint.sleep(caller.user.name)
    return endpoint.raw


async def _replicas(world: World, request: web.Request) -> Any:
    _, endpoint = _endpoint(world, request, write=False)
    names = [f"{endpoint.name}-{number}" for number in range(endpoint.replicas())]
    return {"items": [{"id": name, "state": endpoint.state} for name in names]}


async def _logs(world: World, request: web.Request) -> Any:
    _, endpoint = _endpoint(world, request, write=False)
    text = "".join(f"{line}\n" for line in _lines(request, endpoint))
    return web.Response(text=text)


async def _log_events(world: World, request: web.Request) -> Any:
    _, endpoint = _endpoint(world, request, write=False)
    events = "".join(f"data: {line}\n\n" for line in _lines(request, endpoint))
    return web.Response(text=events, content_type="text/event-stream")


def _lines(request: web.Request, endpoint: Endpoint) -> list[str]:
    tail = _number(request, "tail", len(endpoint.log))
    longest = _number(request, "line_max_length", _LONGEST_LINE)
    return [line[:longest] for line in endpoint.log[-tail:]] if tail > 0 else []


async def _catalogue(world: World, _request: web.Request) -> Any:
    return {"vendors": vendors(world.scenario.computes, None)}


async def _catalogue_of(world: World, request: web.Request) -> Any:
    _allowed(world, request, write=False)
    used = world.accelerators_used(request.match_info["account"])
    return {"vendors": vendors(world.scenario.computes, used)}


async def _quotas(world: World, request: web.Request) -> Any:
    _allowed(world, request, write=False)
    used = world.accelerators_used(request.match_info["account"])
    return {"vendors": quotas(world.scenario.computes, used)}


def _endpoint(world: World, request: web.Request, *, write: bool) -> tuple[Caller, Endpoint]:
    caller = _allowed(world, request, write=write)
    account, name = request.match_info["account"], request.match_info["name"]
    endpoint = world.endpoints.get(f"{account}/{name}")
    if endpoint is None:
        says = f"Endpoint {name} not found"
        raise RefusedError(404, says)
    return caller, endpoint


def _allowed(world: World, request: web.Request, *, write: bool) -> Caller:
    """Who asks, where they may; the API does not tell strangers which accounts there are."""
    if token(request) is None:
        raise RefusedError(401, "Unauthorized: no token was sent")
    caller = world.caller(request)
    if caller is None:
        raise RefusedError(401, "Unauthorized: Invalid credentials in Authorization header")
    account = request.match_info["account"]
    if account not in world.people.accounts or not world.people.may(
        caller, account, MANAGE, write=write
    ):
        says = f"Forbidden: missing permission {MANAGE} on {account}"
        raise RefusedError(403, says)
    return caller


def _check_quota(
    world: World, account: str, compute: Compute, body: Mapping[str, Any], *, but: str = ""
) -> None:
    used = world.accelerators_used(account, but=but).get(compute.instance_type, 0)
    wanted = compute.accelerators * int(body["compute"]["scaling"]["maxReplica"])
    if used + wanted > compute.quota:
        says = (
            f"Quota exceeded: {compute.instance_type} allows {compute.quota} accelerators,"
            f" {used} are used and {wanted} were asked for"
        )
        raise RefusedError(403, says)


def _compute(world: World, body: Mapping[str, Any]) -> Compute:
    compute = bodies.placed(world.scenario.computes, body)
    if isinstance(compute, str):
        raise RefusedError(400, f"Bad Request: {compute}")
    return compute


def _refuse(says: str | None) -> None:
    if says is not None:
        message = f"Bad Request: {says}"
        raise RefusedError(400, message)


async def _json(request: web.Request) -> Any:
    try:
        return json.loads(await request.text())
    except (ValueError, RecursionError):
        raise RefusedError(400, "Bad Request: the body is not JSON") from None


def _number(request: web.Request, key: str, default: int) -> int:
    try:
        return int(request.query.get(key, default))
    except ValueError:
        says = f"Bad Request: {key} must be a whole number"
        raise RefusedError(400, says) from None
