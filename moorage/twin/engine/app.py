"""The engine's routes: OpenAI's, vLLM's own, and `/_twin/…`, by which a test makes it misbehave."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from aiohttp import web
from aiohttp.typedefs import Middleware

from moorage.twin import openai
from moorage.twin.engine import orders, page
from moorage.twin.engine.conduct import Conduct
from moorage.twin.engine.orders import Order
from moorage.twin.engine.seats import FullError, Seats

_GUARDED: Final = ("/v1", "/v2", "/inference", "/cohere")  # by the key; nothing else is
_MOST_BYTES: Final = 64 << 20

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(kw_only=True, slots=True)
class Engine:
    """One start of an engine: what it is, how it behaves, and what is the matter with it now."""

    order: Order
    conduct: Conduct
    seats: Seats
    is_loading: bool = False
    is_leaving: bool = False
    hangs: asyncio.Event = field(default_factory=asyncio.Event)
    recovers: asyncio.Event = field(default_factory=asyncio.Event)
    dies: asyncio.Event = field(default_factory=asyncio.Event)
    last_words: str = ""
    answered: int = 0

    def hang(self) -> None:
        """From now on nobody is answered; all that is no answer goes on as ever."""
        self.recovers.clear()
        self.hangs.set()

    def recover(self) -> None:
        """Answer again, those who still wait first."""
        self.hangs.clear()
        self.recovers.set()

    def die(self, says: str) -> None:
        """End with these words in the log."""
        self.last_words = says
        self.dies.set()

    @property
    def names(self) -> tuple[str, ...]:
        """Every name that can be asked for."""
        return *self.order.names, *self.order.adapters

    def model(self, name: str) -> openai.Model:
        """What answers under a name, its own or another's."""
        is_adapter = name in self.order.adapters
        return openai.Model(
            name=name if is_adapter else self.order.names[0],
            task=self.conduct.task,
            speed=self.conduct.speed,
            context_tokens=self.order.length_tokens,
            aborts=self.is_leaving,
        )


def make(engine: Engine) -> web.Application:
    """The application of an engine."""
    app = web.Application(
        middlewares=[_loading(engine), _guard(engine)], client_max_size=_MOST_BYTES
    )
    for path, tell in _told(engine).items():
        app.router.add_get(path, tell)
    for path, tasks, answer in openai.task_routes():
        if engine.conduct.task in tasks:
            app.router.add_post(f"/{path}", _answering(engine, answer))
    for name, act in _orders_of_tests(engine).items():
        app.router.add_post(f"/_twin/{name}", act)
    return app


def _told(engine: Engine) -> Mapping[str, Handler]:
    """What is told without being made; none of it notices that the engine hangs."""

    async def healthy(_request: web.Request) -> web.StreamResponse:
        return web.Response()

    async def version(_request: web.Request) -> web.StreamResponse:
        return web.json_response({"version": engine.conduct.version})

    async def metrics(_request: web.Request) -> web.StreamResponse:
        told = page.text(engine.order, engine.conduct, engine.seats)
        return web.Response(text=told, content_type="text/plain")

    async def models(_request: web.Request) -> web.StreamResponse:
        rows = [
            openai.models(engine.model(name))["data"][0] | {"id": name} for name in engine.names
        ]
        return web.json_response({"object": "list", "data": rows})

    common = {"/health": healthy, "/v1/models": models}
    only_vllm = {"/ping": healthy, "/version": version, "/metrics": metrics}
    return common | (only_vllm if engine.order.style == orders.VLLM else {})


def _orders_of_tests(engine: Engine) -> Mapping[str, Handler]:
    async def fail(request: web.Request) -> web.StreamResponse:
        engine.die(await request.text() or "RuntimeError: told to fail")
        return web.Response()

    async def hang(_request: web.Request) -> web.StreamResponse:
        engine.hang()
        return web.Response()

    async def recover(_request: web.Request) -> web.StreamResponse:
        engine.recover()
        return web.Response()

    return {"fail": fail, "hang": hang, "recover": recover}


def _answering(engine: Engine, answer: Any) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            return await _answered(engine, answer, request)
        except openai.WrongError as wrong:
            return wrong.reply()
        except FullError:
            full = openai.WrongError(503, "The server is overloaded.", "ServiceUnavailableError")
            return full.reply()

    return handle


async def _answered(engine: Engine, answer: Any, request: web.Request) -> web.StreamResponse:
    body = await openai.parsed(request)
    name = _asked(engine, body)
    async with engine.seats.one() as sitter:
        if engine.conduct.hangs_after is not None and engine.answered >= engine.conduct.hangs_after:
            engine.hang()
        if engine.hangs.is_set():
            await engine.recovers.wait()
        model = replace(engine.model(name), counts=sitter.counts)
        engine.answered += 1
        answered: web.StreamResponse = await answer(request, body, model)
        return answered


def _asked(engine: Engine, body: Mapping[str, Any]) -> str:
    """The name that is asked for; some engines take whatever is sent."""
    first = engine.order.names[0]
    name = body.get("model", first)
    if name in engine.names:
        return str(name)
    if engine.order.style == orders.VLLM:
        openai.check_model(body, engine.model(first))
    return first


def _guard(engine: Engine) -> Middleware:
    key = engine.order.key

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        sent = request.headers.get("Authorization", "")
        scheme, _, given = sent.partition(" ")
        is_open = key is None or not request.path.startswith(_GUARDED)
        if is_open or (scheme.lower() == "bearer" and _same(given, key)):
            return await handler(request)
        return web.json_response({"error": "Unauthorized"}, status=401)

    return guard


def _same(given: str, key: str | None) -> bool:
    return key is not None and hmac.compare_digest(
        given.encode("utf-8", "surrogateescape"), key.encode()
    )


def _loading(engine: Engine) -> Middleware:
    @web.middleware
    async def loading(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not engine.is_loading:
            return await handler(request)
        error = {"code": 503, "message": "Loading model", "type": "unavailable_error"}
        return web.json_response({"error": error}, status=503)

    return loading
