"""Where a check asks: addresses, tokens, an account, and the endpoints that it made there."""

from __future__ import annotations

import ssl
import time
import uuid
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

import httpx

from tests.contract.engines import Engines

WITHOUT: Final = "without"  # instead of a token: send none
_DEADLINE_S: Final = 30.0
_NOTHING: Final[Mapping[str, str]] = {}


class FallsShortError(AssertionError):
    """The service does not do what the twin claims it does."""


class UnansweredError(Exception):
    """The check could not be made here: it needs something that this place lacks."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """An HTTP answer, read in full."""

    status: int
    text: str
    json: Any
    headers: Mapping[str, str]
    content: bytes

    @property
    def error(self) -> str:
        """What a refusal says."""
        return self.text


@dataclass(frozen=True, kw_only=True, slots=True)
class Compute:
    """The instance that is asked for."""

    vendor: str = "aws"
    region: str = "eu-west-1"
    accelerator: str = "cpu"
    instance_type: str = "intel-spr"
    instance_size: str = "x1"


@cache
def _trusted() -> ssl.SSLContext:
    """Made once: it costs more than a check."""
    return ssl.create_default_context()


def _client() -> httpx.Client:
    return httpx.Client(verify=_trusted())


@dataclass(kw_only=True, slots=True)
class Place:
    """The twin, or the real service."""

    urls: Mapping[str, str]  # by host: endpoints, hub, router
    token: str
    narrow: str = ""  # a token that calls endpoints and the router only
    foreign: str = ""  # another account's
    account: str
    compute: Compute = field(default_factory=Compute)
    model: Mapping[str, Any] = field(default_factory=dict)  # that the shared endpoint serves
    is_live: bool = False
    wait_s: float = 10.0
    look_s: float = 0.005
    made: list[str] = field(default_factory=list)  # every name that was posted
    shared: str = ""  # the one endpoint of a live run
    client: httpx.Client = field(default_factory=_client)
    engines: Engines = field(default_factory=Engines)  # in processes of their own

    def call(
        self,
        method: str,
        url: str,
        body: Any = None,
        *,
        token: str | None = None,
        headers: Mapping[str, str] = _NOTHING,
        timeout_s: float = _DEADLINE_S,
    ) -> Answer:
        """One request, never repeated."""
        sent = dict(headers)
        if token == "":
            raise UnansweredError("needs a token that was not given")
        if token != WITHOUT:
            sent["Authorization"] = f"Bearer {token or self.token}"
        # NaN could not be sent, and bytes are for bodies that are no JSON.
        how: dict[str, Any] = {"content": body} if isinstance(body, bytes) else {"json": body}
        answer = self.client.request(
            method, url, headers=sent, timeout=timeout_s, **(how if body is not None else {})
        )
        return _read(answer)

    def close(self) -> None:
        """Let go of the connections and of the engines."""
        self.client.close()
        self.engines.close()

    def api(self, method: str, path: str = "", body: Any = None, **how: Any) -> Answer:
        """A request to the endpoints of the account; `path` begins with the endpoint's name."""
        account = how.pop("account", self.account)
        tail = path if path.startswith("?") or not path else f"/{path}"
        return self.call(
            method, f"{self.urls['endpoints']}/v2/endpoint/{account}{tail}", body, **how
        )

    def catalogue(self, path: str = "", **how: Any) -> Answer:
        """A request to the catalogue of computes."""
        return self.call("GET", f"{self.urls['endpoints']}/v2/provider{path}", **how)

    def router(self, method: str, path: str, body: Any = None, **how: Any) -> Answer:
        """A request to the router."""
        return self.call(method, f"{self.urls['router']}{path}", body, **how)

    def hub(self, path: str, **how: Any) -> Answer:
        """A request to the Hub."""
        return self.call("GET", f"{self.urls['hub']}{path}", **how)

    def name(self) -> str:
        """A name that nobody has."""
        return f"moorage-ct-{uuid.uuid4().hex[:12]}"

    def body(self, name: str = "", **changes: Any) -> dict[str, Any]:
        """The body of a create that is fine; `changes` are given by path, as `model__task`."""
        body = {
            "name": name or self.name(),
            "type": "authenticated",
            "provider": {"vendor": self.compute.vendor, "region": self.compute.region},
            "compute": {
                "accelerator": self.compute.accelerator,
                "instanceType": self.compute.instance_type,
                "instanceSize": self.compute.instance_size,
                "scaling": {"minReplica": 0, "maxReplica": 1, "scaleToZeroTimeout": 15},
            },
            "model": {"framework": "pytorch", **deepcopy(dict(self.model))},
            "tags": ["moorage-contract"],
        }
        for path, value in changes.items():
            _put(body, path.split("__"), value)
        return body

    def create(self, body: Mapping[str, Any], **how: Any) -> Answer:
        """Post it; whatever comes of it is taken away in the end."""
        self.made.append(str(body.get("name")))
        return self.api("POST", "", body, **how)

    def serving(self, **changes: Any) -> str:
        """The name of an endpoint that runs and answers; a live run has one for all checks."""
        if not self.is_live:
            name = self.name()
            self.expect_made(self.create(self.body(name, **changes)))
        elif self.shared:
            name = self.shared
            self._bring_back(name)
        else:
            name = self.shared = self.name()
            self.expect_made(self.create(self.body(name)))
        self.until(name, "running")
        self.until_serving(name)
        return name

    def expect_made(self, answer: Answer) -> Answer:
        """The answer of a create that had to work."""
        if answer.status // 100 != 2:
            message = f"create answers {answer.status}: {answer.text[:200]}"
            raise FallsShortError(message)
        return answer

    def state(self, name: str) -> str:
        """The state that is told now."""
        return str(self.api("GET", name).json["status"]["state"])

    def url(self, name: str) -> str:
        """Where the endpoint answers."""
        return str(self.api("GET", name).json["status"]["url"])

    def until(self, name: str, *states: str) -> Any:
        """What is told once the endpoint is in one of the states."""
        return self.wait(
            lambda: self.api("GET", name).json,
            lambda told: told["status"]["state"] in states,
            f"{name} is {' or '.join(states)}",
        )

    def until_serving(self, name: str) -> None:
        """Until its engine answers."""
        url = self.url(name)
        self.wait(
            lambda: self.call("GET", f"{url}/health").status,
            lambda status: status == 200,
            f"{name} is healthy",
        )

    def until_gone(self, name: str) -> None:
        """Until nobody finds it."""
        self.wait(
            lambda: self.api("GET", name).status, lambda status: status == 404, f"{name} is gone"
        )

    def wait(self, look: Callable[[], Any], good: Callable[[Any], bool], says: str) -> Any:
        """Look until it is good, or the deadline is over."""
        end_s = time.monotonic() + self.wait_s
        while not good(found := look()):
            if time.monotonic() > end_s:
                message = f"not within {self.wait_s:g} s: {says}; last seen: {str(found)[:200]}"
                raise FallsShortError(message)
            time.sleep(self.look_s)
        return found

    def control(self, method: str, path: str, body: Any = None) -> Any:
        """Drive the twin; a real service has no such routes."""
        if self.is_live:
            raise UnansweredError("only a twin can be driven")
        answer = self.call(method, f"{self.urls['endpoints']}/_twin/{path}", body)
        same(answer.status, 200, f"/_twin/{path}")
        return answer.json

    def advance(self, seconds: float) -> None:
        """Let a driven twin's time pass."""
        self.control("POST", "clock", {"advance_s": seconds})

    def _bring_back(self, name: str) -> None:
        """Whatever the last check left it in."""
        state = self.state(name)
        if state == "paused":
            self.api("POST", f"{name}/resume")
        if state == "scaledToZero":
            self.call("GET", f"{self.url(name)}/health")


def same(got: Any, wanted: Any, what: str) -> None:
    """Fall short where the two differ."""
    if got != wanted:
        message = f"{what}: {str(got)[:300]}, not {str(wanted)[:300]}"
        raise FallsShortError(message)


def holds(condition: object, what: str) -> None:
    """Fall short where it does not hold."""
    if not condition:
        raise FallsShortError(what)


def says(answer: Answer, status: int, *words: str) -> None:
    """A refusal with a status, that has these words."""
    same(answer.status, status, f"status (it says {answer.text[:200]!r})")
    for word in words:
        holds(word.lower() in answer.text.lower(), f"{word!r} is not in {answer.text[:200]!r}")


def _read(answer: httpx.Response) -> Answer:
    try:
        parsed = answer.json()
    except ValueError:
        parsed = None
    return Answer(
        status=answer.status_code,
        text=answer.text,
        json=parsed,
        headers=answer.headers,
        content=answer.content,
    )


def _put(body: dict[str, Any], path: list[str], value: Any) -> None:
    *folders, key = path
    for folder in folders:
        body = body[folder]
    if value is ...:
        body.pop(key, None)
    else:
        body[key] = value
