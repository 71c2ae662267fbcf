"""The engines behind the endpoints, and the proxy in front of them that knows states and tokens."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

from aiohttp import web

from moorage.twin import openai, words
from moorage.twin.body import variant
from moorage.twin.desk import token
from moorage.twin.endpoint import Endpoint
from moorage.twin.people import INFER
from moorage.twin.world import World

_LOOK_S: Final = 0.01
_HOLD: Final = "X-Scale-Up-Timeout"
_NAMED_BY: Final = {
    "llamacpp": ("--alias", "-a"),
    "vLLM": ("--served-model-name",),
    "sGLang": ("--served-model-name",),
}
_TOOLKITS: Final = ("huggingface", "huggingfaceNeuron")
_NOT_OF_TEI: Final = ("v1/models", "v1/rerank")
_TEI_ALONE: Final = ("predict",)
_ANY_NAME: Final = ("llamacpp", "tei", "custom")  # serve whatever name is sent
_ROUTES: Final = {
    "predict": (("text-classification",), openai.predict),
    **{path: (tasks, function) for path, tasks, function in openai.task_routes()},
}


def add_routes(app: web.Application, world: World) -> None:
    """Everything below /<account>/<name>, the address of an endpoint."""

    async def handler(request: web.Request) -> web.StreamResponse:
        return await _proxied(world, request)

    app.router.add_route("*", "/{account}/{name}", handler)
    app.router.add_route("*", "/{account}/{name}/{path:.*}", handler)


async def _proxied(world: World, request: web.Request) -> web.StreamResponse:
    key = f"{request.match_info['account']}/{request.match_info['name']}"
    endpoint = world.endpoints.get(key)
    if endpoint is None or endpoint.body.get("privateService"):
        return _error(404, "Not Found")
    closed = _closed(world, request, endpoint)
    if closed is not None:
        return closed
    if endpoint.state == "paused":
        return _error(400, "Bad Request: Invalid state")
    if not endpoint.is_loaded and not await _held(request, endpoint):
        return _unready(endpoint)
    return await _served(world, request, endpoint)


def _closed(world: World, request: web.Request, endpoint: Endpoint) -> web.Response | None:
    """The refusal of who may not call it; that is no activity and wakes nothing."""
    if endpoint.body["type"] == "public":
        return None
    caller = world.caller(request)
    if caller is None:
        sent = "invalid" if token(request) else "missing"
        return _error(401, f"Unauthorized: {sent} token", code="UNAUTHORIZED")
    allowed = (
        world.people.may_call_any(caller)
        if endpoint.body["type"] == "authenticated"
        else world.people.may_call(caller, endpoint.account)
    )
    if not allowed:
        return _error(403, f"Forbidden: missing permissions: {INFER}", code="FORBIDDEN")
    return None


async def _held(request: web.Request, endpoint: Endpoint) -> bool:
    """Wake it; with the header, wait so long until it serves."""
    endpoint.wake()
    end_s = time.monotonic() + _seconds(request.headers.get(_HOLD, ""))
    while not endpoint.is_loaded and time.monotonic() < end_s:  # noqa: ASYNC110  time may be driven
        await asyncio.sleep(_LOOK_S)
    return endpoint.is_loaded


def _unready(endpoint: Endpoint) -> web.Response:
    if endpoint.state == "running":
        return _error(503, "Service Unavailable: the model is loading", code="LOADING")
    return _error(503, f"Service Unavailable: endpoint is {endpoint.state}")


async def _served(world: World, request: web.Request, endpoint: Endpoint) -> web.StreamResponse:
    endpoint.used()
    endpoint.serving += 1
    try:
        return await _engine(world, request, endpoint)
    except openai.WrongError as wrong:
        return wrong.reply()
    finally:
        endpoint.serving -= 1
        endpoint.last_used_s = world.clock.now_s()


async def _engine(world: World, request: web.Request, endpoint: Endpoint) -> web.StreamResponse:
    path = request.match_info.get("path", "")
    model = _model(world, endpoint)
    if request.method in ("GET", "HEAD"):
        return _told(path, endpoint, model)
    tasks, function = _ROUTES.get(path, ((), None))
    if variant(endpoint.body) in _TOOLKITS:
        return await _toolkit(request, path, model)
    if function is None or not _has(path, endpoint) or model.task not in tasks:
        return _error(404, "Not Found")
    body = await openai.parsed(request)
    if variant(endpoint.body) not in _ANY_NAME:
        openai.check_model(body, model)
    answer: web.StreamResponse = await function(request, body, model)
    return answer


def _has(path: str, endpoint: Endpoint) -> bool:
    """Whether an engine of its kind has the path for any task."""
    return path not in (_NOT_OF_TEI if variant(endpoint.body) == "tei" else _TEI_ALONE)


def _told(path: str, endpoint: Endpoint, model: openai.Model) -> web.StreamResponse:
    if f"/{path}" == endpoint.body["healthRoute"]:
        return web.json_response({"status": "ok"})
    is_toolkit = variant(endpoint.body) in _TOOLKITS
    if path == "v1/models" and not is_toolkit and _has(path, endpoint):
        return web.json_response(openai.models(model))
    if path == "" and is_toolkit:
        return web.json_response({"status": "ok"})
    return _error(404, "Not Found")


async def _toolkit(request: web.Request, path: str, model: openai.Model) -> web.StreamResponse:
    """The Inference Toolkit's own form: inputs in, the task's answer out; nothing below /v1."""
    if path:
        return _error(404, "Not Found")
    body = await openai.parsed(request)
    given = body.get("inputs")
    if given is None:
        raise openai.WrongError(400, "inputs: missing field")
    text = given if isinstance(given, str) else str(given)
    if model.task == "text-to-image":
        return web.Response(body=words.picture(text), content_type="image/png")
    if model.task in openai.EMBEDDING_TASKS:
        texts = given if isinstance(given, list) else [text]
        return web.json_response([words.vector(str(one)) for one in texts])
    return web.json_response([{"generated_text": words.answer(text).text}])


def _model(world: World, endpoint: Endpoint) -> openai.Model:
    model = endpoint.body["model"]
    args = [str(one) for one in model.get("args") or ()]
    context = _argument(args, ("--max-model-len", "--context-length", "--ctx-size"))
    return openai.Model(
        name=served_name(endpoint.body),
        task=model["task"],
        speed=world.scenario.speed,
        context_tokens=int(context) if context and context.isdigit() else 8192,
    )


def served_name(body: Mapping[str, Any]) -> str:
    """The name that /v1/models tells: an argument's, llama.cpp's file, else the repository."""
    kind, model = variant(body), body["model"]
    args = [str(one) for one in model.get("args") or ()]
    named = _argument(args, _NAMED_BY.get(kind, ("--served-model-name",)))
    if kind == "llamacpp":
        alias = named or (model.get("env") or {}).get("LLAMA_ARG_ALIAS")
        return str(alias or f"/repository/{model['image'][kind]['modelPath']}")
    return str(named or model["repository"])


def _argument(args: Sequence[str], names: Sequence[str]) -> str | None:
    for at, one in enumerate(args):
        name, equals, value = one.partition("=")
        if name in names:
            return value if equals else next(iter(args[at + 1 : at + 2]), None)
    return None


def _seconds(text: str) -> float:
    with contextlib.suppress(ValueError):
        return max(float(text), 0.0)
    return 0.0


def _error(status: int, says: str, *, code: str = "") -> web.Response:
    told = {"error": says} | ({"code": code} if code else {})
    return web.json_response(told, status=status)
