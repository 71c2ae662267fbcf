"""Whatever is sent to the Hub's twin or the router's, it answers as a server that is well."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import httpx
import pytest

from moorage.twin import face
from tests.twin.test_hostile import ANN, JUNK

Way = tuple[str | int, ...]

HALF = "\ud800"  # of a surrogate pair: JSON can hold it, UTF-8 cannot
ODD: tuple[Any, ...] = (*JUNK, 10**400, HALF, [HALF], "a\r\nSet-Cookie: b=c", "x" * 10_000)
SETTING = {"key": "A", "value": "b", "description": "c"}
FILE = {"path": "a.txt", "content": "YQ=="}
MADE = {"organization": "acme", "visibility": "public", "files": [FILE], "resourceGroupId": None}
SPACE = {"type": "space", "sdk": "gradio", "hardware": "cpu-basic", "sleepTimeSeconds": 60}
COLLECTION = {"namespace": "acme", "title": "t", "description": "d", "private": False}
CHAT = {
    "model": "acme/tiny",
    "messages": [{"role": "user", "content": [{"type": "text", "text": "hi"}]}],
    "stop": ["x"],
    "max_tokens": 3,
    "stream_options": {"include_usage": True},
}
POSTED: dict[str, tuple[str, Any]] = {
    "/api/repos/create": ("hub", {"name": "new", "type": "model", **MADE}),
    "/api/repos/create?": (
        "hub",
        {**SPACE, "name": "app", **MADE, "variables": [SETTING], "secrets": [SETTING]},
    ),
    "/api/repos/delete": ("hub", {"name": "gone", "type": "model", "organization": "acme"}),
    "/api/validate-yaml": ("hub", {"content": "---\nsdk: gradio\n---\n", "repoType": "space"}),
    "/api/models/acme/made/preupload/main": (
        "hub",
        {"files": [{"path": "a.txt", "size": 1, "sample": "YQ=="}]},
    ),
    "/acme/made.git/info/lfs/objects/batch": ("hub", {"objects": [{"oid": "a" * 64, "size": 1}]}),
    "/api/models/acme/made/discussions": ("hub", {"title": "t", "description": "d"}),
    "/api/models/acme/made/discussions/1/comment": ("hub", {"comment": "c"}),
    "/api/models/acme/made/discussions/1/status": ("hub", {"status": "closed"}),
    "/api/models/acme/made/resource-group": ("hub", {"resourceGroupId": "1"}),
    "/api/models/acme/made/commit/main": ("hub", {"key": "header", "value": {"summary": "s"}}),
    "/api/spaces/acme/app/variables": ("hub", SETTING),
    "/api/spaces/acme/app/secrets": ("hub", SETTING),
    "/api/spaces/acme/app/hardware": ("hub", {"flavor": "cpu-basic", "sleepTimeSeconds": 60}),
    "/api/spaces/acme/app/sleeptime": ("hub", {"seconds": 60}),
    "/api/collections": ("hub", COLLECTION),
    "/v1/chat/completions": ("router", {**CHAT, "stream": False}),
    "/v1/chat/completions?": ("router", {**CHAT, "stream": True}),
    "/hf-inference/models/acme/embedder": ("router", {"inputs": ["a"]}),
    "/fal-ai/fal-ai/painter": ("router", {"prompt": "a"}),
    "/_twin/clock": ("endpoints", {"advance_s": 1}),
}
TOLD = (
    "/api/models/acme/made",
    "/api/models/acme/made/tree/main",
    "/api/models/acme/made/discussions",
    "/api/models/acme/made/discussions?p=x",
    "/api/models/acme/made/discussions/1",
    "/api/spaces/acme/app",
    "/api/spaces/acme/app/runtime",
    "/api/spaces/acme/app/variables",
    "/api/spaces/acme/app/secrets",
    "/api/collections",
    "/api/collections?cursor=x",
    "/api/whoami-v2",
)


@pytest.fixture
def twin() -> Iterator[face.Twin]:
    provided = {
        provider: {"status": "live", "task": task, "providerId": own}
        for provider, task, own in (
            ("together", "conversational", "acme/tiny"),
            ("hf-inference", "feature-extraction", "acme/embedder"),
            ("fal-ai", "text-to-image", "fal-ai/painter"),
        )
    }
    with face.serve(face.Scenario(repos={"acme/tiny": face.Repo(providers=provided)})) as twin:
        with httpx.Client(base_url=twin.urls["hub"], headers=ANN) as client:
            for fields in ({"name": "made"}, {"name": "app", "type": "space", "sdk": "gradio"}):
                client.post("/api/repos/create", json=MADE | fields).raise_for_status()
            talk = {"title": "t", "description": "d"}
            client.post("/api/models/acme/made/discussions", json=talk).raise_for_status()
        yield twin


def spoilt(body: Any) -> Iterator[Any]:
    """The body with each of its parts in turn left out, and replaced by what is odd."""
    for way in ways(body):
        for junk in (*ODD, ...):
            told = deepcopy(body)
            place = told
            for key in way[:-1]:
                place = place[key]
            if junk is ...:
                del place[way[-1]]
            else:
                place[way[-1]] = deepcopy(junk)
            yield told


def ways(value: Any, above: Way = ()) -> Iterator[Way]:
    inside = value.items() if isinstance(value, dict) else enumerate(value)
    for key, one in inside:
        yield (*above, key)
        if isinstance(one, dict | list):
            yield from ways(one, (*above, key))


@pytest.mark.parametrize("path", POSTED)
def test_no_body_makes_it_fall_over(path: str, twin: face.Twin) -> None:
    host, body = POSTED[path]
    with httpx.Client(headers=ANN, timeout=20) as client:
        for told in spoilt(body):
            answer = client.post(f"{twin.urls[host]}{path}", content=json.dumps(told))
            assert answer.status_code < 500, told
            assert "set-cookie" not in answer.headers
        for text in (b"", b"{", b"[]", b"null", b"\xff", b"1", b"[" * 10_000, b"{}\n{}"):
            assert client.post(f"{twin.urls[host]}{path}", content=text).status_code < 500, text
        for read in TOLD:
            assert client.get(f"{twin.urls['hub']}{read}").status_code < 500, read


def test_a_reader_lists_the_files_of_a_private_repository() -> None:
    """As it may read its facts and its files."""
    hidden = face.Repo(files={"a.txt": b"a"}, private=True, readers=("zoe",))
    with face.serve(face.Scenario(repos={"acme/hidden": hidden})) as twin:
        url = f"{twin.urls['hub']}/api/models/acme/hidden"
        zoe = {"Authorization": "Bearer hf_twin_zoe"}
        for path, headers, status in (
            ("", zoe, 200),
            ("/tree/main", zoe, 200),
            ("/discussions", zoe, 200),
            ("/tree/main", {}, 401),
            ("/tree/main", {"Authorization": "Bearer hf_nobody"}, 401),
        ):
            assert httpx.get(url + path, headers=headers).status_code == status, (path, headers)
