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
ID: Final = "{id:[^/]+/[^/]+}"  # of a repository, in a path

Reply = web.StreamResponse
Kinds = type | tuple[type, ...]


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

    def knows(self, token: str) -> bool:
        """Whether the token belongs to anybody."""

    def lets_read(self, token: str | None, stored: Stored) -> bool:
        """Whether the token reads a gated or private repository."""


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

    def json(self, **needed: Kinds) -> dict[str, Any]:
        """The body, with what it needs; what is no object, or lacks that, raises `Refusal`."""
        return parsed(self.body or b"{}", **needed)

    def part(self, name: str) -> str:
        """A part of the path."""
        return self.request.match_info[name]

    def writer(self, account: str, permission: str = REPO_WRITE, *, repo: str = "") -> Caller:
        """Who asks, when it may write there, or to that repository; else the Hub's refusal."""
        caller = self.caller
        if caller is None:
            raise Refusal(401, "Invalid credentials in Authorization header")
        if not self.desk.people.may(caller, account, permission, repo=repo):
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


def parsed(text: bytes, **needed: Kinds) -> dict[str, Any]:
    """A text of JSON that must be an object, and have what is needed."""
    try:
        read = json.loads(text)
    except (ValueError, RecursionError):
        raise Refusal(400, "Invalid JSON") from None
    return checked(read, "body", **needed)


def checked(value: Any, name: str, /, **needed: Kinds) -> dict[str, Any]:
    """An object that has the fields that are needed, each of one of its kinds."""
    if not isinstance(value, dict):
        raise Refusal(400, f"Invalid {name}: expected an object")
    for key, kinds in needed.items():
        if not isinstance(value.get(key), kinds):
            raise Refusal(400, f"Invalid {name}: {key} is missing or of another type")
    return value


def rows(body: Mapping[str, Any], name: str, /, **needed: Kinds) -> list[dict[str, Any]]:
    """A list of objects in a body; none where it is left out."""
    given = body.get(name)
    if not isinstance(given, list | None):
        raise Refusal(400, f"Invalid body: {name} is no list")
    return [checked(row, f"{name}[{at}]", **needed) for at, row in enumerate(given or ())]


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


def key_of(request: web.Request) -> str:
    """Under which the repository of the path is kept: a model may have the name of a dataset."""
    parts = request.path.split("/")
    kind = parts[2] if parts[1] == "api" else parts[1]
    return f"{PREFIXES.get(kind, '')}{request.match_info['id']}"


def readable(hub: Served, request: web.Request) -> Stored:
    """The repository of the path, when who asks may know of it; what is not there looks alike."""
    sent = token(request)
    if sent is not None and not hub.knows(sent):
        raise Refusal(401, "Invalid credentials in Authorization header")
    stored = hub.repos.get(key_of(request))
    if stored is not None and (not stored.repo.private or hub.lets_read(sent, stored)):
        return stored
    if sent is None:  # the Hub does not tell strangers what exists
        raise Refusal(401, "Invalid username or password.", code="RepoNotFound")
    raise Refusal(404, "Repository not found", code="RepoNotFound")


def writable(asked: Asked) -> tuple[str, Stored]:
    """The repository of the path, when who asks may write to it."""
    stored = readable(asked.hub, asked.request)
    asked.writer(asked.part("id").partition("/")[0], repo=stored.id)
    return stored.id, stored


def refused(refusal: Refusal, headers: Mapping[str, str] | None = None) -> Reply:
    """In the Hub's own form; what a header cannot hold is left to the body."""
    line = "".join(letter if letter.isprintable() else " " for letter in refusal.says)
    told = {"X-Error-Message": line, **(headers or {})}
    if refusal.code:
        told["X-Error-Code"] = refusal.code
    body = {"error": refusal.says, **refusal.more}
    return web.json_response(body, status=refusal.status, headers=told)


def token(request: web.BaseRequest) -> str | None:
    """The bearer's token."""
    scheme, _, text = request.headers.get("Authorization", "").partition(" ")
    return text.strip() if scheme.lower() == "bearer" else None
