"""The twin of the Hugging Face Hub: model facts and files, in the Hub's own shapes.

In a test, in a thread of its own:

    from moorage.twin import hub

    repos = {"acme/tiny-GGUF": hub.Repo(files={"tiny.gguf": b"GGUF..."}, revision="a" * 40)}
    with hub.serve(repos) as twin:                      # or serve(Path("a/folder"))
        HfApi(endpoint=twin.url).model_info("acme/tiny-GGUF", files_metadata=True)
        hf_hub_download("acme/tiny-GGUF", "tiny.gguf", endpoint=twin.url, cache_dir=tmp_path)
        twin.commit("acme/tiny-GGUF")                   # what a spec pins
        twin.requests                                   # every (method, path) so far
        twin.failing += [429, 500]                      # the next answer is a 429, then a 500
        twin.status = 503                               # from now on every answer is a 503
        twin.cut_after_bytes = 1000                     # downloads break off after 1000 bytes

A process of its own, for a client in another process (`huggingface_hub` reads HF_ENDPOINT when it
is imported, so set it before):

    moorage twin --repos DIR                            # prints "export HF_ENDPOINT=http://..."
    HF_ENDPOINT=http://... python my_program.py

`DIR/<owner>/<name>/` is one repository; an optional `.repo.json` beside its files holds the other
fields of `Repo` (revision, license, gated, private, readers, sha256 to lie about a digest, ...).
A dataset is called "datasets/<owner>/<name>", and lies in such a folder.
`Repo.providers` is what serves a model behind the router, as in
{"together": {"status": "live", "task": "conversational", "providerId": "x/y",
"context_length": 8192, "pricing": {"input": 0.1, "output": 0.3}}}; the twin answers as the router
too (`GET /v1/models`).
Weights (.gguf, .safetensors, ...) are LFS files: `resolve` answers 302 with X-Linked-Etag and
X-Linked-Size to a content address on another port, as the Hub does; Range works there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from aiohttp import web

from moorage.twin import collections, listing, routed, space_routes, talks, trees, writes
from moorage.twin.desk import ID, PREFIXES, Desk, Refusal, readable, refused, token
from moorage.twin.people import People
from moorage.twin.repos import DATASETS, Blob, Repo, Stored, TwinError, read_folder, store
from moorage.twin.serving import in_thread

__all__ = ["Hub", "Repo", "TwinError", "serve"]

_LARGEST_BYTES: Final = 1 << 28  # of a body, such as a commit


@dataclass(kw_only=True, slots=True)
class Hub:
    """A running twin; the fields after `requests` make it misbehave and may change any time."""

    repos: dict[str, Stored]
    tokens: tuple[str, ...] = ()  # accepted beside the repositories' readers
    url: str = ""
    content_url: str = ""  # the Hub keeps weights on another host; here it is another port
    desk: Desk = field(default_factory=Desk)  # what is written to it
    requests: list[tuple[str, str]] = field(default_factory=list)
    failing: list[int] = field(default_factory=list)  # the statuses of the next answers
    status: int | None = None
    cut_after_bytes: int | None = None

    def listens_at(self, urls: list[str]) -> None:
        """Where it listens, once it does."""
        self.url, self.content_url = urls

    def commit(self, repo_id: str) -> str:
        """The commit that `main` of a repository stands at."""
        return self.repos[repo_id].commit

    def knows(self, token: str) -> bool:
        """Whether the token belongs to anybody."""
        readers = (stored.repo.readers for stored in self.repos.values())
        is_reader = any(token in names for names in readers)
        return is_reader or token in self.tokens or self.desk.people.caller(token) is not None

    def lets_read(self, token: str | None, stored: Stored) -> bool:
        """Whether the token reads a gated or private repository: its owner's, or a reader's."""
        readers, caller = stored.repo.readers, self.desk.people.caller(token)
        if caller is None:
            return token in readers
        owner = stored.id.removeprefix(f"{DATASETS}/").removeprefix("spaces/").partition("/")[0]
        is_let_in = {token, caller.user.name}.intersection(readers) and caller.token.reads_gated
        return bool(is_let_in) or self.desk.people.belongs(caller.user, owner)


@contextmanager
def serve(
    repos: Mapping[str, Repo] | Path,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    tokens: tuple[str, ...] = (),
) -> Iterator[Hub]:
    """Serve repositories from a thread while the block runs."""
    hub = make(repos, tokens=tokens)
    with in_thread(application(hub), host=host, ports=(port, 0)) as urls:
        hub.listens_at(urls)
        yield hub


def make(
    repos: Mapping[str, Repo] | Path,
    *,
    tokens: tuple[str, ...] = (),
    people: People | None = None,
) -> Hub:
    """Digest the repositories; nothing listens yet."""
    given = read_folder(repos) if isinstance(repos, Path) else repos
    stored = {name: store(name, repo) for name, repo in given.items()}
    desk = Desk(people=people) if people else Desk()
    return Hub(repos=stored, tokens=tokens, desk=desk)


def application(hub: Hub, *, middlewares: Sequence[Any] = ()) -> web.Application:
    """The routes of the Hub that a model's reader uses."""
    around = [*middlewares, _misbehaving(hub)]
    app = web.Application(middlewares=around, client_max_size=_LARGEST_BYTES)

    def info(request: web.Request) -> web.StreamResponse:
        return _info(hub, request)

    app.router.add_get("/api/whoami-v2", _async(lambda request: _whoami(hub, request)))
    for kind, prefix in PREFIXES.items():
        folder = f"/{prefix}".rstrip("/")
        api = f"/api/{kind}/{ID}"
        app.router.add_get(api, _async(info))
        app.router.add_get(f"{api}/revision/{{revision}}", _async(info))
        app.router.add_get(f"{api}/auth-check", _async(lambda request: _auth(hub, request)))
        resolve = f"{folder}/{ID}/resolve/{{revision}}/{{path:.+}}"
        app.router.add_get(resolve, _resolve_handler(hub))
    app.router.add_get("/blobs/{sha256}", _blob_handler(hub))
    routed.add_routes(app, hub.repos)
    for side in (writes, trees, talks, space_routes, collections):
        side.mount(app, hub)
    return app


def _misbehaving(hub: Hub) -> Any:
    @web.middleware
    async def middleware(request: web.Request, handler: Any) -> web.StreamResponse:
        hub.requests.append((request.method, request.path))
        if request.path.startswith("/blobs/") and "Authorization" in request.headers:
            return _error(400, "", "a token must not leave the Hub for its content host")
        if hub.failing:
            return _error(hub.failing.pop(0), "", "the twin was told to answer so once")
        if hub.status is not None:
            return _error(hub.status, "", "the twin was told to answer so")
        answer: web.StreamResponse = await handler(request)
        return answer

    return middleware


def _async(function: Any) -> Any:
    async def handler(request: web.Request) -> web.StreamResponse:
        answer: web.StreamResponse = function(request)
        return answer

    return handler


def _whoami(hub: Hub, request: web.Request) -> web.StreamResponse:
    sent = token(request)
    if sent is None or not hub.knows(sent):
        return _error(401, "", "Invalid credentials in Authorization header")
    caller = hub.desk.people.caller(sent)
    if caller:
        return web.json_response(hub.desk.people.described(caller))
    return web.json_response({"type": "user", "name": "twin", "orgs": [], "auth": {}})


def _info(hub: Hub, request: web.Request) -> web.StreamResponse:
    stored = _find(hub, request, files=False)
    if isinstance(stored, web.StreamResponse):
        return stored
    commit = stored.resolve(request.match_info.get("revision", "main"))
    if commit is None:
        return _error(404, "RevisionNotFound", "Invalid rev id")
    wanted = request.query.getall("expand", [])
    if wanted:
        return web.json_response(listing.expanded(stored, commit, wanted))
    told = listing.described(stored, commit, blobs="blobs" in request.query)
    return web.json_response(space_routes.described(hub, stored, told))


def _auth(hub: Hub, request: web.Request) -> web.StreamResponse:
    stored = _find(hub, request, files=True)
    return stored if isinstance(stored, web.StreamResponse) else web.json_response({})


def _resolve_handler(hub: Hub) -> Any:
    async def handler(request: web.Request) -> web.StreamResponse:
        stored = _find(hub, request, files=True)
        if isinstance(stored, web.StreamResponse):
            return stored
        commit = stored.resolve(request.match_info["revision"])
        if commit is None:
            return _error(404, "RevisionNotFound", "Invalid rev id")
        blob = stored.at(commit).get(request.match_info["path"])
        if blob is None:
            return _error(404, "EntryNotFound", "Entry not found", {"X-Repo-Commit": commit})
        if blob.lfs:
            return _redirect(f"{hub.content_url}/blobs/{blob.sha256}", blob, commit)
        headers = {"X-Repo-Commit": commit, "ETag": f'"{blob.blob_id}"'}
        return await _send(hub, request, blob, headers)

    return handler


def _blob_handler(hub: Hub) -> Any:
    async def handler(request: web.Request) -> web.StreamResponse:
        wanted = request.match_info["sha256"]
        blobs = (blob for stored in hub.repos.values() for blob in stored.all())
        blob = next((blob for blob in blobs if blob.sha256 == wanted), None)
        if blob is None:
            return _error(404, "", "no such content")
        return await _send(hub, request, blob, {"ETag": f'"{blob.sha256}"'})

    return handler


def _redirect(location: str, blob: Blob, commit: str) -> web.StreamResponse:
    headers = {
        "Location": location,
        "X-Repo-Commit": commit,
        "X-Linked-Etag": f'"{blob.sha256}"',
        "X-Linked-Size": str(blob.size),
        "ETag": f'"{blob.sha256}"',
    }
    return web.Response(status=302, headers=headers)


async def _send(
    hub: Hub, request: web.Request, blob: Blob, headers: Mapping[str, str]
) -> web.StreamResponse:
    span = _range(request, blob.size)
    if span is None:
        return web.Response(status=416, headers={"Content-Range": f"bytes */{blob.size}"})
    start, stop = span
    partial = "Range" in request.headers
    response = web.StreamResponse(status=206 if partial else 200, headers=headers)
    response.headers["Accept-Ranges"] = "bytes"
    response.content_length = stop - start
    if partial:
        response.headers["Content-Range"] = f"bytes {start}-{stop - 1}/{blob.size}"
    await response.prepare(request)
    if request.method == "HEAD":
        return response
    return await _stream(hub, request, response, blob.chunks(start, stop))


async def _stream(
    hub: Hub, request: web.Request, response: web.StreamResponse, chunks: Iterator[bytes]
) -> web.StreamResponse:
    sent = 0
    for chunk in chunks:
        left = len(chunk) if hub.cut_after_bytes is None else hub.cut_after_bytes - sent
        await response.write(chunk[: max(left, 0)])
        sent += len(chunk)
        if left < len(chunk):
            if request.transport is not None:
                request.transport.close()  # as a lost connection looks to the client
            return response
    await response.write_eof()
    return response


def _range(request: web.Request, size: int) -> tuple[int, int] | None:
    try:
        start, stop, _ = request.http_range.indices(size)
    except ValueError:
        return None
    return (start, stop) if start < stop or size == 0 else None


def _find(hub: Hub, request: web.Request, *, files: bool) -> Stored | web.StreamResponse:
    """The repository asked for, or the Hub's refusal; facts of a gated one are open to all."""
    try:
        stored = readable(hub, request)
    except Refusal as refusal:
        return refused(refusal)
    sent = token(request)
    if files and stored.repo.gated and not hub.lets_read(sent, stored):
        says = f"Access to model {stored.id} is restricted."
        return _error(401 if sent is None else 403, "GatedRepo", says)
    return stored


def _error(
    status: int, code: str, says: str, headers: Mapping[str, str] | None = None
) -> web.StreamResponse:
    return refused(Refusal(status, says, code=code), headers)
