"""Whatever a body holds, the Endpoints API's twin answers as a server that is well."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import httpx
import pytest

from moorage.twin import face

ANN = {"Authorization": "Bearer hf_twin_ann"}
JUNK: tuple[Any, ...] = (None, 0, -1, 2.5, True, "", "x", [], [1], {}, {"": None}, {"a": {"b": []}})
IMAGE = {"url": "a/b:1", "port": 80, "credentials": {"username": "u", "password": "p"}}


def good() -> dict[str, Any]:
    return {
        "name": "one",
        "type": "private",
        "provider": {"vendor": "aws", "region": "eu-west-1"},
        "compute": {
            "accelerator": "cpu",
            "instanceType": "intel-spr",
            "instanceSize": "x1",
            "scaling": {"minReplica": 0, "maxReplica": 1, "scaleToZeroTimeout": 15},
        },
        "model": {
            "repository": "acme/tiny",
            "framework": "custom",
            "revision": "a" * 40,
            "task": "text-generation",
            "image": {"vLLM": {**IMAGE, "tensorParallelSize": 1}},
            "env": {"A": "1"},
            "secrets": {"B": "2"},
            "args": ["--max-model-len", "16"],
            "command": ["serve"],
        },
        "tags": ["one"],
        "route": {"domain": "a.example", "path": "/v1"},
        "privateService": {"accountId": "1", "region": "us-east-1"},
        "cacheHttpResponses": True,
    }


def paths(value: Any, above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    if isinstance(value, dict):
        for key, inside in value.items():
            yield (*above, key)
            yield from paths(inside, (*above, key))


def spoilt(path: tuple[str, ...], junk: Any) -> dict[str, Any]:
    body = good()
    place = body
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = deepcopy(junk)
    return body


@pytest.mark.parametrize("path", list(paths(good())), ids=".".join)
def test_no_field_makes_it_fall_over(path: tuple[str, ...]) -> None:
    with face.serve(face.Scenario(repos={"acme/tiny": face.Repo(files={"a": b""})})) as twin:
        account = f"{twin.urls['endpoints']}/v2/endpoint/acme"
        with httpx.Client(headers=ANN) as client:
            for junk in JUNK:
                assert client.post(account, json=spoilt(path, junk)).status_code < 500, junk
                twin.endpoints.forget()
                twin.plant("acme", "one")
                changed = client.put(f"{account}/one", json=spoilt(path, junk))
                assert changed.status_code < 500, junk
                assert client.get(f"{account}/one").status_code == 200, junk
                engine = client.get(f"{twin.endpoints['acme/one'].url}/v1/models")
                assert engine.status_code < 500 or engine.status_code == 503, junk
                twin.endpoints.forget()


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff", b'"x"', b"[" * 10_000])
def test_no_text_makes_it_fall_over(body: bytes) -> None:
    with face.serve() as twin:
        endpoint = twin.plant("acme", "one", type="public")
        api = f"{twin.urls['endpoints']}/v2/endpoint/acme"
        assert httpx.post(api, content=body, headers=ANN).status_code == 400
        assert httpx.put(f"{api}/one", content=body, headers=ANN).status_code == 400
        assert httpx.post(endpoint.url, content=body).status_code == 400
        chat = f"{twin.urls['router']}/v1/chat/completions"
        assert httpx.post(chat, content=body, headers=ANN).status_code == 400


@pytest.mark.parametrize("query", ["cursor=x", "cursor=4pyT", "limit=x", "cursor=%ff"])
def test_no_cursor_makes_it_fall_over(query: str) -> None:
    with face.serve() as twin:
        url = f"{twin.urls['endpoints']}/v2/endpoint/acme?{query}"
        assert httpx.get(url, headers=ANN).status_code == 400
