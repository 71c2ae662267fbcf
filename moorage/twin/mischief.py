"""What a twin writes down of every request, and the faults that it was told to have."""

from __future__ import annotations

import asyncio
import json
import re
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from moorage.twin.scenario import Fault

CONTROL = "/_twin/"


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """One request that came in; `token_of` is the user whose token it carried."""

    host: str  # hub, endpoints, router or engines
    method: str
    path: str
    query: str = ""
    token_of: str = ""
    token: str = ""  # a twin's tokens are no secrets
    at_s: float = 0.0


class Faults:
    """The faults to come; each is used up by the requests that it strikes."""

    def __init__(self, faults: Sequence[Fault] = ()) -> None:
        self._lock = threading.Lock()
        self._left: list[_Armed] = []
        self.extend(faults)

    def append(self, fault: Fault) -> None:
        """One more fault."""
        with self._lock:
            self._left.append(_Armed(fault=fault, skip=fault.after, left=fault.times))

    def extend(self, faults: Sequence[Fault]) -> None:
        """More faults."""
        for fault in faults:
            self.append(fault)

    def clear(self) -> None:
        """No fault any more."""
        with self._lock:
            self._left.clear()

    def __len__(self) -> int:
        return len(self._left)

    def strike(self, host: str, method: str, path: str) -> Fault | None:
        """The first fault that is meant for this request."""
        with self._lock:
            for armed in self._left:
                if not armed.matches(host, method, path):
                    continue
                if armed.skip > 0:
                    armed.skip -= 1
                    continue
                self._use(armed)
                return armed.fault
        return None

    def _use(self, armed: _Armed) -> None:
        if armed.left is not None:
            armed.left -= 1
            if armed.left <= 0:
                self._left.remove(armed)


@dataclass(kw_only=True, slots=True, eq=False)
class _Armed:
    fault: Fault
    skip: int
    left: int | None

    def matches(self, host: str, method: str, path: str) -> bool:
        fault = self.fault
        return (
            fault.host in ("", host)
            and fault.method.upper() in ("", method)
            and re.search(fault.path, path) is not None
        )


def watched(
    host: str,
    *,
    note: Callable[[str, web.Request], None],
    refuse: Callable[[str, web.Request], web.Response | None],
    faults: Faults,
) -> Any:
    """A middleware that notes every request to a host, refuses some and strikes others."""

    @web.middleware
    async def middleware(request: web.Request, handler: Any) -> web.StreamResponse:
        if request.path.startswith(CONTROL):
            return await _answered(request, handler)
        note(host, request)
        refusal = refuse(host, request)
        if refusal is not None:
            return refusal
        fault = faults.strike(host, request.method, request.path)
        if fault is None:
            return await _answered(request, handler)
        await asyncio.sleep(fault.delay_s)
        return await _struck(fault, request, handler)

    return middleware


async def _struck(fault: Fault, request: web.Request, handler: Any) -> web.StreamResponse:
    if fault.does == "answer":
        return web.Response(
            status=fault.status, headers=fault.headers, **_body(fault.body, fault.status)
        )
    if fault.does == "drop":
        return _lost(request)
    await request.read()
    answer = await _answered(request, handler)
    if fault.does == "lose":
        return _lost(request)
    return _garbage(answer) if fault.does == "garbage" else answer


async def _answered(request: web.Request, handler: Any) -> web.StreamResponse:
    try:
        answer: web.StreamResponse = await handler(request)
    except ConnectionResetError:  # who asked has hung up; there is nobody to tell
        return _lost(request)
    return answer


def _lost(request: web.Request) -> web.StreamResponse:
    """As a lost connection looks to the client."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


def _garbage(answer: web.StreamResponse) -> web.StreamResponse:
    text = "<html><body>upstream connect error or disconnect/reset before headers</body>"
    return web.Response(status=answer.status, text=text, content_type="text/html")


def _body(body: Any, status: int) -> dict[str, Any]:
    if isinstance(body, str):
        return {"text": body}
    says = {"error": f"the twin was told to answer {status}"} if body is None else body
    return {"text": json.dumps(says), "content_type": "application/json"}
