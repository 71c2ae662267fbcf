"""A routes file: which key opens which service, and which backends answer for it, in order."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn, TypeVar
from urllib.parse import urlsplit

T = TypeVar("T")

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")  # goes into headers and log lines
KEY = re.compile(r"[\x21-\x7e]{1,4096}")  # what an Authorization header can carry
HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}")  # a token of RFC 9110
HEADER_VALUE = re.compile(r"[\x21-\x7e]([\x20-\x7e]{0,1022}[\x21-\x7e])?")
RERANK = "/rerank"
TEI = "tei"  # text-embeddings-inference
MOST_HEADERS = 16
MOST_ADAPTERS = 1024
_OPTIONAL = ("timeouts", "headers", "adapters", "ranks")
# What the gateway says itself, what HTTP says hop by hop, and what would be another way to a key.
_OWN_HEADERS = frozenset({
    "authorization", "proxy-authorization", "cookie", "content-type", "content-length",
    "content-encoding", "accept-encoding", "host", "user-agent", "x-request-id", "connection",
    "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "expect",
})  # fmt: skip


class RoutesError(Exception):
    """What is wrong with a routes file and where, in one line that quotes no key."""

    def __init__(self, says: str, *, at: object = "") -> None:
        super().__init__(f"{at}: {says}" if str(at) else says)


@dataclass(frozen=True, kw_only=True, slots=True)
class Timeouts:
    connect_s: float = 2.0
    first_byte_s: float = 120.0
    total_s: float = 600.0
    stall_s: float = 30.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Backend:
    name: str
    url: str
    model: str
    api_key: str | None = field(repr=False)
    timeouts: Timeouts = Timeouts()
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)  # sent with each request
    adapters: tuple[tuple[str, str], ...] = ()  # clients' names and its own, beside the model
    ranks: str | None = None  # in whose words it is asked to rank, where not in those of /v1/rerank

    def at(self, path: str) -> str:
        """Where it answers what clients ask below /v1."""
        if self.ranks == TEI and path == RERANK:
            return self.url.removesuffix("/v1") + path
        return self.url + path

    def called(self, model: str) -> str:
        """What the backend calls a model that clients ask for."""
        return dict(self.adapters).get(model, self.model)


@dataclass(frozen=True, kw_only=True, slots=True)
class Service:
    name: str
    models: tuple[str, ...]
    task: str
    api_key: str = field(repr=False)
    backends: tuple[Backend, ...]

    @property
    def adapters(self) -> tuple[str, ...]:
        """What some backend serves beside the model, each once."""
        return tuple(dict.fromkeys(name for each in self.backends for name, _ in each.adapters))

    @property
    def names(self) -> tuple[str, ...]:
        """All that a client may ask for."""
        return (*self.models, *self.adapters)

    def serving(self, model: str) -> tuple[Backend, ...]:
        """Who may answer: whoever lacks an adapter would answer without it."""
        if model in self.models:
            return self.backends
        return tuple(each for each in self.backends if model in dict(each.adapters))


@dataclass(frozen=True, kw_only=True, slots=True)
class Routes:
    host: str
    port: int
    services: tuple[Service, ...]
    digest: str

    def opened_by(self, key: str) -> tuple[Service, ...]:
        """Return the services a key opens; every key is compared, in constant time each."""
        given = key.encode("utf-8", "surrogateescape")
        return tuple(s for s in self.services if hmac.compare_digest(s.api_key.encode(), given))

    def backends(self) -> Iterator[Backend]:
        return (backend for service in self.services for backend in service.backends)


def load(path: Path) -> Routes:
    """Read and validate a routes file; the error names the file."""
    try:
        return parse(path.read_bytes())
    except OSError as error:
        raise RoutesError(error.strerror or "cannot be read", at=path) from None
    except RoutesError as error:
        raise RoutesError(str(error), at=path) from None


def parse(text: bytes) -> Routes:
    root = _Node(value=_decode(text), path="")
    fields = root.fields("version", "listen", "services")
    if fields["version"].number() != 1:
        fields["version"].fail("must be 1")
    listen = fields["listen"].fields("host", "port")
    services = tuple(_service(node) for node in fields["services"].items())
    _refuse_ambiguity(services)
    return Routes(
        host=listen["host"].text(),
        port=listen["port"].integer(most=65535),
        services=services,
        digest=hashlib.sha256(text).hexdigest(),
    )


def _service(node: _Node) -> Service:
    fields = node.fields("name", "models", "task", "api_key", "backends")
    backends = tuple(_backend(each) for each in fields["backends"].items())
    for again in _repeated(backend.name for backend in backends):
        fields["backends"].fail(f"two backends are named '{again}'")
    return Service(
        name=fields["name"].name(),
        models=tuple(each.text() for each in fields["models"].items()),
        task=fields["task"].text(),
        api_key=fields["api_key"].key(),
        backends=backends,
    )


def _backend(node: _Node) -> Backend:
    fields = node.fields("name", "url", "model", "api_key", optional=_OPTIONAL)
    key = fields["api_key"]
    return Backend(
        name=fields["name"].name(),
        url=fields["url"].http_url(),
        model=fields["model"].text(),
        api_key=None if key.value is None else key.key(),
        timeouts=_timeouts(fields["timeouts"]) if "timeouts" in fields else Timeouts(),
        headers=_headers(fields["headers"]) if "headers" in fields else (),
        adapters=_adapters(fields["adapters"]) if "adapters" in fields else (),
        ranks=fields["ranks"].one_of(TEI) if "ranks" in fields else None,
    )


def _adapters(node: _Node) -> tuple[tuple[str, str], ...]:
    fields = node.members(most=MOST_ADAPTERS)
    for name in fields:
        _Node(value=name, path=node.path).text()
    return tuple((name, each.text()) for name, each in fields.items())


def _timeouts(node: _Node) -> Timeouts:
    fields = node.fields(optional=Timeouts.__slots__)
    return Timeouts(**{name: each.seconds() for name, each in fields.items()})


def _headers(node: _Node) -> tuple[tuple[str, str], ...]:
    fields = node.members(most=MOST_HEADERS)
    for again in _repeated(name.lower() for name in fields):
        node.fail(f"header '{again}' is given twice")
    for name in fields:
        if not HEADER.fullmatch(name):
            node.fail(f"{name[:64]!r} is not the name of a header")
        if name.lower() in _OWN_HEADERS:
            node.fail(f"header {name!r} is the gateway's own")
    return tuple((name, each.header()) for name, each in fields.items())


def _refuse_ambiguity(services: tuple[Service, ...]) -> None:
    for again in _repeated(service.name for service in services):
        says = f"two services are named '{again}'"
        raise RoutesError(says, at="services")
    for _, again in _repeated((s.api_key, model) for s in services for model in s.names):
        says = f"model '{again}' is given twice under one key"
        raise RoutesError(says, at="services")


def _repeated(values: Iterator[T]) -> Iterator[T]:
    seen: set[T] = set()
    for value in values:
        if value in seen:
            yield value
        seen.add(value)


def _decode(text: bytes) -> object:
    try:
        return json.loads(text, object_pairs_hook=_once)
    except json.JSONDecodeError as error:
        says = f"not JSON: {error.msg}"
        raise RoutesError(says, at=f"line {error.lineno}") from None
    except (ValueError, RecursionError):  # not UTF-8, a number of 5000 digits, nested too deep
        raise RoutesError("not JSON that can be read") from None


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    for again in _repeated(name for name, _ in pairs):
        says = f"key {again!r} is given twice in one object"
        raise RoutesError(says)
    return dict(pairs)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Node:
    """One value of the file and where it stands, so that a fault can name its place."""

    value: object
    path: str

    def fail(self, says: str) -> NoReturn:
        raise RoutesError(says, at=self.path)

    def fields(self, *required: str, optional: tuple[str, ...] = ()) -> dict[str, _Node]:
        if not isinstance(self.value, dict):
            self.fail("must be an object")
        known = (*required, *optional)
        for name in self.value:
            if name not in known:
                self.fail(f"unknown key {name!r}; known are {', '.join(known)}")
        for name in required:
            if name not in self.value:
                self.fail(f"'{name}' is missing")
        prefix = f"{self.path}." if self.path else ""
        return {n: _Node(value=value, path=prefix + n) for n, value in self.value.items()}

    def members(self, *, most: int) -> dict[str, _Node]:
        """The values of an object whose keys are the writer's own."""
        if not isinstance(self.value, dict) or len(self.value) > most:
            self.fail(f"must be an object of at most {most} keys")
        return {n: _Node(value=value, path=f"{self.path}.{n}") for n, value in self.value.items()}

    def items(self) -> list[_Node]:
        if not isinstance(self.value, list) or not self.value:
            self.fail("must be a list that is not empty")
        return [_Node(value=v, path=f"{self.path}[{i}]") for i, v in enumerate(self.value)]

    def text(self) -> str:
        if not isinstance(self.value, str) or not self.value or not self.value.isprintable():
            self.fail("must be a line of text that is not empty")
        return self.value

    def one_of(self, *known: str) -> str:
        if not isinstance(self.value, str) or self.value not in known:
            self.fail(f"must be {' or '.join(known)}")
        return self.value

    def name(self) -> str:
        if not isinstance(self.value, str) or not NAME.fullmatch(self.value):
            self.fail("must be a name of letters, digits, '.', '_' and '-'")
        return self.value

    def key(self) -> str:
        if not isinstance(self.value, str) or not KEY.fullmatch(self.value):
            self.fail("must be a key of visible ASCII characters, without spaces")
        return self.value

    def header(self) -> str:
        if not isinstance(self.value, str) or not HEADER_VALUE.fullmatch(self.value):
            self.fail("must be one line of visible ASCII characters, not empty")  # not quoted
        return self.value

    def number(self) -> float:
        if isinstance(self.value, bool) or not isinstance(self.value, int | float):
            self.fail("must be a number")
        return self.value

    def integer(self, *, most: int) -> int:
        number = self.number()
        if not isinstance(number, int) or not 0 <= number <= most:
            self.fail(f"must be a whole number from 0 to {most}")
        return number

    def seconds(self) -> float:
        number = self.number()
        if not 0 < number <= 86_400:
            self.fail("must be seconds, above 0 and at most 86400")
        return float(number)

    def http_url(self) -> str:
        text = self.text()
        if not _is_plain_http(text):
            # The value is not quoted: a user name and password may stand in it.
            self.fail("must be http://host:port/path or https://…, no user, query or fragment")
        return text.rstrip("/")


def _is_plain_http(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return (
            parts.scheme in {"http", "https"}
            and bool((parts.hostname or "").encode("idna"))  # raises for a host no resolver takes
            and parts.port != 0
            and not re.search(r"[@?#\s]", text)
        )
    except ValueError:
        return False
