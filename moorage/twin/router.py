"""The twin of the router to Inference Providers: chat by model and policy, other tasks by route."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, unquote

from aiohttp import web

from moorage.twin import openai, routed, words
from moorage.twin.people import ROUTE, Account, Caller
from moorage.twin.repos import Stored
from moorage.twin.world import World

POLICIES: Final = ("fastest", "cheapest", "preferred")
BILL_TO: Final = "X-HF-Bill-To"
SERVED_BY: Final = "X-Inference-Provider"
_CHAT: Final = "conversational"
_HF: Final = "hf-inference"
_PAYING_PLANS: Final = ("team", "enterprise")
_GROUP_PLANS: Final = ("enterprise",)
_DEPLETED: Final = (
    "You have depleted your monthly included credits. Purchase pre-paid credits to continue using"
    " Inference Providers."
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Way:
    """One provider's offer of one model."""

    provider: str
    model: str
    row: Mapping[str, Any]

    @property
    def own_id(self) -> str:
        """The provider's own name of the model."""
        return str(self.row.get("providerId", self.model))

    @property
    def task(self) -> str:
        """What it is offered for."""
        return str(self.row.get("task", _CHAT))

    @property
    def is_live(self) -> bool:
        """Whether the periodic validation found it well."""
        return bool(self.row.get("status") == "live")


class RefusedError(Exception):
    """A refusal in one of the router's two shapes: a text, or an object."""

    def __init__(self, status: int, error: Any) -> None:
        super().__init__(str(error))
        self.status, self.error = status, error


def add_routes(app: web.Application, world: World) -> None:
    """The list of models, chat, and the pass-through routes of every provider."""
    routed.add_routes(app, world.hub.repos)
    app.router.add_post("/v1/chat/completions", _answering(world, _chat))
    app.router.add_post(f"/{_HF}/models/{{id:[^/]+/[^/]+}}", _answering(world, _hf_inference))
    pipeline = f"/{_HF}/models/{{id:[^/]+/[^/]+}}/pipeline/{{task}}"
    app.router.add_post(pipeline, _answering(world, _hf_inference))
    app.router.add_get("/fal-ai/files/{prompt}.png", _picture)
    app.router.add_post("/fal-ai/{id:.+}", _answering(world, _fal))
    app.router.add_post("/{provider}/{path:.+}", _answering(world, _passed_through))


def _answering(world: World, function: Any) -> Any:
    async def handler(request: web.Request) -> web.StreamResponse:
        try:
            answer: web.StreamResponse = await function(world, request)
        except RefusedError as refused:
            return web.json_response({"error": refused.error}, status=refused.status)
        except openai.WrongError as wrong:
            return wrong.reply()
        return answer

    return handler


async def _chat(world: World, request: web.Request) -> web.StreamResponse:
    payer = _payer(world, request)
    body = await openai.parsed(request)
    way = _chosen(world, str(body.get("model") or ""), payer)
    return await _said(world, request, body, way)


async def _passed_through(world: World, request: web.Request) -> web.StreamResponse:
    """A provider's own API, with its own name of the model."""
    payer = _payer(world, request)
    provider, path = request.match_info["provider"], request.match_info["path"]
    if not any(provider in stored.repo.providers for stored in world.hub.repos.values()):
        raise RefusedError(404, "Not Found")
    body = await openai.parsed(request)
    way = _own(world, provider, str(body.get("model") or ""), payer)
    if path.endswith("v1/chat/completions") and way.task == _CHAT:
        return await _said(world, request, body, way)
    _check_up(world, way)
    if path.endswith("v1/embeddings") and way.task == "feature-extraction":
        return await openai.embed(request, body, _model(world, way))
    if path.endswith("v1/images/generations") and way.task == "text-to-image":
        picture = base64.b64encode(words.picture(str(body.get("prompt")))).decode()
        return web.json_response({"data": [{"b64_json": picture}]})
    raise RefusedError(404, "Not Found")


async def _hf_inference(world: World, request: web.Request) -> web.StreamResponse:
    payer = _payer(world, request)
    way = _own(world, _HF, request.match_info["id"], payer)
    _check_up(world, way)
    given = (await openai.parsed(request)).get("inputs")
    if given is None:
        raise RefusedError(400, "inputs: missing field")
    if way.task == "text-to-image":
        return web.Response(body=words.picture(str(given)), content_type="image/png")
    if way.task in openai.EMBEDDING_TASKS:
        texts = given if isinstance(given, list) else [given]
        return web.json_response([words.vector(str(text)) for text in texts])
    return web.json_response([{"generated_text": words.answer(str(given)).text}])


async def _fal(world: World, request: web.Request) -> web.StreamResponse:
    payer = _payer(world, request)
    way = _own(world, "fal-ai", request.match_info["id"], payer)
    _check_up(world, way)
    prompt = str((await openai.parsed(request)).get("prompt"))
    name = quote(prompt, safe="", errors="surrogatepass")
    url = f"{world.urls['router']}/fal-ai/files/{name}.png"
    return web.json_response({"images": [{"url": url, "content_type": "image/png"}]})


async def _picture(request: web.Request) -> web.StreamResponse:
    prompt = unquote(request.match_info["prompt"])
    return web.Response(body=words.picture(prompt), content_type="image/png")


async def _said(
    world: World, request: web.Request, body: Mapping[str, Any], way: Way
) -> web.StreamResponse:
    _check_up(world, way)
    answer = openai.chat(request, body, _model(world, way))
    if body.get("stream"):
        return await answer
    try:
        return await asyncio.wait_for(answer, world.scenario.router_longest_s)
    except TimeoutError:
        raise RefusedError(504, "Gateway Timeout") from None


def _payer(world: World, request: web.Request) -> Account:
    """Who pays: the caller, or the organisation that a header names."""
    caller = world.caller(request)
    if caller is None:
        raise RefusedError(401, "Invalid credentials in Authorization header")
    account = _billed(world, caller, request.headers.get(BILL_TO))
    token = caller.token
    if token.role == "fineGrained" and not world.people.may(caller, account.name, ROUTE):
        says = (
            "This authentication method does not have sufficient permissions to call Inference"
            f" Providers on behalf of {account.kind} {account.name}"
        )
        raise RefusedError(403, says)
    if not account.credits_left:
        raise RefusedError(402, _DEPLETED)
    return account


def _billed(world: World, caller: Caller, name: str | None) -> Account:
    if not name:
        return caller.user
    groups = world.scenario.groups
    owner = next((org for org, ids in groups.items() if name in ids), None)  # of a resource group
    account = world.people.accounts.get(owner or name)
    if account is None or not world.people.belongs(caller.user, account.name):
        says = f"{caller.user.name} is not allowed to bill {name}"
        raise RefusedError(403, says)
    plans = _GROUP_PLANS if owner else _PAYING_PLANS
    if account.kind == "org" and account.plan not in plans:
        wanted = " or ".join(plan.capitalize() for plan in plans)
        says = f"{account.name} has no {wanted} plan, which it takes to bill {name}"
        raise RefusedError(403, says)
    return account


def _chosen(world: World, asked: str, payer: Account) -> Way:
    """The provider of a chat: pinned, or the first of the live ones by a policy."""
    model, _, suffix = asked.partition(":")
    ways = [way for way in _ways(world, model, payer) if way.task == _CHAT]
    if suffix and suffix not in POLICIES:
        ways = [way for way in ways if way.provider == suffix]
    live = [way for way in ways if way.is_live]
    if not live:
        raise RefusedError(400, _unsupported(asked))
    order = {"fastest": _throughput, "cheapest": _output_price}
    return min(live, key=order.get(suffix or "fastest", _as_given))


def _own(world: World, provider: str, own_id: str, payer: Account) -> Way:
    for stored in world.hub.repos.values():
        for way in _ways(world, stored.id, payer):
            if way.provider == provider and own_id in (way.own_id, way.model):
                return way
    says = f"Model not supported by provider {provider}"
    raise RefusedError(400, says)


def _ways(world: World, model: str, payer: Account) -> Iterable[Way]:
    stored: Stored | None = world.hub.repos.get(model)
    rows = stored.repo.providers if stored else {}
    for provider, row in rows.items():
        if provider not in payer.bans_providers:
            yield Way(provider=provider, model=model, row=row)


def _check_up(world: World, way: Way) -> None:
    """A provider that fails now is not gone around: validation is periodic."""
    status = world.scenario.providers_failing.get(way.provider)
    if status is not None:
        says = f"{way.provider} answers {status}"
        raise RefusedError(status, {"message": says, "type": "provider_error", "code": status})


def _model(world: World, way: Way) -> openai.Model:
    context = way.row.get("context_length")
    return openai.Model(
        name=way.own_id,
        speed=world.scenario.speed,
        context_tokens=int(context) if context else 8192,
        headers={SERVED_BY: way.provider},
    )


def _throughput(way: Way) -> float:
    return -float(way.row.get("throughput", 0))


def _output_price(way: Way) -> float:
    pricing = way.row.get("pricing")
    return float(pricing["output"]) if pricing else float("inf")


def _as_given(_way: Way) -> float:
    return 0.0


def _unsupported(asked: str) -> dict[str, Any]:
    return {
        "message": f"The requested model '{asked}' is not supported by any provider you have"
        " enabled.",
        "type": "invalid_request_error",
        "param": "model",
        "code": "model_not_supported",
    }
