"""A proxy in front of moto: it counts what is asked, fills its gaps, and strikes as it is told.

Faults strike an action by its name: an error code, a lost answer, a dropped connection, a delay,
an answer that tells of nothing. `answers` are hooks that may rewrite whatever comes back.
"""

from __future__ import annotations

import http.client
import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, Literal
from urllib.parse import parse_qsl, urlsplit
from xml.sax.saxutils import escape

from tests.aws.gaps import Gaps, Refusal

_SCOPE: Final = re.compile(r"Credential=[^/]+/\d+/([^/]+)/([^/]+)/")
_READS: Final = ("Describe", "Get", "List")
_SETS: Final = {
    "DescribeInstances": "reservationSet",
    "DescribeSecurityGroups": "securityGroupInfo",
    "DescribeLaunchTemplates": "launchTemplates",
    "DescribeSubnets": "subnetSet",
    "DescribeImages": "imagesSet",
}
_TIMEOUT_S: Final = 30


@dataclass(frozen=True, kw_only=True)
class Call:
    """One request."""

    service: str
    region: str
    action: str
    body: bytes = field(repr=False)

    @property
    def is_write(self) -> bool:
        """Whether it changes anything."""
        return not self.action.startswith(_READS)

    @property
    def form(self) -> dict[str, Any]:
        """What it asks with."""
        if self.service == "ec2":
            return dict(parse_qsl(self.body.decode(), keep_blank_values=True))
        return dict(json.loads(self.body or b"{}"))


@dataclass(kw_only=True)
class Fault:
    """What happens to some calls: to `action` (any, where none is named), from `after` on."""

    does: Literal["refuse", "lose", "drop", "garbage", "empty", "delay"] = "refuse"
    code: str = ""
    words: str = "told to fail"
    status: int = 400
    action: str = ""
    after: int = 0
    times: int | None = None  # None: from then on always
    delay_s: float = 0.0
    when: Callable[[Call], bool] = lambda _call: True
    _seen: int = 0

    def strikes(self, call: Call) -> bool:
        """Whether it is this one's turn."""
        if self.action not in ("", call.action) or not self.when(call):
            return False
        self._seen += 1
        last = None if self.times is None else self.after + self.times
        return self._seen > self.after and (last is None or self._seen <= last)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What comes back."""

    status: int
    body: bytes = field(repr=False)
    kind: str = "text/xml"


Hook = Callable[[Call, Answer], Answer]


@dataclass(kw_only=True)
class Proxy:
    """Where AWS is asked."""

    moto: str
    url: str = ""
    calls: list[Call] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    answers: list[Hook] = field(default_factory=list)
    gaps: Gaps = field(default_factory=Gaps)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def writes(self) -> list[str]:
        """The actions that change something, in their order."""
        return [one.action for one in self.calls if one.is_write]

    def answer(self, call: Call, path: str, headers: dict[str, str]) -> Answer | None:
        """What the caller gets; None: its connection is dropped."""
        with self._lock:
            self.calls.append(call)
            fault = next((one for one in self.faults if one.strikes(call)), None)
        if fault is None:
            return self._hooked(call, self._done(call, path, headers))
        if fault.does == "delay":
            time.sleep(fault.delay_s)
            return self._hooked(call, self._done(call, path, headers))
        if fault.does == "lose":
            self._done(call, path, headers)
            return None
        return _struck(call, fault)

    def _hooked(self, call: Call, answer: Answer) -> Answer:
        for hook in self.answers:
            answer = hook(call, answer)
        return answer

    def _done(self, call: Call, path: str, headers: dict[str, str]) -> Answer:
        filled = self.gaps.before(call.region, call.body) if call.service == "ec2" else call.body
        if isinstance(filled, Refusal):
            return _refused(call, filled)
        known = self.gaps.known(call.body) if call.action == "RunInstances" else None
        if known is not None:
            return Answer(status=200, body=known)
        answer = _asked(self.moto, path, headers, filled)
        if call.service == "ec2" and answer.status < http.client.BAD_REQUEST:
            self.gaps.after(call.region, call.body, answer.body)
        return answer


def _struck(call: Call, fault: Fault) -> Answer | None:
    if fault.does == "drop":
        return None
    if fault.does == "garbage":
        return Answer(status=200, body=b"<html>Welcome to the captive portal")
    if fault.does == "empty":
        name = _SETS[call.action]
        return Answer(
            status=200, body=f"<{call.action}Response><{name}/></{call.action}Response>".encode()
        )
    refusal = Refusal(code=fault.code, words=fault.words, status=fault.status)
    return _refused(call, refusal)


def _refused(call: Call, refusal: Refusal) -> Answer:
    if call.service == "ec2":
        body = (
            f"<Response><Errors><Error><Code>{refusal.code}</Code><Message>"
            f"{escape(refusal.words)}</Message></Error></Errors></Response>"
        )
        return Answer(status=refusal.status, body=body.encode())
    told = {"__type": refusal.code, "message": refusal.words}
    return Answer(
        status=refusal.status, body=json.dumps(told).encode(), kind="application/x-amz-json-1.1"
    )


def _asked(moto: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
    place = urlsplit(moto)
    connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=_TIMEOUT_S)
    try:
        connection.request("POST", path, body, {**headers, "Content-Length": str(len(body))})
        answer = connection.getresponse()
        kind = answer.headers.get("Content-Type", "text/xml")
        return Answer(status=answer.status, body=answer.read(), kind=kind)
    finally:
        connection.close()


def call_of(headers: dict[str, str], body: bytes) -> Call:
    """What a request asks for."""
    scope = _SCOPE.search(headers.get("Authorization", ""))
    region, service = scope.groups() if scope else ("us-east-1", "ec2")
    target = headers.get("X-Amz-Target", "").rpartition(".")[2]
    action = target or dict(parse_qsl(body.decode(errors="replace"))).get("Action", "")
    return Call(service=service, region=region, action=action, body=body)


@contextmanager
def serve(moto: str) -> Iterator[Proxy]:
    """A proxy in front of a moto that listens already."""
    proxy = Proxy(moto=moto)
    with _Server(("127.0.0.1", 0), _door(proxy)) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        proxy.url = f"http://127.0.0.1:{server.server_port}"
        try:
            yield proxy
        finally:
            server.shutdown()
            thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, *_: object) -> None:
        """A caller that was killed."""


def _door(proxy: Proxy) -> type[BaseHTTPRequestHandler]:
    class Door(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name: one for name, one in self.headers.items() if name != "Content-Length"}
            answer = proxy.answer(call_of(headers, body), self.path, headers)
            if answer is None:
                self.close_connection = True
                return
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.kind)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    return Door
