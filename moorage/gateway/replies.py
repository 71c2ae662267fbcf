"""What the gateway itself answers: errors in OpenAI's shape, and headers of its own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus

from aiohttp import web

REQUEST_ID = "x-request-id"
BACKEND = "x-moorage-backend"
SERVER = {"Server": "moorage"}


class RequestError(Exception):
    """A request that gets an error from the gateway itself; the message never quotes a key."""

    def __init__(
        self,
        status: HTTPStatus,
        message: str,
        *,
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.headers = headers or {}

    def reply(self) -> web.Response:
        error = error_object(str(self), kind=_kind(self.status), code=self.code)
        return json_reply({"error": error}, status=self.status, headers=self.headers)


def error_object(message: str, *, kind: str, code: str | None) -> dict[str, object]:
    return {"message": message, "type": kind, "param": None, "code": code}


def json_reply(
    body: object,
    *,
    status: HTTPStatus = HTTPStatus.OK,
    headers: Mapping[str, str] | None = None,
) -> web.Response:
    return web.Response(
        status=status,
        body=json.dumps(body).encode(),
        headers={"Content-Type": "application/json", **(headers or {})},
    )


def _kind(status: HTTPStatus) -> str:
    if status is HTTPStatus.UNAUTHORIZED:
        return "authentication_error"
    return "invalid_request_error" if status < HTTPStatus.INTERNAL_SERVER_ERROR else "backend_error"
