"""What can be written to the Hub's twin beside files: Spaces, collections, discussions."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from aiohttp import web

from moorage.twin.clock import Clock
from moorage.twin.people import Account, Caller, People, Token
from moorage.twin.repos import Stored

REPO_WRITE: Final = "repo.write"
COLLECTION_WRITE: Final = "collection.write"
PREFIXES: Final = {"models": "", "datasets": "datasets/", "spaces": "spaces/"}  # by API folder

Reply = web.StreamResponse


def _nobody() -> People:
    ann = Account(name="ann", tokens=(Token(text="hf_twin_ann"),))
    zoe = Account(name="zoe", tokens=(Token(text="hf_twin_zoe"),))
    free = Account(name="eve", tokens=(Token(text="hf_twin_eve"),), plan="free")
    reading = Token(text="hf_twin_reader", role="read")
    org = Account(name="acme", kind="org", members=("ann",), plan="team")
    return People((ann, Account(name="rob", tokens=(reading,)), zoe, free, org))


@dataclass(kw_only=True, slots=True)
class Desk:
    """The state; `people` and `clock` are those of the whole twin."""

    people: People = field(default_factory=_nobody)
    clock: Clock = field(default_factory=Clock)
    groups: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # org -> id -> name
    spaces: dict[str, Any] = field(default_factory=dict)  # id -> spaces.Space
    habits: dict[str, Any] = field(default_factory=dict)  # pattern of an id -> spaces.Habit
    collections: dict[str, dict[str, Any]] = field(default_factory=dict)  # slug -> as told
    talks: dict[str, list[dict[str, Any]]] = field(default_factory=dict)  # repository -> as told
    uploads: dict[str, bytes] = field(default_factory=dict)  # sha256 -> content
    busy: int = 0  # so many of the next creates meet "another conflicting operation"
    ignores_files: bool = False  # a create that takes no files, as an older Hub
    apps_url: str = ""  # where the apps of Spaces answer
    answer: Callable[[Any, web.Request], Any] | None = None  # what an app says; its own word


class Served(Protocol):
    """As much of the Hub's twin as its write side needs."""

    repos: dict[str, Stored]
    desk: Desk
    url: str
    content_url: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """One request, read in full."""

    hub: Served
    request: web.Request
    body: bytes = field(repr=False)

    @property
    def desk(self) -> Desk:
        """What is written to."""
        return self.hub.desk

    @property
    def caller(self) -> Caller | None:
        """Whose token it carries."""
        return self.desk.people.caller(token(self.request))

    def json(self) -> dict[str, Any]:
        """The body; what is no object raises `Refusal`."""
        try:
            read = json.loads(self.body or b"{}")
        except ValueError:
            raise Refusal(400, "Invalid JSON") from None
        if not isinstance(read, dict):
            raise Refusal(400, "Invalid body")
        return read

    def part(self, name: str) -> str:
        """A part of the path."""
        return self.request.match_info[name]

    def writer(self, account: str, permission: str = REPO_WRITE) -> Caller:
        """Who asks, when it may write there; else the Hub's refusal."""
        caller = self.caller
        if caller is None:
            raise Refusal(401, "Invalid credentials in Authorization header")
        if not self.desk.people.may(caller, account, permission):
            says = f'You don\'t have the rights to write under the namespace "{account}"'
            raise Refusal(403, says)
        return caller

    def reader(self, account: str) -> bool:
        """Whether who asks belongs to the account."""
        return self.caller is not None and self.desk.people.belongs(self.caller.user, account)


class Refusal(Exception):  # noqa: N818
    """The Hub says no."""

    def __init__(self, status: int, says: str, *, code: str = "", **more: Any) -> None:
        super().__init__(says)
        self.status, self.says, self.code, self.more = status, says, code, more


def absent() -> Refusal:
    """For what is not there, or not for who asks."""
    return Refusal(404, "Repository not found", code="RepoNotFound")


def route(hub: Served, function: Callable[[Asked], Any]) -> Any:
    """A handler for aiohttp from a function that answers JSON, or raises `Refusal`."""

    async def handler(request: web.Request) -> Reply:
        asked = Asked(hub=hub, request=request, body=await request.read())
        try:
            answer = function(asked)
        except Refusal as refusal:
            return refused(refusal)
        return answer if isinstance(answer, web.StreamResponse) else web.json_response(answer)

    return handler


def name_of(asked: Asked) -> str:
    """The repository of the path, without its kind."""
    return asked.part("id")


def key_of(asked: Asked) -> str:
    """Under which the repository of the path is kept."""
    parts = asked.request.path.split("/")
    kind = parts[2] if parts[1] == "api" else parts[1]
    return f"{PREFIXES.get(kind, '')}{asked.part('id')}"


def writable(asked: Asked) -> tuple[str, Stored]:
    """The repository of the path, when who asks may write to it."""
    key, account = key_of(asked), asked.part("id").partition("/")[0]
    stored = asked.hub.repos.get(key)
    if stored is None or (stored.repo.private and not asked.reader(account)):
        raise absent()
    asked.writer(account)
    return key, stored


def refused(refusal: Refusal) -> Reply:
    """In the Hub's own form."""
    headers = {"X-Error-Message": refusal.says}
    if refusal.code:
        headers["X-Error-Code"] = refusal.code
    body = {"error": refusal.says, **refusal.more}
    return web.json_response(body, status=refusal.status, headers=headers)


def token(request: web.Request) -> str | None:
    """The bearer's token."""
    scheme, _, text = request.headers.get("Authorization", "").partition(" ")
    return text.strip() if scheme.lower() == "bearer" else None
