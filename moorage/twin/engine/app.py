"""The engine's routes: OpenAI's, vLLM's own, and `/_twin/…`, by which a test makes it misbehave."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any, Final

from aiohttp import web

from moorage.twin import openai
from moorage.twin.engine import page
from moorage.twin.engine.conduct import Conduct
from moorage.twin.engine.orders import Order
from moorage.twin.engine.seats import FullError, Seats

_GUARDED: Final = ("/v1", "/v2", "/inference", "/cohere")  # by the key; nothing else is
_ROUTES: Final = {f"/{path}": (tasks, answer) for path, tasks, answer in openai.task_routes()}
_ANY_NAME: Final = openai.EMBEDDING_TASKS  # text-embeddings-inference takes whatever is sent
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
    def models(self) -> tuple[str, ...]:
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
    app = web.Application(middlewares=[_loading(engine), _guard(engine)], client_max_size=_MOST_BYTES)
    app.router.add_get("/health", lambda _request: _later(web.Response()))
    app.router.add_get("/ping", lambda _request: _later(web.Response()))
    app.router.add_get("/version", lambda _request: _json({"version": engine.conduct.version}))
    app.router.add_get("/metrics", lambda _request: _later(_metrics(engine)))
    app.router.add_get("/v1/models", lambda _request: _json(_models(engine)))
    for path, (tasks, answer) in _ROUTES.items():
        if engine.conduct.task in tasks:
            app.router.add_post(path, _answering(engine, answer))
    _add_control(app, engine)
    return app


def _add_control(app: web.Application, engine: Engine) -> None:
    async def fail(request: web.Request) -> web.StreamResponse:
        engine.die(await request.text() or "RuntimeError: told to fail")
        return web.Response()

    async def hang(_request: web.Request) -> web.StreamResponse:
        engine.hang()
        return web.Response()

    async def recover(_request: web.Request) -> web.StreamResponse:
        engine.recover()
        return web.Response()

    for name, handler in {"fail": fail, "hang": hang, "recover": recover}.items():
        app.router.add_post(f"/_twin/{name}", handler)


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
