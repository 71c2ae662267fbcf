"""What Check and Diff of one resource cost of our own time: in this process, without transport."""

from __future__ import annotations

import gc
import time
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field, replace
from statistics import median
from typing import Any, Final

from clock import Line
from pace import machine, pace, told_limit

from moorage.provider.handler import Created, Handler
from moorage.provider.handlers import HANDLERS
from moorage.provider.protocol import provider_pb2
from moorage.provider.schema import Package
from moorage.provider.servicer import Provider
from moorage.provider.shape import TEXT, Field, Shape
from moorage.provider.values import Path, encode

LIMIT_MS: Final = 0.3  # at most
BATCHES: Final = 5
CALLS: Final = 500  # of each batch

_NUMBER: Final = Field(kind="number", doc="A number.")
_SECRET: Final = Field(kind="string", doc="A secret.", secret=True)
_WIDE: Final = Shape(
    doc="Twenty properties.",
    inputs={
        **{f"text{number}": TEXT for number in range(8)},
        **{f"count{n}": Field(kind="integer", doc="A count.", least=0) for n in range(4)},
        "flag": Field(kind="boolean", doc="A flag."),
        "key": _SECRET,
        "password": _SECRET,
        "tags": Field(kind="map", doc="Labels.", items=TEXT),
        "words": Field(kind="list", doc="Words."),
        "environment": Field(kind="map", doc="Variables.", secret=True),
        "ready": Field(
            kind="object", doc="A probe.", fields={"path": TEXT, "body": TEXT, "seconds": _NUMBER}
        ),
        "rules": Field(
            kind="list",
            doc="Rules.",
            items=Field(kind="object", doc="A rule.", fields={"name": TEXT, "weight": _NUMBER}),
        ),
    },
    outputs={"url": TEXT, "token": _SECRET},
)
_WIDE_INPUTS: Final = {
    **{f"text{number}": f"a text of ordinary length {number}" for number in range(8)},
    **{f"count{number}": number for number in range(4)},
    "flag": True,
    "key": "sk-0123456789abcdef",
    "password": "correct horse battery staple",
    "tags": {"team": "support", "tier": "internal", "cost": "low"},
    "words": ["one", "two", "three"],
    "environment": {"PATH": "/usr/bin", "HOME": "/home/user", "LANG": "C.UTF-8"},
    "ready": {"path": "/health", "body": "{}", "seconds": 120},
    "rules": [{"name": "first", "weight": 1}, {"name": "second", "weight": 2.5}],
}
_PROCESS_INPUTS: Final = {
    "directory": "/home/user/project/.moorage/run/local/hello-1",
    "owner": "moorage/local/hello-1",
    "command": ["/usr/bin/python", "-m", "server", "--model", "tiny.gguf", "--port", "{port}"],
    "environment": {
        "PATH": "/usr/bin",
        "HOME": "/home/user",
        "LANG": "C.UTF-8",
        "OMP_NUM_THREADS": "2",
        "API_KEY": "sk-0123456789abcdef",
    },
    "files": {"keys.json": '["sk-0123456789abcdef"]', "routes.json": "{}"},
    "host": "127.0.0.1",
    "port": 8701,
    "ready": {"path": "/v1/chat/completions", "body": "{}", "contains": "choices"},
    "readyKey": "sk-0123456789abcdef",
    "reloadSignal": "SIGHUP",
    "stopGraceSeconds": 10,
}


@dataclass(frozen=True, kw_only=True)
class Case:
    """One resource as the engine asks about it: what is declared, and what was before."""

    what: str
    token: str
    inputs: Mapping[str, Any]
    outputs: Mapping[str, Any]
    secrets: tuple[Path, ...]
    before: Mapping[str, Any] = field(default_factory=dict)  # what was otherwise


def measure() -> list[Line]:
    """Every case, unchanged and changed; each the best of some batches' medians."""
    tokens = {**HANDLERS, "moorage:index:Wide": _handler(_WIDE)}
    package = Package(name="moorage", version="0.1.0", description="", handlers=tokens)
    provider = Provider(package)
    gc.disable()
    lines = [_line(provider, case) for case in _CASES]
    gc.enable()
    return [machine(), *lines]


_PROCESS: Final = Case(
    what="a Process",
    token="moorage:index:Process",  # noqa: S106
    inputs=_PROCESS_INPUTS,
    outputs={"pid": 1234, "url": "http://127.0.0.1:8701", "log": "/home/user/log"},
    secrets=(("environment", "API_KEY"), ("files",), ("readyKey",)),
)
_TWENTY: Final = Case(
    what="20 properties",
    token="moorage:index:Wide",  # noqa: S106
    inputs=_WIDE_INPUTS,
    outputs={"url": "http://127.0.0.1:8701", "token": "token-0123456789"},
    secrets=(("key",), ("password",), ("environment",)),
)
_CASES: Final = (
    replace(_PROCESS, what="a Process, unchanged"),
    replace(_PROCESS, what="a Process, one property changed", before={"port": 8702}),
    replace(_TWENTY, what="20 properties, unchanged"),
    replace(
        _TWENTY,
        what="20 properties, five changed",
        before=dict.fromkeys(("text0", "text1", "key", "words", "count3")),
    ),
)


def _line(provider: Provider, case: Case) -> Line:
    asked = _requests(provider, case)
    best_ms = min(median(_once(provider, *asked) for _ in range(CALLS)) for _ in range(BATCHES))
    return Line(
        what=f"check and diff of {case.what}",
        measured=f"{best_ms:.2f} ms",
        limit=told_limit(f"{LIMIT_MS:g} ms"),
        kept=best_ms <= LIMIT_MS * pace(),
    )


def _once(provider: Provider, check: bytes, diff: bytes) -> float:
    """Fresh messages each time, as from the wire: what was looked at once is faster again."""
    checked = provider_pb2.CheckRequest.FromString(check)
    differs = provider_pb2.DiffRequest.FromString(diff)
    start_s = time.perf_counter()
    _done(provider.Check(checked, None))
    _done(provider.Diff(differs, None))
    return (time.perf_counter() - start_s) * 1e3


def _requests(provider: Provider, case: Case) -> tuple[bytes, bytes]:
    about: dict[str, Any] = {
        "urn": f"urn:pulumi:s::p::{case.token}::it",
        "type": case.token,
        "name": "it",
    }
    now = encode(case.inputs, case.secrets)
    before = encode({**case.inputs, **case.before}, case.secrets)
    state = encode({**case.inputs, **case.before, **case.outputs}, case.secrets)
    check = provider_pb2.CheckRequest(**about, olds=before, news=now)
    answer = _done(provider.Check(check, None))
    old = _done(provider.Check(provider_pb2.CheckRequest(**about, news=before), None))
    diff = provider_pb2.DiffRequest(
        **about, id="it", olds=state, news=answer.inputs, old_inputs=old.inputs
    )
    found = _done(provider.Diff(diff, None))
    wanted = bool(case.before)
    if answer.failures or wanted != (found.changes == provider_pb2.DiffResponse.DIFF_SOME):
        message = f"{case.what}: {answer.failures} {found}"
        raise SystemExit(message)
    return check.SerializeToString(), diff.SerializeToString()


def _done(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """The answer of a call that waits for nothing."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        return end.value
    message = "the call waits"
    raise AssertionError(message)


def _handler(shape: Shape) -> Handler:
    return Handler(
        shape=shape,
        create=lambda inputs, _context: Created(id="it", state=inputs),
        read=lambda _id, _state, _inputs, _context: None,
        update=lambda _id, _state, inputs, _context: inputs,
        delete=lambda _id, _state, _context: None,
    )
