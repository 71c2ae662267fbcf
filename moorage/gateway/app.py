"""What a client meets: the endpoints, who may ask, what is refused, and a log line per request."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import time
import uuid
from collections.abc import Iterator
from http import HTTPStatus

import aiohttp
from aiohttp import web

from moorage.gateway.relay import Body, Call, Relay
from moorage.gateway.replies import REQUEST_ID, RequestError, json_reply
from moorage.gateway.routes import Routes, Service

MAX_BODY_BYTES = 32 << 20
MOST_VALUES = 2 << 20  # of a body: to read and write more of them would hold up everybody else
BODY_DEADLINE_S = 60.0
ANSWER_DEADLINE_S = 120.0  # for a client to read an answer that is not streamed
CLIENT_GONE = 499  # for the log only

RELAYED = {
    "/v1/chat/completions": "text-generation",
    "/v1/completions": "text-generation",
    "/v1/embeddings": "feature-extraction",
    "/v1/rerank": "text-ranking",
    "/v1/images/generations": "text-to-image",
}
METHODS = {"/health": "GET", "/v1/models": "GET"} | dict.fromkeys(RELAYED, "POST")

_SANE_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")

log = logging.getLogger("moorage.gateway")


class Gateway:
    def __init__(self, routes: Routes, relay: Relay) -> None:
        self.routes = routes  # replaced as a whole by a reload; a request keeps those it began with
        self._relay = relay

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request and write its line of the access log, whatever becomes of it."""
        started = time.monotonic()
        call = Call(request=request, id=_request_id(request))
        try:
            reply = await self._reply(call)
        except (asyncio.CancelledError, ConnectionError):
            call.status = CLIENT_GONE
            raise
        finally:
            _log(call, ms=1000 * (time.monotonic() - started))
        return reply

    async def _reply(self, call: Call) -> web.StreamResponse:
        try:
            reply = await self._answer(call)
        except RequestError as error:
            reply = error.reply()
        if not reply.prepared:
            reply.headers.update(call.headers())
        call.status = reply.status
        return reply

    async def _answer(self, call: Call) -> web.StreamResponse:
        routes = self.routes
        path = call.request.path
        _check_endpoint(call.request)
        if path == "/health":
            return json_reply({"status": "ok", "routes": routes.digest})
        services = _opened(routes, call.request)
        if path == "/v1/models":
            return json_reply(
                {"object": "list", "data": [*map(_model, services), *_adapters(services)]}
            )
        body = _parsed(await _read_body(call.request))
        service = _wanted(services, body.get("model"))
        call.service = service.name
        _check_task(service, path)
        return await self._relay.answer(call, service, body)


class Protocol(web.RequestHandler):
    """aiohttp's handling of one connection, which nobody can hold for ever by doing nothing.

    Faults are told in OpenAI's shape and in one log line.
    """

    __slots__ = ()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Close it when nobody asks anything: aiohttp sees to that after an answer only."""
        super().connection_made(transport)
        self._next_keepalive_close_time = self._loop.time() + self._keepalive_timeout
        self._keepalive_handle = self._loop.call_at(
            self._next_keepalive_close_time, self._process_keepalive
        )

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Send what is left of an answer, and hang up on a client that does not read it."""
        try:
            async with asyncio.timeout(ANSWER_DEADLINE_S):
                return await super().finish_response(request, resp, start_time)
        except TimeoutError:
            log.info("hung up on a client that does not read its answer")
            if self.transport:
                self.transport.abort()
            return resp, True

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002 - quotes the request, keys and all
    ) -> web.StreamResponse:
        if isinstance(exc, ConnectionError):
            raise exc  # the client is gone: nobody is left to answer
        call = Call(request=request, id=_request_id(request), status=status)
        if status < HTTPStatus.INTERNAL_SERVER_ERROR:
            says = "not a valid HTTP request, or a line of its head is above 8 KiB"
            log.info("refused a request id=%s status=%d: %s", call.id, status, says)
        else:
            says = f"the gateway failed on this request; its log has more under id {call.id}"
            log.error("internal error id=%s: %s", call.id, _where(exc))
        if request.writer.output_size > 0:
            raise ConnectionError(says)  # an answer has begun: nothing but closing is left
        reply = RequestError(HTTPStatus(status), says).reply()
        reply.headers.update(call.headers())
        reply.force_close()
        return reply


class Server(web.Server):
    def __call__(self) -> Protocol:
        return Protocol(self, loop=self._loop, **self._kwargs)


def _check_endpoint(request: web.BaseRequest) -> None:
    method = METHODS.get(request.path)
    if method is None:
        message = f"there is no such path here; there are {', '.join(METHODS)}"
        raise RequestError(HTTPStatus.NOT_FOUND, message, code="unknown_path")
    if request.method != method:
        raise RequestError(
            HTTPStatus.METHOD_NOT_ALLOWED,
            f"{request.path} takes {method} only",
            code="method_not_allowed",
            headers={"Allow": method},
        )


def _opened(routes: Routes, request: web.BaseRequest) -> tuple[Service, ...]:
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    services = routes.opened_by(key.strip()) if scheme.lower() == "bearer" else ()
    if not services:
        says = "the API key opens no service" if key else "an API key is needed"
        raise RequestError(
            HTTPStatus.UNAUTHORIZED,
            f"{says}; send it as 'Authorization: Bearer <key>'",
            code="invalid_api_key",
            headers={"WWW-Authenticate": "Bearer"},
        )
    return services


def _model(service: Service) -> Body:
    first, *aliases = service.models
    return {
        "id": first,
        "object": "model",
        "created": 0,
        "owned_by": "moorage",
        "aliases": aliases,
        "task": service.task,
    }


def _adapters(services: tuple[Service, ...]) -> Iterator[Body]:
    for service in services:
        for name in service.adapters:
            yield {**_model(service), "id": name, "aliases": [], "parent": service.models[0]}


async def _read_body(request: web.BaseRequest) -> bytes:
    if (request.content_length or 0) > MAX_BODY_BYTES:
        raise _too_large()
    if request.headers.get("Expect", "").lower() == "100-continue":
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0  # the answer has not begun
    try:
        async with asyncio.timeout(BODY_DEADLINE_S):
            return await _read_to_limit(request.content)
    except TimeoutError:
        message = f"the body did not arrive within {BODY_DEADLINE_S:g} s"
        raise RequestError(HTTPStatus.REQUEST_TIMEOUT, message) from None
    except web.RequestPayloadError:
        message = "the body is not encoded as its headers say"
        raise RequestError(HTTPStatus.BAD_REQUEST, message) from None


async def _read_to_limit(content: aiohttp.StreamReader) -> bytes:
    body = bytearray()
    async for chunk in content.iter_any():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise _too_large()
    return bytes(body)


def _too_large() -> RequestError:
    message = f"the body is larger than {MAX_BODY_BYTES >> 20} MiB"
    return RequestError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, message, code="body_too_large")


def _parsed(text: bytes) -> Body:
    if text.count(b",") > MOST_VALUES:
        message = f"the body has more than {MOST_VALUES} commas"
        raise RequestError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, message, code="body_too_large")
    try:
        body = json.loads(text, parse_constant=_refuse_constant)
    except RecursionError:
        raise RequestError(HTTPStatus.BAD_REQUEST, "the body is nested too deep") from None
    except ValueError:
        raise RequestError(HTTPStatus.BAD_REQUEST, "the body is not JSON") from None
    if not isinstance(body, dict):
        raise RequestError(HTTPStatus.BAD_REQUEST, "the body must be a JSON object")
    if not isinstance(body.get("stream"), bool | None):
        # Some engines would stream for a 1, and others would not.
        raise RequestError(HTTPStatus.BAD_REQUEST, "'stream' must be true or false")
    return body


def _refuse_constant(_: str) -> None:
    raise ValueError  # NaN and Infinity are Python's JSON only


def _wanted(services: tuple[Service, ...], model: object) -> Service:
    if not isinstance(model, str) or not model:
        message = "the body must name a 'model', as text"
        raise RequestError(HTTPStatus.BAD_REQUEST, message, code="model_missing")
    for service in services:
        if model in service.names:
            return service
    opened = ", ".join(name for each in services for name in (each.models[0], *each.adapters))
    message = f"this key opens no model of that name; it opens {opened}"
    raise RequestError(HTTPStatus.NOT_FOUND, message, code="model_not_found")


def _check_task(service: Service, path: str) -> None:
    if service.task in RELAYED.values() and service.task != RELAYED[path]:
        message = f"'{service.name}' does {service.task}; {path} is for {RELAYED[path]}"
        raise RequestError(HTTPStatus.BAD_REQUEST, message, code="wrong_task")


def _request_id(request: web.BaseRequest) -> str:
    given = request.headers.get(REQUEST_ID, "")
    return given if _SANE_ID.fullmatch(given) else uuid.uuid4().hex


def _where(error: BaseException | None) -> str:
    """Name an error by kind and line; its message might quote a prompt."""
    trace = error.__traceback__ if error else None
    while trace and trace.tb_next:
        trace = trace.tb_next
    place = f" at {trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else ""
    return f"{type(error).__name__}{place}"


def _log(call: Call, *, ms: float) -> None:
    request = call.request
    failed = f' failed="{"; ".join(call.failed)}"' if call.failed else ""
    log.info(
        "%s %s service=%s status=%d backend=%s ms=%.1f attempts=%d id=%s%s",
        request.method,
        request.rel_url.raw_path[:200],
        call.service,
        call.status,
        call.backend,
        ms,
        call.attempts,
        call.id,
        failed,
    )
