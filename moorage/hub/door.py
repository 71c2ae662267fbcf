"""How the Hub is asked: bounded in time and in bytes, reads retried a little."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, NoReturn
from urllib.parse import quote

from moorage.hub.faults import give_up, refuse

if TYPE_CHECKING:
    from huggingface_hub.utils import httpx  # type: ignore[attr-defined]

DEADLINE_SECONDS: Final = 15.0  # of one request
TOTAL_SECONDS: Final = 120.0  # of everything that is asked about one model
JSON_BYTES: Final = 16 << 20  # a repository of 20,000 files has an answer of about 4 MB
FILE_BYTES: Final = 32 << 20  # the largest tokenizer.json is about half of it

_PAUSES_SECONDS = (0.3, 1.0)
_TRANSIENT = (429, 500, 502, 503, 504)
_PATIENCE_SECONDS = 10  # a Hub that asks for a longer pause has said that it will not answer
_SLOWEST = 4  # times the deadline, for an answer that has begun
_ERROR_BYTES = 1 << 16
_HALF = b"\\ud"  # how JSON escapes it
_OF_THE_BODY = ("content-encoding", "content-length", "transfer-encoding")


@dataclass(frozen=True, kw_only=True, slots=True)
class Repository:
    """A repository at a revision, as addresses say it."""

    id: str
    revision: str | None = None
    kind: str = "models"  # or datasets

    def file(self, name: str) -> str:
        """The path at which a file is read."""
        folder = "" if self.kind == "models" else f"{self.kind}/"
        revision = quote(self.revision or "main", safe="")
        return f"{folder}{self.id}/resolve/{revision}/{quote(name)}"

    @property
    def api(self) -> str:
        """The path at which its facts are asked."""
        at = f"/revision/{quote(self.revision, safe='')}" if self.revision else ""
        return f"api/{self.kind}/{self.id}{at}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Door:
    """An open way to the Hub, for one model, until a moment."""

    endpoint: str
    headers: Mapping[str, str] = field(repr=False)  # they hold the token
    deadline_s: float
    until: float  # on the monotonic clock

    def json(self, path: str, *, limit: int = JSON_BYTES, **query: Any) -> Any:
        """The JSON at a path; floats come as Decimal, for some of them are money."""
        content = self.content(path, limit=limit, **query)
        return parsed(content)

    def content(self, path: str, *, limit: int, **query: Any) -> bytes:
        """All that is at a path, at most `limit` bytes."""
        got = self._get(_Asked(path=path, stop=limit + 1, query=query))
        if len(got) > limit:
            refuse(f"{path}: longer than {limit} bytes, which is not read")
        return got

    def span(self, path: str, start: int, stop: int) -> bytes:
        """The bytes from `start` up to `stop`, fewer where the file ends before."""
        return self._get(_Asked(path=path, start=start, stop=stop, ranged=True))

    def _get(self, asked: _Asked) -> bytes:
        for pause in _PAUSES_SECONDS:
            try:
                return self._once(asked)
            except OSError as error:
                wanted = _wanted_pause_s(error)
                if wanted is None:
                    raise
            time.sleep(min(max(pause, wanted), self._left()))
        return self._once(asked)

    def _once(self, asked: _Asked) -> bytes:
        from huggingface_hub.utils import get_session  # type: ignore[attr-defined]  # made known lazily

        with get_session().stream(
            "GET",
            f"{self.endpoint}/{asked.path}",
            headers={**self.headers, **asked.headers},
            params=asked.query or None,
            timeout=min(self.deadline_s, self._left()),
        ) as response:
            if response.status_code == 416 and asked.start:
                return b""  # the file ends before
            if response.status_code >= 400:
                _refuse(response, self._read(response, _ERROR_BYTES))
            if response.status_code == 206:
                return self._read(response, asked.stop - asked.first(response))
            return self._read(response, asked.stop)[asked.start :]  # it knows no ranges

    def _read(self, response: httpx.Response, most: int) -> bytes:
        """A server may send more than was asked for, or a byte a second."""
        got = bytearray()
        end = min(self.until, time.monotonic() + _SLOWEST * self.deadline_s)
        for chunk in response.iter_bytes():
            got += chunk
            if len(got) >= most:
                break
            if time.monotonic() > end:
                give_up(f"the Hub ({self.endpoint}) answers too slowly; try again later")
        return bytes(got[:most])

    def _left(self) -> float:
        left = self.until - time.monotonic()
        if left <= 0:
            give_up(f"the Hub ({self.endpoint}) took too long; try again later")
        return left


@dataclass(frozen=True, kw_only=True, slots=True)
class _Asked:
    path: str
    start: int = 0
    stop: int
    ranged: bool = False
    query: Mapping[str, Any] = field(default_factory=dict)

    @property
    def headers(self) -> dict[str, str]:
        return {"Range": f"bytes={self.start}-{self.stop - 1}"} if self.ranged else {}

    def first(self, response: httpx.Response) -> int:
        """The place of the first byte of a part, which must be the one asked for."""
        if not response.headers.get("Content-Range", "").startswith(f"bytes {self.start}-"):
            message = "another part than the one asked for"
            raise ValueError(message)
        return self.start


def at(
    endpoint: str | None, token: str | None, deadline_s: float, total_s: float = TOTAL_SECONDS
) -> Door:
    """A door to an endpoint (None: HF_ENDPOINT or the Hub) with the usual token where none is."""
    from huggingface_hub import HfApi
    from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]  # made known lazily

    return Door(
        endpoint=HfApi(endpoint=endpoint).endpoint.rstrip("/"),
        headers=build_hf_headers(token=token),
        deadline_s=deadline_s,
        until=time.monotonic() + total_s,
    )


def parsed(content: bytes) -> Any:
    """JSON whose texts can be written again: half of a character is refused."""
    found = json.loads(content, parse_float=Decimal)
    if _HALF in content.lower():
        json.dumps(found, ensure_ascii=False, default=str).encode()
    return found


def _refuse(response: httpx.Response, body: bytes) -> NoReturn:
    """Raise the client's own error; it would read a body of any length, so it gets a short one."""
    from huggingface_hub.utils import hf_raise_for_status, httpx  # type: ignore[attr-defined]  # made known lazily

    told = {key: own for key, own in response.headers.items() if key.lower() not in _OF_THE_BODY}
    status = response.status_code
    hf_raise_for_status(
        httpx.Response(status, headers=told, content=body, request=response.request)
    )
    message = f"status {status}"
    raise ValueError(message)


def _wanted_pause_s(error: OSError) -> float | None:
    """How long to wait before asking again; None where that is of no use."""
    response = getattr(error, "response", None)
    if response is None or response.status_code not in _TRANSIENT:
        return None
    asked = response.headers.get("Retry-After", "0")
    seconds = float(asked) if asked.isdecimal() else 0.0
    return seconds if seconds <= _PATIENCE_SECONDS else None
