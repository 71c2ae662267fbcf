"""The way to the backends: one session, every step under a deadline, every failure translated."""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from dataclasses import dataclass
from types import SimpleNamespace

import aiohttp
from aiohttp.typedefs import LooseHeaders

from moorage.gateway.faults import BackendError, of_status, translated
from moorage.gateway.replies import REQUEST_ID
from moorage.gateway.routes import Backend

PROBE_DEADLINE_S = 2.0
DRAIN_S = 1.0  # after [DONE], for the end of the HTTP answer
STALE_TRIES = 3
STALE_S = 1.0  # one that was closed before says so at once

# Hop-by-hop headers (RFC 9110 7.6.1), what aiohttp sets anew, and what is between us and a backend.
_NOT_PASSED_BACK = frozenset({
    "connection", "keep-alive", "proxy-connection", "proxy-authenticate", "te", "trailer",
    "transfer-encoding", "upgrade", "content-length", "content-encoding", "date", "server",
    "alt-svc", "set-cookie", "www-authenticate",
    # where the backend is
    "location", "content-location", "link", "via", "nel", "report-to",
    "x-proxied-host", "x-proxied-path", "x-proxied-replica",
})  # fmt: skip


_CONTROLS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")  # no header that is written may have them


class UpstreamClient:
    """The session that all requests share: unlimited, no cookies, no redirects, no compression."""

    def __init__(self) -> None:
        tracing = aiohttp.TraceConfig()
        tracing.on_connection_reuseconn.append(_note_reuse)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": "moorage-gateway", "Accept-Encoding": "identity"},
            trace_configs=[tracing],
        )

    async def post(
        self, backend: Backend, path: str, body: bytes, *, request_id: str, deadline: float
    ) -> Upstream:
        """Send a request and return the answer once its headers are there."""
        now = asyncio.get_running_loop().time()
        ends_at = min(deadline, now + backend.timeouts.total_s)
        first_by = min(ends_at, now + backend.timeouts.first_byte_s)
        headers = {"Content-Type": "application/json", REQUEST_ID: request_id, **_own(backend)}
        with translated():
            async with asyncio.timeout_at(first_by):
                response = await self._post_anew_when_stale(backend, path, body, headers)
        return Upstream(
            response, stall_s=backend.timeouts.stall_s, first_by=first_by, ends_at=ends_at
        )

    async def _post_anew_when_stale(
        self, backend: Backend, path: str, body: bytes, headers: dict[str, str]
    ) -> aiohttp.ClientResponse:
        """Send again when a kept connection turns out closed: that says nothing of the backend.

        One that breaks later may have been worked on, and paid; that is a failure as any other.
        """
        connection = _Connection()
        for tries_left in reversed(range(STALE_TRIES)):
            connection.reused = False
            sent_at = asyncio.get_running_loop().time()
            try:
                return await self._session.post(
                    backend.at(path),
                    data=body,
                    headers=headers,
                    timeout=aiohttp.ClientTimeout(connect=backend.timeouts.connect_s),
                    allow_redirects=False,
                    trace_request_ctx=connection,
                )
            except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError):
                late_s = asyncio.get_running_loop().time() - sent_at
                if not tries_left or not connection.reused or late_s > STALE_S:
                    raise
        raise AssertionError

    async def probe(self, backend: Backend) -> bool:
        """Ask a backend for its models; any answer but a 5xx says that it is back."""
        timeout = aiohttp.ClientTimeout(total=PROBE_DEADLINE_S)
        with suppress(aiohttp.ClientError, OSError):
            async with self._session.get(
                f"{backend.url}/models",
                headers=_own(backend),
                timeout=timeout,
                allow_redirects=False,
                trace_request_ctx=_Connection(),
            ) as response:
                return response.status < 500
        return False

    async def close(self) -> None:
        await self._session.close()


class Upstream:
    """A backend's answer, open and read step by step."""

    def __init__(
        self,
        response: aiohttp.ClientResponse,
        *,
        stall_s: float,
        first_by: float,
        ends_at: float,
    ) -> None:
        self._response = response
        self._stall_s = stall_s
        self._first_by = first_by
        self.ends_at = ends_at

    @property
    def status(self) -> int:
        return self._response.status

    @property
    def is_event_stream(self) -> bool:
        return self.status == 200 and self._response.content_type == "text/event-stream"

    def header(self, name: str) -> str | None:
        return self._response.headers.get(name)

    def headers(self, own: dict[str, str]) -> LooseHeaders:
        """Return what may be passed back to the client, with our own put in."""
        headers = self._response.headers.copy()
        named = (name.strip() for name in headers.get("Connection", "").split(","))
        odd = (name for name, value in self._response.headers.items() if _CONTROLS.search(value))
        for name in _NOT_PASSED_BACK.union(named, odd):
            headers.popall(name, None)
        headers.update(own)
        return headers

    def refuse_failed_status(self) -> None:
        if error := of_status(self.status, self.header("Retry-After")):
            raise error

    async def read_first(self) -> bytes:
        """Read on before the first content; b"" is the end."""
        return await self._read(self._first_by, "timed out")

    async def read_next(self) -> bytes:
        return await self._read(asyncio.get_running_loop().time() + self._stall_s, "stalled")

    async def read_all(self) -> bytes:
        chunks = [await self.read_first()]  # some send their head early and think afterwards
        while chunks[-1]:
            chunks.append(await self.read_next())
        return b"".join(chunks)

    async def drain(self) -> None:
        """Read what follows a complete stream, so that the connection can be used again."""
        by = asyncio.get_running_loop().time() + DRAIN_S
        with suppress(BackendError):
            while await self._read(by, "stalled"):
                pass

    def release(self) -> None:
        """Give the connection back, or close it where the answer was not read to its end."""
        self._response.release()

    async def _read(self, by: float, late: str) -> bytes:
        with translated(late if by <= self.ends_at else "took too long"):
            async with asyncio.timeout_at(min(by, self.ends_at)):
                return await self._response.content.readany()


@dataclass(slots=True)
class _Connection:
    """What aiohttp's tracing tells of the connection that a request went over."""

    reused: bool = False


async def _note_reuse(
    _: aiohttp.ClientSession,
    context: SimpleNamespace,
    __: aiohttp.TraceConnectionReuseconnParams,
) -> None:
    context.trace_request_ctx.reused = True


def _own(backend: Backend) -> dict[str, str]:
    """What a backend gets with every request: its key, and the headers that its route names."""
    key = {"Authorization": f"Bearer {backend.api_key}"} if backend.api_key else {}
    return {**dict(backend.headers), **key}
