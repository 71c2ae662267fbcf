"""One client's request, relayed to the first backend that answers, in the order of the routes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from http import HTTPStatus

from aiohttp import web
from aiohttp.typedefs import LooseHeaders

from moorage.gateway import ranking, sse
from moorage.gateway.faults import BackendError, of_body
from moorage.gateway.health import Health
from moorage.gateway.ranking import Ranking
from moorage.gateway.replies import BACKEND, REQUEST_ID, SERVER, RequestError, error_object
from moorage.gateway.routes import RERANK, Backend, Service
from moorage.gateway.upstream import Upstream, UpstreamClient

MAX_HELD_BYTES = 1 << 20  # of a stream that has not said anything yet
MAX_EVENT_BYTES = 32 << 20
LARGE_BYTES = 4 << 20  # of an answer: to parse a larger one would hold up everybody else
LAST_WORD_S = 1.0  # for the error event at the end of a stream's total time

Body = dict[str, object]


@dataclass(slots=True, kw_only=True)
class Call:
    """One request on its way, and what the access log will say of it."""

    request: web.BaseRequest
    id: str
    service: str = "-"
    backend: str = "-"
    status: int = HTTPStatus.INTERNAL_SERVER_ERROR
    attempts: int = 0
    failed: list[str] = field(default_factory=list)

    def headers(self) -> dict[str, str]:
        return {REQUEST_ID: self.id, **SERVER}


class Relay:
    def __init__(self, client: UpstreamClient, health: Health) -> None:
        self._client = client
        self._health = health

    async def answer(self, call: Call, service: Service, body: Body) -> web.StreamResponse:
        """Ask backend after backend; nothing reaches the client before one has answered."""
        clock = asyncio.get_running_loop().time
        backends = service.serving(str(body["model"]))
        deadline = clock() + max(each.timeouts.total_s for each in backends)
        errors: list[BackendError] = []
        for backend in self._health.order(backends):
            if clock() >= deadline:
                break
            try:
                with self._health.trial(backend):
                    return await self._attempt(call, backend, body, deadline)
            except BackendError as error:
                errors.append(error)
                self._note(call, backend, error)
        raise _nobody_answered(service, call, errors, untried=len(backends) - len(errors))

    async def _attempt(
        self, call: Call, backend: Backend, body: Body, deadline: float
    ) -> web.StreamResponse:
        path, model = call.request.path.removeprefix("/v1"), backend.called(str(body["model"]))
        wish = ranking.read(body) if path == RERANK and backend.ranks else None
        content = _encoded(wish.asked() if wish else {**body, "model": model})
        call.attempts += 1
        upstream = await self._client.post(
            backend,
            path,
            content,
            request_id=call.id,
            deadline=deadline,
        )
        try:
            upstream.refuse_failed_status()
            if body.get("stream") is True and upstream.is_event_stream:
                return await self._pour(call, backend, upstream)
            if wish and upstream.status < HTTPStatus.BAD_REQUEST:
                return await self._pass_ranking(call, backend, upstream, wish, model)
            return await self._pass_whole(call, backend, upstream)
        finally:
            upstream.release()

    async def _pass_whole(
        self, call: Call, backend: Backend, upstream: Upstream
    ) -> web.StreamResponse:
        answer = await upstream.read_all()
        if upstream.status < HTTPStatus.BAD_REQUEST:
            _refuse_broken(answer)
        else:
            _refuse_its_own_fault(answer)
        headers = self._answered(call, backend, upstream)
        return web.Response(status=upstream.status, body=answer, headers=headers)

    async def _pass_ranking(
        self, call: Call, backend: Backend, upstream: Upstream, wish: Ranking, model: str
    ) -> web.StreamResponse:
        answer = wish.told(
            await upstream.read_all(),
            name=f"rerank-{call.id}",
            model=model,
            tokens=upstream.header("x-compute-tokens"),
        )
        headers = self._answered(call, backend, upstream)
        return web.Response(status=upstream.status, body=answer, headers=headers)

    async def _pour(self, call: Call, backend: Backend, upstream: Upstream) -> web.StreamResponse:
        """Pass a stream on as it comes, once it has begun to say something."""
        events = sse.Splitter()
        head = await _head(upstream, events)
        headers = self._answered(call, backend, upstream)
        reply = web.StreamResponse(status=upstream.status, headers=headers)
        await reply.prepare(call.request)
        async with _while_it_reads(call.request, until=upstream.ends_at + LAST_WORD_S):
            try:
                await _pour_all(upstream, events, reply, head)
            except BackendError as error:
                self._note(call, backend, error)
                await reply.write(_last_word(f"{backend.name} {error}"))
        return reply

    def _answered(self, call: Call, backend: Backend, upstream: Upstream) -> LooseHeaders:
        self._health.answered(backend)
        call.backend = backend.name
        call.status = upstream.status
        return upstream.headers({**call.headers(), BACKEND: backend.name})

    def _note(self, call: Call, backend: Backend, error: BackendError) -> None:
        call.failed.append(f"{backend.name} {error}")
        if error.transport:
            self._health.failed(backend)
        else:
            self._health.answered(backend)


async def _head(upstream: Upstream, events: sse.Splitter) -> bytes:
    """Read a stream up to its first content or its end; until then another backend can do it."""
    held = b""
    while chunk := await upstream.read_first():
        news = _feed(events, chunk)
        held += news
        kind = sse.first_of_weight(news)
        if kind is sse.Kind.ERROR:
            raise BackendError("error event")
        if kind is sse.Kind.BROKEN:
            raise BackendError("stream is not JSON events")
        if kind is not sse.Kind.PRELUDE or len(held) > MAX_HELD_BYTES:
            return held
    if end := events.end():
        return held + end
    raise BackendError("stream ended without content", transport=True)


async def _pour_all(
    upstream: Upstream, events: sse.Splitter, reply: web.StreamResponse, head: bytes
) -> None:
    await reply.write(head)
    done = sse.ends_done(head)
    while not done and (chunk := await upstream.read_next()):
        if news := _feed(events, chunk):
            await reply.write(news)
            done = sse.ends_done(news)
    if done:
        await upstream.drain()
    elif end := events.end():
        await reply.write(end)
    else:
        raise BackendError("ended before it was done", transport=True)


def _feed(events: sse.Splitter, chunk: bytes) -> bytes:
    news = events.feed(chunk)
    if len(events.rest) > MAX_EVENT_BYTES:
        raise BackendError("event without an end")
    return news


def _last_word(says: str) -> bytes:
    """Tell a client that its stream was cut; no [DONE] follows."""
    error = error_object(f"the stream was cut: {says}", kind="backend_error", code="stream_cut")
    return sse.error_event(error)


@asynccontextmanager
async def _while_it_reads(client: web.BaseRequest, *, until: float) -> AsyncIterator[None]:
    """Hang up on a client that lets a write wait: reads of a backend end earlier by themselves."""
    try:
        async with asyncio.timeout_at(until):
            yield
    except TimeoutError:
        if client.transport:
            client.transport.abort()
        raise ConnectionResetError("the client reads no more") from None


def _encoded(body: Body) -> bytes:
    try:
        return json.dumps(body, allow_nan=False).encode()
    except (ValueError, RecursionError):
        message = "the body holds a number out of range, or is nested too deep"
        raise RequestError(HTTPStatus.BAD_REQUEST, message) from None


def _refuse_broken(answer: bytes) -> None:
    if len(answer) > LARGE_BYTES:
        if not (answer.lstrip().startswith(b"{") and answer.rstrip().endswith(b"}")):
            raise BackendError("answer is not a JSON object")
        return
    try:
        body = json.loads(answer)
    except (ValueError, RecursionError):
        raise BackendError("answer is not JSON") from None
    if not isinstance(body, dict):
        raise BackendError("answer is not a JSON object")
    if body.get("error"):
        raise BackendError("answered 200 with an error")


def _refuse_its_own_fault(answer: bytes) -> None:
    with suppress(ValueError, RecursionError):
        if error := of_body(json.loads(answer)):
            raise error


def _nobody_answered(
    service: Service, call: Call, errors: list[BackendError], *, untried: int
) -> RequestError:
    says = f"no backend of '{service.name}' answered: {', '.join(call.failed)}"
    statuses = {error.status for error in errors}
    status = statuses.pop() if len(statuses) == 1 else HTTPStatus.BAD_GATEWAY
    if untried:
        status = HTTPStatus.GATEWAY_TIMEOUT
        says += f"; no time was left for {untried} more"
    again_s = min((error.again_s for error in errors), default=1)
    headers = {"Retry-After": str(again_s)}
    return RequestError(status, says, code="no_backend_answered", headers=headers)
